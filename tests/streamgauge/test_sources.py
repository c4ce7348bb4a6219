import pytest

from streamgauge.plan import Plan, PlanError
from streamgauge.sources import sources_of


@pytest.mark.parametrize(
    ("users", "sources"),
    [
        (1, []),
        (20_000, []),
        (20_001, ["127.0.0.2", "127.0.0.3"]),
        (60_000, ["127.0.0.2", "127.0.0.3", "127.0.0.4"]),
    ],
)
def test_there_are_as_many_as_the_sockets_take(users: int, sources: list[str]) -> None:
    assert sources_of(Plan(users=users, spawn_rate=users)) == sources


def test_a_second_socket_of_each_user_counts_as_well() -> None:
    assert len(sources_of(Plan(users=15_000, spawn_rate=15_000, reopen=1))) == 2


def test_of_those_that_a_plan_names_this_machine_s_are_taken() -> None:
    assert sources_of(Plan(sources=("192.0.2.7", "127.0.0.9", "127.1.2.3"))) == ["127.0.0.9", "127.1.2.3"]


def test_a_plan_without_an_address_of_this_machine_is_refused() -> None:
    with pytest.raises(PlanError) as refused:
        sources_of(Plan(sources=("192.0.2.7", "2001:db8::1")))
    said = "sources: this machine has none of 192.0.2.7, 2001:db8::1 (`ip address` lists its own)"
    assert str(refused.value) == said
