"""Settled runs that were alike: the same kinds of events in the same order, and the same came of them.

What is counted of one of them is counted of all. Only their times differ, and these stand in
columns, a row a run, so that metrics take a whole batch of them at once.
"""

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from streamgauge.core.checks.fold import Settled
from streamgauge.core.event import Event, Kind
from streamgauge.core.history import End, History, terminal
from streamgauge.core.observation import arrival_ns
from streamgauge.core.stretch import KINDS, PIPELINE

Times = np.ndarray[tuple[int], np.dtype[np.int64]]
Arrivals = np.ndarray[tuple[int, int], np.dtype[np.int64]]

_EVERY_STEP: Final = frozenset({1, 2, 3})  # of the pipeline


class Likeness(NamedTuple):
    """What runs have in common that are alike."""

    kinds: bytes  # a byte an event; a part that came again is WORK
    ending: str  # as it is counted
    accepted: bool  # by a message of its own
    expected: bool  # to bring a result: nobody kept it from getting there
    finished: bool  # it brought one
    thinks: bool  # every step of the pipeline is there
    whole: bool  # its events are all there, once each and in their order
    clean: bool  # it broke no rule


class Alike:
    """Runs of one likeness `of`; times in monotonic nanoseconds."""

    def __init__(self, of: Likeness) -> None:
        self.of = of
        self._rows: list[list[int]] = []

    def add(self, history: History, arrivals_ns: list[int]) -> None:
        """Take one more."""
        asked, accepted = history.asked, history.accepted
        accepted_ns = 0 if accepted is None else accepted.kernel_ns or accepted.at_ns
        self._rows.append([asked.due_ns, asked.at_ns, asked.pause_ns, accepted_ns, *arrivals_ns])

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self._rows)

    @cached_property
    def _columns(self) -> Arrivals:
        return np.array(self._rows, np.int64)

    @property
    def due_ns(self) -> Times:
        """When each was due."""
        return self._columns[:, 0]

    @property
    def asked_ns(self) -> Times:
        """When each was asked for."""
        return self._columns[:, 1]

    @property
    def pause_ns(self) -> Times:
        """The longest pause that the script of each makes."""
        return self._columns[:, 2]

    @property
    def accepted_ns(self) -> Times:
        """When the acceptance of each arrived, where they were accepted."""
        return self._columns[:, 3]

    @property
    def arrivals_ns(self) -> Arrivals:
        """When the events of each arrived: a row a run, a column an event."""
        return self._columns[:, 4:]

    def first_ns(self, kind: Kind) -> Times | None:
        """When the first event of a kind arrived in each."""
        place = self.of.kinds.find(kind)
        return None if place < 0 else self.arrivals_ns[:, place]

    def chunks_ns(self) -> Arrivals:
        """When the parts of each answer arrived."""
        places = [place for place, kind in enumerate(self.of.kinds) if kind == Kind.PARTIAL]
        return self.arrivals_ns[:, places]


_KNOWN: Final[dict[bytes, Likeness]] = {}
_MOST_KNOWN: Final = 4096


def likeness(history: History, worth: Settled) -> Likeness:
    """What a settled run is like."""
    asked = history.asked
    hindered = history.end is End.ABANDONED or history.cancelled
    plain = (
        history.stretches and history.end is End.TERMINAL and not (hindered or asked.fails or asked.silent)
    )
    if not plain or not worth.clean or history.accepted is None:
        return _likeness(history, worth, hindered=hindered)
    forms = b"".join([stretch.forms for stretch in history.stretches])
    known = _KNOWN.get(forms)  # they are all like the first of their forms
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[forms] = _likeness(history, worth, hindered=False)
    return known


def _likeness(history: History, worth: Settled, *, hindered: bool) -> Likeness:
    ending = terminal(history)
    return Likeness(
        kinds=_kinds(history),
        ending=_ending(history, ending),
        accepted=history.accepted is not None,
        expected=not (hindered or history.asked.fails or history.asked.silent),
        finished=ending is not None and ending.kind == Kind.COMPLETED,
        thinks=_thinks(history),
        whole=worth.whole,
        clean=worth.clean,
    )


def arrivals_ns(history: History) -> list[int]:
    """When the events of a run arrived."""
    stretches = history.stretches
    if not stretches:
        return list(map(arrival_ns, history.events))
    if len(stretches) == 1:
        return [arrival_ns(stretches[0])] * len(stretches[0].forms)
    arrivals: list[int] = []
    for stretch in stretches:
        arrivals += [stretch.kernel_ns or stretch.at_ns] * len(stretch.forms)
    return arrivals


def _kinds(history: History) -> bytes:
    if history.stretches:
        return b"".join([stretch.forms for stretch in history.stretches]).translate(KINDS)
    events = [received.event for received in history.events]
    if history.plain:
        return bytes([event.kind for event in events])
    seen: set[int] = set()
    kinds = []
    for event in events:
        again = event.kind == Kind.PARTIAL and event.seq in seen
        kinds.append(Kind.WORK if again else event.kind)
        if event.kind == Kind.PARTIAL and event.seq:
            seen.add(event.seq)
    return bytes(kinds)


def _thinks(history: History) -> bool:
    if history.stretches:
        forms = b"".join([stretch.forms for stretch in history.stretches])
        return all(form in forms for form in PIPELINE)
    return {received.event.step for received in history.events if received.event.pipeline} >= _EVERY_STEP


def _ending(history: History, ending: Event | None) -> str:
    if history.end is End.ABANDONED:
        return "abandoned"
    if history.end is End.REFUSED:
        return "refused"
    if history.asked.silent and history.ended_ns:
        return "silent"
    if ending is None:
        return "never settled"
    return "completed" if ending.kind == Kind.COMPLETED else f"ended in {ending.status or 'error'}"
