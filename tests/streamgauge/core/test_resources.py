import pytest
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Excess
from streamgauge.core.resources import Held, Moment, ServerAccount, judge_account

SECOND = 1_000_000_000
MORNING_NS = 1_764_000_000 * SECOND  # the time of day at which the run's clock showed zero
IDLE = Moment(MORNING_NS, 7.0, connections=1, runs=0, tasks=9)


def seen(at_s: int, connections: int, runs: int, *, of: Held | None = None, tasks: int = 9) -> Moment:
    """What the server said after so many seconds; `of` is what it may hold."""
    return Moment(MORNING_NS + at_s * SECOND, 7.0, connections, runs, tasks, held=of)


def account(*during: Moment, after: Moment | None = None, waited_s: int = 0) -> ServerAccount:
    return ServerAccount(10 * SECOND, IDLE, during, after or seen(30, 1, 0), waited_s * SECOND)


def problems(said: ServerAccount) -> list[tuple[str, Excess | None]]:
    found = judge_account(said, MORNING_NS).findings.get(Rule.RESOURCE, [])
    return [(finding.problem, finding.excess) for finding in found]


def looks(said: ServerAccount | None) -> int:
    return judge_account(said, MORNING_NS).exercised.get(Rule.RESOURCE, 0)


def test_a_server_that_holds_what_the_suite_has_and_lets_go_of_it_is_right() -> None:
    said = account(seen(1, 5, 2, of=Held(4, 2)), seen(2, 4, 0, of=Held(4, 2), tasks=99))
    assert problems(said) == []
    assert looks(said) == 3


def test_what_is_left_is_told_with_its_baseline_and_its_time() -> None:
    said = account(after=seen(40, 13, 0), waited_s=10)
    (found,) = judge_account(said, MORNING_NS).findings[Rule.RESOURCE]
    assert found.problem == "connections left"
    assert found.excess == Excess(counted=13, allowed=1, waited_ns=10 * SECOND, linger_ns=10 * SECOND)
    assert found.at_ns == 40 * SECOND


@pytest.mark.parametrize(
    ("after", "problem", "counted", "allowed"),
    [
        (seen(40, 2, 3, tasks=20), "connections left", 2, 1),  # its runs and their tasks are its own
        (seen(40, 1, 3, tasks=20), "runs left", 3, 0),
        (seen(40, 1, 0, tasks=20), "tasks left", 20, 9),
    ],
)
def test_one_cause_is_one_finding(after: Moment, problem: str, counted: int, allowed: int) -> None:
    told = problems(account(seen(5, 9, 9, of=Held(3, 3)), after=after, waited_s=10))
    assert told == [(problem, Excess(counted, allowed, 10 * SECOND, 10 * SECOND))]


@pytest.mark.parametrize(
    ("during", "problem", "excess"),
    [
        (seen(5, 6, 0, of=Held(3, 9)), "more connections than there can be", Excess(6, 4)),
        (seen(5, 1, 4, of=Held(9, 3)), "more runs than there can be", Excess(4, 3)),
    ],
)
def test_what_nobody_has_is_found_in_mid_run(during: Moment, problem: str, excess: Excess) -> None:
    assert problems(account(seen(1, 5, 0, of=Held(4, 0)), during)) == [(problem, excess)]


def test_the_worst_moment_is_told() -> None:
    said = account(
        *(seen(at_s, connections, 0, of=Held(2, 0)) for at_s, connections in ((1, 4), (2, 9), (3, 5)))
    )
    assert problems(said) == [("more connections than there can be", Excess(9, 3))]


def test_fewer_than_the_suite_has_are_other_processes_affair() -> None:
    assert problems(account(seen(1, 1, 0, of=Held(8, 8)))) == []


def test_what_nobody_waited_for_is_not_judged() -> None:
    said = account(seen(1, 2, 0, of=Held(4, 2)), after=seen(31, 9, 0), waited_s=3)  # Ctrl-C
    assert problems(said) == []
    assert looks(said) == 1


def test_looks_at_what_several_processes_have_are_not_held_against_anything() -> None:
    said = account(seen(1, 99, 99))
    assert problems(said) == []
    assert looks(said) == 1  # the end


@pytest.mark.parametrize(
    "said",
    [
        None,
        ServerAccount(10 * SECOND),
        ServerAccount(10 * SECOND, Moment(MORNING_NS, rss_bytes=5), (), Moment(MORNING_NS + 1, rss_bytes=6)),
        account(after=replace(seen(40, 5, 5), started_s=30.0), waited_s=10),  # started anew in mid-run
    ],
    ids=["silent", "nothing said", "no counts", "another process"],
)
def test_a_server_that_does_not_count_is_not_judged(said: ServerAccount | None) -> None:
    assert looks(said) == 0
    assert judge_account(said, MORNING_NS).found == {}


def test_a_server_that_was_gone_at_the_end_is_judged_by_what_it_said_before() -> None:
    said = ServerAccount(10 * SECOND, IDLE, (seen(5, 9, 0, of=Held(3, 3)),))
    assert looks(said) == 1
    assert len(problems(said)) == 1
