"""Makes the sentence of a breach: its kind, with the numbers that this one is about."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, islice
from typing import Final

from streamgauge.core.checks.problem import (
    GAP,
    HEAD_MISSING,
    OTHER_PARTS,
    OTHER_THOUGHTS,
    OTHER_TOOLS,
    REPEAT,
    SILENT,
    STEP_BACK,
    WRONG_INDEX,
)
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Excess, Finding
from streamgauge.core.resources import COUNTS, left, too_many
from streamgauge.report.quantity import count, some

_OFFSETS_SHOWN: Final = 5  # of those that never came


def sentence(found: Finding) -> str:
    """How the rule was broken; a problem without numbers is its own sentence."""
    made = _SENTENCES.get((found.rule, found.problem))
    has_numbers = found.numbers or found.lasted_ns or found.excess
    return made(found) if made and has_numbers else found.problem


def _numbers(found: Finding) -> str:
    """All that are known: "4, 7–9 and 37 more"."""
    shown = ", ".join(f"{low}–{high}" if high > low else str(low) for low, high in found.numbers)
    return f"{shown} and {count(found.more)} more" if found.more else shown


def _first_offsets(found: Finding) -> str:
    """One by one, for what a session misses may be of many runs: "3, 4, 5, 9, 10 …"."""
    offsets = chain.from_iterable(range(low, high + 1) for low, high in found.numbers)
    shown = list(islice(offsets, _OFFSETS_SHOWN + 1))
    further = " …" if len(shown) > _OFFSETS_SHOWN else ""
    return ", ".join(map(str, shown[:_OFFSETS_SHOWN])) + further


def _index(found: Finding) -> str:
    (came, _), (due, _) = found.numbers[0], found.numbers[-1]
    return f"index {came} where {due} was due"


def _of_the_script(found: Finding) -> str:
    (came, _), (due, _) = found.numbers[0], found.numbers[-1]
    were = "was" if due == 1 else "were"
    return f"{found.problem}: {count(came)} where {count(due)} {were} due"


def _left(thing: str, found: Finding) -> str:
    of = found.excess or Excess(0, 0)
    waited = f"{of.waited_ns / 1e9:.0f} s after the last user closed"
    allowed = f"baseline {count(of.allowed)}; allowed by linger = {of.linger_ns / 1e9:g}"
    return f"{some(of.counted - of.allowed, thing)} left {waited}, {allowed}"


def _too_many(thing: str, found: Finding) -> str:
    of = found.excess or Excess(0, 0)
    return f"{some(of.counted - of.allowed, thing)} more than there can be: {count(of.counted)} counted"


_SENTENCES: Final[Mapping[tuple[Rule, str], Callable[[Finding], str]]] = {
    (Rule.SEQ_CONTIGUOUS, GAP): lambda found: f"gap: seq {_numbers(found)} never came",
    (Rule.SEQ_CONTIGUOUS, REPEAT): lambda found: f"repeat of seq {_numbers(found)}",
    (Rule.SEQ_CONTIGUOUS, STEP_BACK): lambda found: f"step back to seq {_numbers(found)}",
    (Rule.STARTED_FIRST, HEAD_MISSING): lambda found: f"head missing: seq {_numbers(found)} never came",
    (Rule.OFFSET_CONTIGUOUS, GAP): lambda found: f"gap: offset {_first_offsets(found)} never came",
    (Rule.OFFSET_CONTIGUOUS, REPEAT): lambda found: f"repeat to offset {_numbers(found)}",
    (Rule.OFFSET_CONTIGUOUS, STEP_BACK): lambda found: f"step back to offset {_numbers(found)}",
    (Rule.PARTIAL_INTEGRITY, WRONG_INDEX): _index,
    (Rule.THINKING_PRESENT, OTHER_THOUGHTS): _of_the_script,
    (Rule.TOOL_PAIRING, OTHER_TOOLS): _of_the_script,
    (Rule.PARTIAL_INTEGRITY, OTHER_PARTS): _of_the_script,
    (Rule.NO_SILENCE, SILENT): lambda found: f"silent for {found.lasted_ns / 1e9:.1f} s",
    **{(Rule.RESOURCE, left(things)): partial(_left, things.removesuffix("s")) for things in COUNTS},
    **{(Rule.RESOURCE, too_many(things)): partial(_too_many, things.removesuffix("s")) for things in COUNTS},
}
