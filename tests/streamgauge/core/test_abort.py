import pytest

from streamgauge.core.abort import Condition, broken, parse

COUNTED = {"events": 100, "findings": 3, "runs": 10, "unsent": 0, "users": 5}


def test_a_condition_is_a_name_an_operator_and_a_number() -> None:
    assert parse(" findings >= 3 ") == Condition("findings", ">=", 3)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("findings > 3", False),
        ("findings >= 3", True),
        ("runs > 9", True),
        ("unsent > 0", False),
        ("leaks > 0", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert (broken((parse(text),), COUNTED) is not None) is holds


def test_the_first_condition_that_holds_is_named() -> None:
    conditions = tuple(map(parse, ("unsent > 0", "events > 50", "runs > 1")))
    assert str(broken(conditions, COUNTED)) == "events > 50"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("findings", "NAME > NUMBER"),
        ("findings < 3", "NAME > NUMBER"),
        ("findings > many", "NAME > NUMBER"),
        ("mood > 0", "known are events, findings, runs, users, leaks, lost, "),
        (
            "p99(delivery) > 50ms",
            "'delivery' is known at the end of a run only: make it a threshold",
        ),
        ("first_event > 500", "'first_event' is known at the end of a run only"),
        ("goodput_share > 0", "'goodput_share' is known at the end of a run only"),
        ("rate(leaks) > 0", "NAME > NUMBER"),
        (f"runs > {10**30}", "NAME > NUMBER"),
        ("events > -1", "a whole number from 0 on"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)
