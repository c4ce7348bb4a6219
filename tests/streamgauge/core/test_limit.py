import pytest

from streamgauge.core.limit import Goal, LimitError, Operator, Reader, RunLimit, run_limit

MS = 1_000_000
O = Operator  # noqa: E741 - as short as what it stands for


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        (O.BELOW, True, False, False),
        (O.AT_MOST, True, True, False),
        (O.ABOVE, False, False, True),
        (O.AT_LEAST, False, True, True),
        (O.EXACTLY, False, True, False),
    ],
)
def test_a_value_is_held_against_a_limit(operator: O, below: bool, equal: bool, above: bool) -> None:
    assert [operator.holds(value, 2) for value in (1, 2, 3)] == [below, equal, above]


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("7us", 7_000),
        ("7 µs", 7_000),
        ("0.5ms", 500_000),
        ("1.5s", 1_500 * MS),
        ("2m", 120_000 * MS),
        ("1h", 3_600_000 * MS),
        ("1e-3s", MS),
        ("0.0000000019s", 1),  # cut to what a clock counts
    ],
)
def test_durations_are_exact_nanoseconds(text: str, ns: int) -> None:
    assert Reader(text).nanoseconds() == ns


@pytest.mark.parametrize("goal", list(Goal))
def test_every_goal_is_read(goal: Goal) -> None:
    assert run_limit(f" {goal}<= 500ms ") == RunLimit(goal, O.AT_MOST, 500 * MS, f"{goal}<= 500ms")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the name of a limit was expected where the end stands"),
        ("latency < 1s", "there is no 'latency'; known are first_event, first_thought, first_chunk"),
        ("run", "< or <= was expected where the end stands"),
        ("run > 1s", "< or <= was expected where '>' stands"),
        ("run == 1s", "< or <= was expected where '==' stands"),
        ("run < fast", "a number was expected where 'fast' stands"),
        ("run < -1s", "a number was expected where '-' stands"),
        ("run < 30", "a unit of time (us, ms, s, m, h) was expected where the end stands"),
        ("run < 30 days", "a unit of time (us, ms, s, m, h) was expected where 'days' stands"),
        ("run < 30s today", "the end was expected where 'today' stands"),
        ("run < 1e10s", "that is longer than anything lasts"),
        ("run < 1234567890123456789012s", "was expected"),
    ],
)
def test_what_is_no_limit_is_refused_by_its_text_and_the_reason(text: str, problem: str) -> None:
    with pytest.raises(LimitError) as refused:
        run_limit(text)
    assert str(refused.value).startswith(f"{text!r}: ")
    assert problem in str(refused.value)


def test_a_text_without_end_is_not_repeated() -> None:
    with pytest.raises(LimitError) as refused:
        run_limit("x" * 10_000)
    assert len(str(refused.value)) < 100 + 10_000 + 500
    assert str(refused.value).startswith(f"'{'x' * 100}…': ")
