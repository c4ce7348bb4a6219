"""A form that was found clean is remembered, and hides nothing."""

import pytest
from msgspec.structs import replace

from streamgauge.core.checks import judge as judge_module
from streamgauge.core.checks.judge import judge
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.history import End, History
from tests.support.history import LIMITS, accepted, completed, idea, run, thought, tool, wait, whole
from tests.support.judged import BEGUN, broken
from tests.support.stretches import gathered, plain

R = Rule


def told(**fields: str) -> History:
    """A whole run whose events say this."""
    history = run(*whole())
    history.events = [replace(r, event=replace(r.event, **fields)) for r in history.events]
    return history


def ended_with(**fields: str) -> History:
    """A whole run whose end says this."""
    history = run(*whole())
    end = history.events[-1]
    history.events[-1] = replace(end, event=replace(end.event, **fields))
    return history


def in_one_read(history: History) -> History:
    """The run as one stretch."""
    rows = [replace(event, at_ns=history.ended_ns) for event in history.events]
    return replace(plain(history), stretches=[gathered(rows)])


def test_a_form_that_was_found_clean_is_remembered() -> None:
    first = judge(plain(run(*whole())), LIMITS)
    assert judge(plain(run(*whole(), name="r2")), LIMITS) is first
    assert judge(plain(run(*whole()), 3, 8), LIMITS) is first, "wherever reads were cut"
    assert first.problems == ()
    assert R.ECHO in first.exercised


@pytest.mark.parametrize(
    ("another", "rule"),
    [
        (run(*whole()[:-1], completed("sum", "another")), R.PARTIAL_INTEGRITY),
        (run(*whole()[:-1], wait(11), whole()[-1]), R.NO_SILENCE),
        (run(wait(11), *whole()), R.NO_SILENCE),
        (replace(run(*whole()), thread="t2"), R.ECHO),
        (told(thread="t2"), R.ECHO),
        (told(agent="another"), R.ECHO),
        (ended_with(request="q2"), R.ECHO),
        (ended_with(context="c2"), R.ECHO),
        (ended_with(thread="t2"), R.ECHO),
        (run(*whole(), end=End.DEADLINE), R.COMPLETE),
    ],
)
@pytest.mark.parametrize("cuts", [(), (9,)])
def test_a_form_that_was_found_clean_hides_nothing_else(
    another: History, rule: Rule, cuts: tuple[int, ...]
) -> None:
    judge(plain(run(*whole())), LIMITS)
    assert [problem.rule for problem in broken(plain(another, *cuts))] == [rule]


def test_what_was_found_of_a_form_that_is_not_clean_is_not_remembered() -> None:
    again = run(*BEGUN, tool("c"), thought(3), completed())
    for _ in range(2):
        assert [problem.rule for problem in broken(plain(again))] == [R.TOOL_PAIRING]


def test_a_form_is_remembered_for_those_alone_who_are_judged_by_every_rule() -> None:
    judge(plain(run(*whole())), LIMITS)
    fewer = EVERY_RULE - {R.ECHO}
    assert R.ECHO not in judge(plain(run(*whole())), LIMITS, fewer).exercised


def test_a_clean_form_needs_its_acceptance_where_that_is_the_custom() -> None:
    accepting = replace(LIMITS, accepts=True)
    good = plain(replace(run(*whole()), accepted=accepted()))
    assert judge(good, accepting).problems == ()
    (problem,) = judge(plain(run(*whole())), accepting).problems
    assert problem.rule is R.PROTOCOL


@pytest.mark.parametrize("cuts", [(), (9,)])
def test_a_clean_form_needs_its_digest_where_the_protocol_has_one(cuts: tuple[int, ...]) -> None:
    digesting, mute = replace(LIMITS, digests=True), run(*whole()[:-1], completed("", "sum"))
    assert judge(plain(mute, *cuts), LIMITS).problems == ()
    (problem,) = judge(plain(mute, *cuts), digesting).problems
    assert (problem.rule, problem.problem) == (R.PARTIAL_INTEGRITY, "no digest of the answer")
    assert judge(plain(run(*whole()), *cuts), digesting).problems == ()
    unstreamed = run(*BEGUN, thought(3), completed())
    first = judge(plain(unstreamed), digesting)
    assert first.problems == ()
    assert judge(plain(unstreamed), digesting) is first


def test_a_form_without_a_digest_is_not_judged_anew_where_the_protocol_has_none() -> None:
    mute = run(*whole()[:-1], completed("", "sum"))
    assert judge(plain(mute), LIMITS) is judge(plain(mute), LIMITS)


def test_forms_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_module, "_MOST_REMEMBERED", 3)
    monkeypatch.setattr(judge_module, "_REMEMBERED", {})
    for ideas in range(10):
        told = run(*BEGUN, *(idea() for _ in range(ideas)), thought(3), completed())
        assert judge(plain(told), LIMITS).problems == ()
        assert 0 < len(judge_module._REMEMBERED) <= 3


@pytest.mark.parametrize("wrong", [{"request": "q2"}, {"context": "c2"}])
def test_an_echo_is_looked_at_in_every_stretch_that_has_one(wrong: dict[str, str]) -> None:
    judge(plain(run(*whole())), LIMITS)
    first = run(*whole())
    first.events[0] = replace(first.events[0], event=replace(first.events[0].event, **wrong))
    both = run(*whole())
    both.events = [replace(r, event=replace(r.event, **wrong)) if r.event.request else r for r in both.events]
    for history in (plain(first), plain(first, 9), in_one_read(both)):
        assert [problem.rule for problem in broken(history)] == [R.ECHO]
    assert broken(in_one_read(run(*whole()))) == []


def test_a_silence_is_one_by_the_kernels_stamps() -> None:
    judge(plain(run(*whole())), LIMITS)
    history = plain(run(*whole()), 5)
    early, late = history.stretches
    second = 10**9
    history.stretches = [
        replace(early, kernel_ns=second, at_ns=5 * second),  # read late
        replace(late, kernel_ns=12 * second, at_ns=12 * second),
    ]
    assert [problem.problem for problem in broken(history)] == ["silent"]
