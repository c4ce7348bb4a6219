"""Judges one settled run by all rules that speak about it.

One cause, one finding: a repeat is reported once and reaches no other rule; a
missing head is `started-first`; any other gap makes the rules that would need the
missing event unknown for this run; what merely came late is reordering, and the
other rules then read the run in the order of `seq`. Of a run that is to emit no
events only that is judged, and whether it ended.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.checks.answer import partial_integrity, streams
from streamgauge.core.checks.echo import echo
from streamgauge.core.checks.lifecycle import lifecycle
from streamgauge.core.checks.problem import GAP, HEAD_MISSING, REPEAT, STEP_BACK, Problem, kept
from streamgauge.core.checks.scripted import made, not_of_the_script
from streamgauge.core.checks.sequence import NONE, Departures, departures
from streamgauge.core.checks.timing import complete, no_silence
from streamgauge.core.checks.tools import tool_pairing
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import Kind
from streamgauge.core.history import End, History
from streamgauge.core.observation import Asked, Makes, Received, Stretch, arrival_ns
from streamgauge.core.stretch import form_of

# The rules that cannot be judged where an event of the run is missing.
DEPENDENT: Final = (
    Rule.STARTED_FIRST,
    Rule.THINKING_PRESENT,
    Rule.TOOL_PAIRING,
    Rule.TERMINAL_LAST,
    Rule.PARTIAL_INTEGRITY,
    Rule.NO_SILENCE,
)


class Judgement(Struct, frozen=True, eq=False):
    """What came of one run: rules applied, rules that could not be, and what is wrong.

    Runs of which nothing is wrong share a few of these: each is counted as itself.
    """

    exercised: tuple[Rule, ...]
    unknown: tuple[Rule, ...] = ()
    problems: tuple[Problem, ...] = ()
    lost: int = 0  # events known to be missing
    repeated: int = 0  # events that came again
    reordered: int = 0  # events that came after later ones


class _Known(NamedTuple):
    """What is remembered of a form: what was found, and what runs of it bring."""

    judgement: Judgement
    brings: Makes


_MOST_REMEMBERED: Final = 4096
_REMEMBERED: Final[dict[bytes, _Known]] = {}


def judge(history: History, limits: Limits, promises: Collection[Rule] = EVERY_RULE) -> Judgement:
    """Judge a settled run by the rules in `promises`, and by no other.

    Of a plain run that took its course most of the rules read nothing but the form, of which loads
    have few: what was once found of a form is remembered, and the rest is looked at. Any other run
    is unfolded.
    """
    form = form_of(history.stretches) if _took_its_course(history, limits) else None
    if not form or len(promises) < len(EVERY_RULE):
        history.unfold()
        return _judge_by(history, limits, promises)
    known = _REMEMBERED.get(form)
    if known is not None and _all_else_is_well(history, limits, known.brings):
        return known.judgement
    history.unfold()
    judgement = _judge_by(history, limits, promises)
    if not (judgement.problems or judgement.unknown):
        if len(_REMEMBERED) >= _MOST_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[form] = _Known(judgement, made([received.event for received in history.events]))
    return judgement


def _took_its_course(history: History, limits: Limits) -> bool:
    """Whether a run was accepted, where that is the custom, spoke, and came to its own end."""
    accepted = history.accepted is not None or not limits.accepts
    return accepted and history.end is End.TERMINAL and not history.asked.silent


def _all_else_is_well(history: History, limits: Limits, brings: Makes) -> bool:
    """Whether a plain run, of a form in which nothing was found, keeps the rules that read more than that.

    In such a form a start comes first and a completion last.
    """
    asked, thread, stretches = history.asked, history.thread, history.stretches
    if asked.makes is not None and asked.makes != brings and _left_alone(history):
        return False
    before_ns, most_ns = asked.at_ns, limits.silence_ns + asked.pause_ns
    for stretch in stretches:
        if (stretch.thread != thread and thread) or (stretch.agent != asked.agent and asked.agent):
            return False
        now_ns = stretch.kernel_ns or stretch.at_ns
        if now_ns - before_ns > most_ns:
            return False
        before_ns = now_ns
    first, last = stretches[0], stretches[-1]
    whole = last.answer == last.joined or not (last.answer or limits.digests)
    return whole and _echoes(first, asked) and (last is first or _echoes(last, asked))


def _left_alone(history: History) -> bool:
    """Whether its user let the agent do what it was asked for, and nothing else."""
    return not (history.cancelled or history.spoken)


def _echoes(stretch: Stretch, asked: Asked) -> bool:
    return stretch.request == asked.request and (stretch.context == asked.context or not asked.context)


def _judge_by(history: History, limits: Limits, promises: Collection[Rule]) -> Judgement:
    judgement = _judge(history, limits, numbered=Rule.SEQ_CONTIGUOUS in promises)
    if len(promises) == len(EVERY_RULE):
        return judgement
    return replace(
        judgement,
        exercised=tuple(rule for rule in judgement.exercised if rule in promises),
        unknown=tuple(rule for rule in judgement.unknown if rule in promises),
        problems=tuple(problem for problem in judgement.problems if problem.rule in promises),
    )


def _judge(history: History, limits: Limits, *, numbered: bool) -> Judgement:
    problems: list[Problem] = []
    exercised: list[Rule] = []
    if history.end is not End.ABANDONED:
        exercised.append(Rule.COMPLETE)
        problems += _found(complete(history))
    received = history.events
    if history.asked.silent:
        problems += _found(_uttered(received))
        return Judgement(tuple(exercised), problems=tuple(problems))
    if not received:
        return Judgement(tuple(exercised), problems=tuple(problems))

    arrival: Sequence[int] = range(len(received))  # places, without repeats
    order = arrival  # and as the other rules are to read them
    apart = NONE
    if numbered and received[0].event.seq:
        exercised.append(Rule.SEQ_CONTIGUOUS)
        if not history.plain:
            apart = departures([r.event.seq for r in received])
            problems += _sequence_problems(received, apart)
        if apart.repeats or apart.back:
            arrival = [place for place in arrival if place not in apart.repeats]
            order = sorted(arrival, key=lambda place: received[place].event.seq)
    if limits.accepts and history.accepted is None:
        problems.append(Problem(Rule.PROTOCOL, "it began without having been accepted", (0,)))
    heard = received if len(arrival) == len(received) else [received[place] for place in arrival]
    events = [r.event for r in heard] if order is arrival else [received[place].event for place in order]
    numbers = apart.lost, len(apart.repeats), len(apart.back)

    exercised.append(Rule.ECHO)
    problems += _placed(order, _found(echo(history, events)))
    if apart.lost:
        return Judgement(tuple(exercised), DEPENDENT, tuple(problems), *numbers)

    exercised += [Rule.STARTED_FIRST, Rule.THINKING_PRESENT, Rule.NO_SILENCE]
    problems += _placed(arrival, _found(no_silence(history.asked, list(map(arrival_ns, heard)), limits)))
    if history.ended_ns:
        exercised.append(Rule.TERMINAL_LAST)
    problems += _placed(order, lifecycle(events))
    if any(event.call for event in events):
        exercised.append(Rule.TOOL_PAIRING)
        problems += _placed(order, _found(tool_pairing(events)))
    if streams(events):
        exercised.append(Rule.PARTIAL_INTEGRITY)
        problems += _placed(order, _found(partial_integrity(events, digests=limits.digests)))
    if history.asked.makes is not None and _left_alone(history):
        broken = {problem.rule for problem in problems}
        if Rule.STARTED_FIRST not in broken:  # else it may have come before the first event that is here
            other = [p for p in not_of_the_script(history.asked.makes, events) if p.rule not in broken]
            problems += _placed(order, other)
    return Judgement(tuple(exercised), (), tuple(problems), *numbers)


def _uttered(received: Sequence[Received]) -> Problem | None:
    """What is wrong with the events of a run that was to emit none: that they are there."""
    places = tuple(range(len(received)))
    return Problem(Rule.PROTOCOL, "events of a run that was to emit none", places) if received else None


def _sequence_problems(received: Sequence[Received], apart: Departures) -> list[Problem]:
    problems = []
    if apart.repeats:
        problems.append(_out_of_place(REPEAT, received, apart.repeats))
    if apart.back:
        problems.append(_out_of_place(STEP_BACK, received, apart.back))
    missing = apart.missing
    headless = missing and missing[0].start == 1 and all(r.event.kind != Kind.STARTED for r in received)
    if headless:
        problems.append(_gap(Rule.STARTED_FIRST, HEAD_MISSING, received, missing[:1]))
        missing = missing[1:]
    if missing:
        problems.append(_gap(Rule.SEQ_CONTIGUOUS, GAP, received, missing))
    return problems


def _gap(rule: Rule, name: str, received: Sequence[Received], missing: Sequence[range]) -> Problem:
    after = next(place for place, r in enumerate(received) if r.event.seq >= missing[0].stop)
    return Problem(rule, name, (after,), *kept(missing))


def _out_of_place(name: str, received: Sequence[Received], places: tuple[int, ...]) -> Problem:
    numbers = [received[place].event.seq for place in places]
    return Problem(Rule.SEQ_CONTIGUOUS, name, places, *kept([range(n, n + 1) for n in numbers]))


def _found(problem: Problem | None) -> list[Problem]:
    return [] if problem is None else [problem]


def _placed(order: Sequence[int], problems: Sequence[Problem]) -> list[Problem]:
    """Places in the order that was judged, as places in the order of arrival."""
    if not problems:
        return []
    return [problem._replace(at=tuple(order[place] for place in problem.at)) for problem in problems]
