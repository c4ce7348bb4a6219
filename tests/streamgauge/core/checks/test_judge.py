import pytest
from msgspec.structs import replace

from streamgauge.core.checks import judge as judge_module
from streamgauge.core.checks.judge import DEPENDENT, judge
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.history import End, History
from tests.support.history import (
    LIMITS,
    accepted,
    completed,
    ended,
    failed,
    idea,
    lost,
    part,
    run,
    started,
    swapped,
    thought,
    tool,
    twice,
    wait,
    whole,
)
from tests.support.stretches import gathered, plain

R = Rule
BEGUN = (started(), thought(1), thought(2))
ALWAYS = {R.SEQ_CONTIGUOUS, R.ECHO, R.STARTED_FIRST, R.THINKING_PRESENT, R.NO_SILENCE}


def broken(history: History) -> list[Problem]:
    return list(judge(history, LIMITS).problems)


@pytest.mark.parametrize(
    ("history", "applied"),
    [
        (run(*whole()), {R.COMPLETE, R.TERMINAL_LAST, R.TOOL_PAIRING, R.PARTIAL_INTEGRITY, *ALWAYS}),
        (run(*BEGUN, thought(3), completed()), {R.COMPLETE, R.TERMINAL_LAST, *ALWAYS}),
        (run(*BEGUN, part(0), failed()), {R.COMPLETE, R.TERMINAL_LAST, R.PARTIAL_INTEGRITY, *ALWAYS}),
        (run(*BEGUN, tool("c"), failed("run_lost")), {R.COMPLETE, R.TERMINAL_LAST, R.TOOL_PAIRING, *ALWAYS}),
        (run(failed()), {R.COMPLETE, R.TERMINAL_LAST, *ALWAYS}),
        (run(*BEGUN, failed("cancelled"), cancelled=True), {R.COMPLETE, R.TERMINAL_LAST, *ALWAYS}),
        (run(end=End.REFUSED), {R.COMPLETE}),
        # abandoned: what arrived is judged, but not its end
        (run(*BEGUN, tool("c"), end=End.ABANDONED), {R.TOOL_PAIRING, *ALWAYS}),
        (run(*BEGUN, part(0), end=End.ABANDONED), {R.PARTIAL_INTEGRITY, *ALWAYS}),
        (run(end=End.ABANDONED), set()),
    ],
)
def test_a_good_run_keeps_the_rules_that_speak_about_it(history: History, applied: set[Rule]) -> None:
    judgement = judge(history, LIMITS)
    assert judgement.problems == ()
    assert judgement.unknown == ()
    assert sorted(judgement.exercised) == sorted(applied)


@pytest.mark.parametrize(
    ("history", "rule", "text", "places"),
    [
        (run(thought(1), failed()), R.STARTED_FIRST, "no start before it", (0,)),
        (run(started(), thought(1), tool("c"), ended("c")), R.THINKING_PRESENT, "step 2 missing", (2,)),
        (run(*BEGUN, tool("c"), failed()), R.TOOL_PAIRING, "tool never completed", (3,)),
        (
            run(*BEGUN, failed(), idea()),
            R.TERMINAL_LAST,
            "agent's thought, tool or partial result after the end",
            (4,),
        ),
        (run(*BEGUN, part(1), failed()), R.PARTIAL_INTEGRITY, "index 1 where 0 was due", (3,)),
        (run(*BEGUN, failed("cancelled")), R.COMPLETE, "cancelled, and its user had not asked for it", (3,)),
        (run(*BEGUN, wait(11), failed()), R.NO_SILENCE, "silent for 11.0 s", (3,)),
        (run(thought(1), end=End.ABANDONED), R.STARTED_FIRST, "no start before it", (0,)),
    ],
)
def test_one_breach_is_one_finding(history: History, rule: Rule, text: str, places: tuple[int, ...]) -> None:
    history.end = End.ABANDONED if history.end is End.DEADLINE else history.end
    assert broken(history) == [(rule, text, places)]


@pytest.mark.parametrize(
    ("history", "text"),
    [(run(), "never began"), (run(started(), thought(1), thought(2), tool("c")), "never ended")],
)
def test_a_run_that_hangs_is_not_complete_and_no_more(history: History, text: str) -> None:
    assert [(rule, said) for rule, said, _ in broken(history)] == [(R.COMPLETE, text)]


def test_an_echo_is_judged_whatever_else_is() -> None:
    history = run(*BEGUN, lost(tool("c")), ended("c"), thought(3), completed())
    history.events[-1] = replace(history.events[-1], event=replace(history.events[-1].event, context="c2"))
    assert [rule for rule, *_ in broken(history)] == [R.SEQ_CONTIGUOUS, R.ECHO]


# One cause, one finding


@pytest.mark.parametrize("place", range(len(whole())))
def test_a_repeat_is_recorded_once_and_reaches_no_other_rule(place: int) -> None:
    said = list(whole())
    history = run(*said[:place], twice(said[place]), *said[place + 1 :])
    assert broken(history) == [(R.SEQ_CONTIGUOUS, f"repeat of seq {place + 1}", (place + 1,))]
    assert judge(history, LIMITS).unknown == ()


def test_repeats_of_several_events_are_one_finding() -> None:
    history = run(started(), twice(thought(1)), twice(thought(2)), thought(3), completed())
    assert broken(history) == [(R.SEQ_CONTIGUOUS, "repeat of seq 2, 3", (2, 4))]


@pytest.mark.parametrize("end", [End.DEADLINE, End.ABANDONED])
def test_a_repeat_neither_makes_nor_breaks_a_silence(end: End) -> None:
    repeat = run(started(), twice(thought(1)), end=End.ABANDONED).events[2]
    alone = run(started(), thought(1), end=end)
    alone.events.append(replace(repeat, at_ns=repeat.at_ns + 12 * 10**9))
    assert R.NO_SILENCE not in [rule for rule, *_ in broken(alone)]

    within = run(started(), thought(1), wait(12), thought(2), end=end)
    within.events.insert(2, replace(repeat, at_ns=repeat.at_ns + 6 * 10**9))
    assert (R.NO_SILENCE, "silent for 12.0 s", (3,)) in broken(within)


@pytest.mark.parametrize(
    "history",
    [
        run(lost(started()), *whole()[1:]),
        run(lost(started()), lost(thought(1)), *whole()[2:]),
        run(lost(started()), failed()),
        run(lost(started()), thought(1), end=End.ABANDONED),
    ],
)
def test_a_missing_head_is_started_first_and_no_gap(history: History) -> None:
    ((rule, text, places),) = broken(history)
    assert (rule, places) == (R.STARTED_FIRST, (0,))
    assert text.startswith("head missing: seq 1")
    assert judge(history, LIMITS).lost == history.events[0].event.seq - 1


def test_a_missing_head_and_a_gap_are_two_findings() -> None:
    history = run(lost(started()), thought(1), lost(thought(2)), lost(idea()), thought(3), completed())
    assert broken(history) == [
        (R.STARTED_FIRST, "head missing: seq 1 never came", (0,)),
        (R.SEQ_CONTIGUOUS, "gap: seq 3–4 never came", (1,)),
    ]
    assert judge(history, LIMITS).lost == 3


@pytest.mark.parametrize(
    ("history", "text", "place"),
    [
        (
            run(thought(1), lost(thought(2)), failed()),
            "gap: seq 2 never came",
            1,
        ),  # no start was sent
        (run(lost(idea()), started(), failed()), "gap: seq 1 never came", 0),  # the start is there
        (run(started(), lost(thought(1)), idea(), lost(idea()), failed()), "gap: seq 2, 4 never came", 1),
    ],
)
def test_a_gap_is_no_missing_head_where_a_start_came_or_something_before_it(
    history: History, text: str, place: int
) -> None:
    assert broken(history) == [(R.SEQ_CONTIGUOUS, text, (place,))]


@pytest.mark.parametrize("place", range(1, len(whole()) - 1))
def test_any_other_gap_makes_the_dependent_rules_unknown(place: int) -> None:
    said = list(whole())
    history = run(*said[:place], lost(said[place]), *said[place + 1 :])
    judgement = judge(history, LIMITS)
    assert broken(history) == [(R.SEQ_CONTIGUOUS, f"gap: seq {place + 1} never came", (place,))]
    assert judgement.unknown == DEPENDENT
    assert judgement.exercised == (R.COMPLETE, R.SEQ_CONTIGUOUS, R.ECHO)
    assert judgement.lost == 1


def test_a_gap_hides_neither_a_hanging_run_nor_one_that_was_cancelled() -> None:
    hanging = run(started(), lost(thought(1)), thought(2))
    bystander = run(started(), lost(thought(1)), failed("cancelled"))
    for history in (hanging, bystander):
        assert [rule for rule, *_ in broken(history)] == [R.COMPLETE, R.SEQ_CONTIGUOUS]


@pytest.mark.parametrize("place", range(len(whole()) - 1))
def test_a_gap_that_is_filled_was_reordering_and_the_rest_is_read_in_order(place: int) -> None:
    said = list(whole())
    history = run(*said[:place], swapped(said[place], said[place + 1]), *said[place + 2 :])
    assert broken(history) == [(R.SEQ_CONTIGUOUS, f"step back to seq {place + 1}", (place + 1,))]
    assert judge(history, LIMITS).unknown == ()


def test_what_is_wrong_in_order_is_shown_where_it_arrived() -> None:
    history = run(
        swapped(started(), thought(1)), thought(2), swapped(tool("c"), tool("d")), ended("d"), failed()
    )
    assert broken(history)[-1] == (R.TOOL_PAIRING, "tool never completed", (4,))


def test_a_run_can_lose_repeat_and_reorder_at_once() -> None:
    history = run(twice(started()), lost(thought(1)), swapped(thought(2), thought(3)), completed())
    assert [text for _, text, _ in broken(history)] == [
        "repeat of seq 1",
        "step back to seq 3",
        "gap: seq 2 never came",
    ]
    judgement = judge(history, LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (1, 1, 1)


def test_repeats_and_steps_back_are_counted_where_nothing_is_lost() -> None:
    judgement = judge(run(twice(started()), swapped(thought(1), thought(2)), twice(failed())), LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (0, 2, 1)
    judgement = judge(run(*whole()), LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (0, 0, 0)


@pytest.mark.parametrize("end", [End.REFUSED, End.DEADLINE, End.ABANDONED])
def test_where_nothing_came_nothing_is_counted(end: End) -> None:
    judgement = judge(run(end=end), LIMITS)
    assert (judgement.lost, judgement.repeated, judgement.reordered) == (0, 0, 0)


def test_a_server_that_jumps_to_any_number_costs_nothing() -> None:
    history = run(started(), failed())
    history.events[1] = replace(history.events[1], event=replace(history.events[1].event, seq=2**63 - 1))
    assert broken(history) == [(R.SEQ_CONTIGUOUS, f"gap: seq 2–{2**63 - 2} never came", (1,))]


def test_a_protocol_without_numbers_has_no_order_to_keep() -> None:
    history = run(*BEGUN, failed())
    history.events = [replace(r, event=replace(r.event, seq=0, offset=0)) for r in history.events]
    judgement = judge(history, LIMITS)
    assert judgement.problems == ()
    assert R.SEQ_CONTIGUOUS not in judgement.exercised


def test_a_run_that_was_not_accepted_first_breaks_the_protocol_that_accepts() -> None:
    accepting = replace(LIMITS, accepts=True)
    history = run(*whole())
    (problem,) = judge(history, accepting).problems
    assert problem == (Rule.PROTOCOL, "it began without having been accepted", (0,))
    history.accepted = accepted()
    assert judge(history, accepting).problems == ()


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


def test_forms_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_module, "_MOST_REMEMBERED", 3)
    monkeypatch.setattr(judge_module, "_REMEMBERED", {})
    for ideas in range(10):
        told = run(*BEGUN, *(idea() for _ in range(ideas)), thought(3), completed())
        assert judge(plain(told), LIMITS).problems == ()
        assert 0 < len(judge_module._REMEMBERED) <= 3


def in_one_read(history: History) -> History:
    """The run as one stretch."""
    rows = [replace(event, at_ns=history.ended_ns) for event in history.events]
    return replace(plain(history), stretches=[gathered(rows)])


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
    assert [problem.text for problem in broken(history)] == ["silent for 11.0 s"]
