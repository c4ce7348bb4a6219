"""Stretches: the plain events of one run that one read brought, kept as columns.

Nearly everything that a server says under load is plain: the next event of a run, well
formed, of the reader's own user. To make an object of each, and to show it to every rule,
costs more than all the rest; so a compiled reader may hand over a whole read's worth of
them at once. A stretch says neither more nor less than the rows that `unfold` makes of it.

A form is a byte: the kind in its low three bits (`Kind` up to COMPLETED), above it what
the rules about the order of events read: of a thought twice its step, and one more where
it is the pipeline's; of a tool's event the place of its call among the stretch's `calls`,
and of its end eight times the place of its status in `STATUS`.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Observation, Received, Stretch

KIND_BITS: Final = 3
MOST_CALLS: Final = 8  # in one stretch
_PART_BYTES: Final = array("I").itemsize
STATUS: Final = ("success", "error", "timeout", "cancelled")

# From a form to its kind, for bytes.translate.
KINDS: Final = bytes(form & (1 << KIND_BITS) - 1 for form in range(256))
PIPELINE: Final = tuple(Kind.THINKING | (2 * step + 1) << KIND_BITS for step in (1, 2, 3))
"""The forms of the pipeline's three thoughts."""


def unfolded(rows: Iterable[Observation]) -> Iterator[Observation]:
    """The same rows, with those of each stretch in its place."""
    for row in rows:
        if isinstance(row, Stretch):
            yield from unfold(row)
        else:
            yield row


def unfold(stretch: Stretch) -> list[Received]:
    """The rows that a stretch stands for, its run's acceptance first where that is part of it."""
    sizes, emitted = array("I", stretch.sizes), array("q", stretch.emitted)
    parts = iter(enumerate(array("I", stretch.parts), stretch.index))
    last = len(stretch.forms) - 1
    return [
        *_acceptance(stretch),
        *(
            Received(
                stretch.conn,
                stretch.at_ns,
                stretch.kernel_ns,
                stretch.exact and place == last,
                sizes[place],
                _event(stretch, form, place, emitted[place], parts),
            )
            for place, form in enumerate(stretch.forms)
        ),
    ]


def _acceptance(stretch: Stretch) -> Iterator[Received]:
    if stretch.accepted:
        accepted = Event(Kind.ACCEPTED, run=stretch.run, thread=stretch.thread, request=stretch.request)
        yield Received(stretch.conn, stretch.at_ns, stretch.kernel_ns, False, stretch.accepted, accepted)


def _event(
    stretch: Stretch, form: int, place: int, emitted_ns: int, parts: Iterator[tuple[int, int]]
) -> Event:
    kind, detail = form & (1 << KIND_BITS) - 1, form >> KIND_BITS
    opens = kind in (Kind.STARTED, Kind.COMPLETED)
    ends = kind == Kind.COMPLETED
    calls = kind in (Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED)
    index, size = next(parts) if kind == Kind.PARTIAL else (-1, 0)
    return Event(
        kind,
        stretch.user,
        stretch.run,
        stretch.thread,
        stretch.agent,
        stretch.request if opens else "",
        stretch.seq + place,
        stretch.offset + place,
        emitted_ns,
        stretch.clock,
        kind == Kind.THINKING and detail & 1 == 1,
        detail >> 1 if kind == Kind.THINKING else 0,
        stretch.calls[detail % MOST_CALLS] if calls else "",
        STATUS[detail // MOST_CALLS] if kind == Kind.TOOL_COMPLETED else "",
        index,
        size,
        stretch.context if opens else "",
        stretch.answer if ends else "",
        stretch.joined if ends else "",
    )


def form_of(stretches: Sequence[Stretch]) -> bytes | None:
    """The forms of the events of a run that these stretches are, in a row.

    None where they do not tell runs of different order apart: where parts do not go 0, 1, 2 …,
    or a stretch numbers a call otherwise than the run does.
    """
    if len(stretches) == 1 and stretches[0].index <= 0:
        return stretches[0].forms  # as the loop would find, too
    calls: dict[str, int] = {}
    parts = 0
    for stretch in stretches:
        for place, call in enumerate(stretch.calls):
            if calls.setdefault(call, len(calls)) != place:
                return None
        if stretch.parts:
            if stretch.index != parts:
                return None
            parts += len(stretch.parts) // _PART_BYTES
    return b"".join([stretch.forms for stretch in stretches])
