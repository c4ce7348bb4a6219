import pytest
import typer

from streamgauge.cli.flags import by_flag, seconds_of

PROBLEM = "arrivals.interval: Expected `float` > 0.0"


@pytest.mark.parametrize(
    ("problem", "given", "says"),
    [
        (PROBLEM, {"arrivals.interval"}, "--interval: Expected `float` > 0.0"),
        (PROBLEM, {"users", "duration"}, PROBLEM),
        ("arrivals: too fast", {"arrivals.interval"}, "--interval: too fast"),
        ("faults[1]: there is none", {"faults"}, "--fault: there is none"),
        ("spawn_rate: too many", {"spawn_rate"}, "--spawn-rate: too many"),
        ("personas[0]: no", {"users"}, "personas[0]: no"),
    ],
)
def test_a_flag_is_named_where_it_was_given(problem: str, given: set[str], says: str) -> None:
    assert by_flag(problem, given) == says


def test_a_time_is_read_in_seconds_and_what_is_none_is_refused_as_a_flag() -> None:
    assert [seconds_of(text) for text in ("500ms", "5m", "30")] == [0.5, 300, 30]
    with pytest.raises(typer.BadParameter, match="'soon' is no duration; write 500ms"):
        seconds_of("soon")
