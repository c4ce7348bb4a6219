"""The instrument against a server whose delays are known: how far its quantiles are off.

What is true of an event is the server's `sent_ns - emitted_ns`; what the instrument says is
the kernel's stamp minus the same `emitted_ns`, and what another would say is the time of
the read minus it. All three are taken of the same events, those with an exact stamp.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from streamgauge.core.event import LAST_RUN_EVENT
from streamgauge.core.finding import Outcome, worst
from streamgauge.core.histogram import Histogram
from streamgauge.core.interval import least_sample
from streamgauge.core.observation import Observation, Received
from streamgauge.core.stretch import unfolded
from streamgauge.core.truth import Sent
from streamgauge.report.quantity import percent, some

GOAL_NS: Final = 100_000  # of the p99, either way
DECIDES: Final = 0.99
QUANTILES: Final = (0.5, 0.99, 0.999)
SPREAD: Final = (0.01, 0.5, 0.99, 0.999)  # of the errors of single events
_NEAR: Final = 0.25  # of the wanted processor share: as far off it is still that load
_MOST_CHANGE: Final = 8.0  # of the interval, from one pilot
_CLOCK_NS: Final = 1_000  # what the kernel's clock is brought over with, and to spare

Values = np.ndarray[tuple[int], np.dtype[np.int64]]


class Taken(Struct, frozen=True):
    """One load, as it was run: what the instrument recorded, and what the server wrote down.

    `wanted` is the share of a core that the generator was to take, None where none is;
    `cpu_s` is what it took. `remarks` are why the run proves nothing.
    """

    name: str
    wanted: float | None
    cpu_s: float
    rows: Sequence[Observation]
    truth: Sequence[Sent]
    remarks: tuple[str, ...] = ()


class Figure(Struct, frozen=True):
    """One quantile, in ns: the true one, and how far others are from it; None below `needs` events.

    `reported` is by the kernel's stamps as a report has it, out of a histogram; `stamp` is
    the same without its buckets; `read` is by the times of reading.
    """

    q: float
    needs: int
    true_ns: int | None = None
    reported: int | None = None
    stamp: int | None = None
    read: int | None = None


class Spread(Struct, frozen=True):
    """One quantile of the errors of single events, in ns; None below `needs` events."""

    q: float
    needs: int
    stamp: int | None = None
    read: int | None = None


class Load(Struct, frozen=True):
    """What the instrument is worth under one load.

    Of `events` that were read `exact` had an exact stamp and are known to the server;
    `unknown` had one and are not. `outside` were stamped before their `send` began or after
    it had returned.
    """

    name: str
    outcome: Outcome
    wanted: float | None
    cpu_share: float
    events: int
    exact: int
    unknown: int
    outside: int
    figures: tuple[Figure, ...]
    spread: tuple[Spread, ...]
    remarks: tuple[str, ...] = ()


class Calibration(Struct, frozen=True):
    """All loads, and the verdict over them."""

    outcome: Outcome
    loads: tuple[Load, ...]
    goal_ns: int = GOAL_NS


def events_of(rows: Sequence[Observation]) -> list[Received]:
    """The events of runs, each as one row."""
    return [row for row in unfolded(rows) if isinstance(row, Received) and row.event.kind <= LAST_RUN_EVENT]


def hold(taken: Taken) -> Load:
    """One load: pass where the p99 by kernel stamp is within the goal; unknown where that is not known."""
    events = events_of(taken.rows)
    stamped = [row for row in events if row.exact]
    pairs = _pairs(stamped, {(sent.run, sent.seq): sent for sent in taken.truth})
    emitted = _values([sent.emitted_ns for _, sent in pairs])
    sent = _values([sent.sent_ns for _, sent in pairs])
    returned = _values([sent.returned_ns for _, sent in pairs])
    kernel = _values([row.kernel_ns for row, _ in pairs])
    read = _values([row.at_ns for row, _ in pairs])
    share = cpu_share(taken.cpu_s, events)
    figures = _figures(sent - emitted, kernel - emitted, read - emitted)
    unknown = len(stamped) - len(pairs)
    remarks = (*taken.remarks, *_remarks(taken.wanted, share, unknown))
    return Load(
        name=taken.name,
        outcome=_judge(figures, remarks),
        wanted=taken.wanted,
        cpu_share=share,
        events=len(events),
        exact=len(pairs),
        unknown=unknown,
        outside=int(np.count_nonzero((kernel < sent - _CLOCK_NS) | (kernel > returned + _CLOCK_NS))),
        figures=figures,
        spread=_spread(kernel - sent, read - sent),
        remarks=remarks,
    )


def conclude(loads: Sequence[Load]) -> Calibration:
    """The verdict over all loads: the worst of theirs."""
    return Calibration(worst([load.outcome for load in loads]), tuple(loads))


def cpu_share(cpu_s: float, events: Sequence[Received]) -> float:
    """The share of a core that the generator took while events came; 0 where none did."""
    took_ns = events[-1].at_ns - events[0].at_ns if events else 0
    return cpu_s * 1e9 / took_ns if took_ns else 0.0


def is_near(reached: float, wanted: float, tolerance: float = _NEAR) -> bool:
    """Whether the two differ by no more than the part `tolerance` of what is wanted."""
    return abs(reached - wanted) <= tolerance * wanted


def next_interval(interval_s: float, reached: float, wanted: float) -> float:
    """The interval that takes the generator from the share `reached` to `wanted`.

    As if share and rate were in proportion, which they are only nearby: eightfold at most.
    """
    factor = reached / wanted
    return interval_s * min(max(factor, 1 / _MOST_CHANGE), _MOST_CHANGE)


def _pairs(rows: Sequence[Received], truth: Mapping[tuple[str, int], Sent]) -> list[tuple[Received, Sent]]:
    """Each event beside what its server says of it, where both say that it was emitted at the same time."""
    both = ((row, truth.get((row.event.run, row.event.seq))) for row in rows)
    return [(row, sent) for row, sent in both if sent and sent.emitted_ns == row.event.emitted_ns]


def _figures(true: Values, stamp: Values, read: Values) -> tuple[Figure, ...]:
    histogram = Histogram()
    for value in stamp.tolist():
        histogram.add(value)
    reported = histogram.distribution()
    figures = []
    for q in QUANTILES:
        needs = least_sample(q)
        if len(true) < needs or reported.n < needs:
            figures.append(Figure(q, needs))
            continue
        is_ns = _quantile(true, q)
        figures.append(
            Figure(
                q,
                needs,
                true_ns=is_ns,
                reported=reported.quantile(q) - is_ns,
                stamp=_quantile(stamp, q) - is_ns,
                read=_quantile(read, q) - is_ns,
            )
        )
    return tuple(figures)


def _spread(stamp: Values, read: Values) -> tuple[Spread, ...]:
    return tuple(
        Spread(q, needs, _quantile(stamp, q), _quantile(read, q)) if len(stamp) >= needs else Spread(q, needs)
        for q, needs in ((q, least_sample(q)) for q in SPREAD)
    )


def _quantile(values: Values, q: float) -> int:
    """The smallest value that at least the share `q` does not exceed, as of a histogram."""
    place = max(1, math.ceil(q * len(values))) - 1
    return int(np.partition(values, place)[place])


def _values(numbers: list[int]) -> Values:
    return np.array(numbers, dtype=np.int64)


def _remarks(wanted: float | None, reached: float, unknown: int) -> list[str]:
    remarks = []
    if wanted is not None and not is_near(reached, wanted):
        said = f"the generator took {percent(reached)} of its core and was to take {percent(wanted)}"
        remarks.append(f"{said}: see what else ran there, and whether the server kept its delays")
    if unknown:
        are = "is" if unknown == 1 else "are"
        remarks.append(f"{some(unknown, 'event')} {are} not what the server says it sent")
    return remarks


def _judge(figures: Sequence[Figure], remarks: Sequence[str]) -> Outcome:
    error = next(figure.stamp for figure in figures if figure.q == DECIDES)
    if error is not None and abs(error) > GOAL_NS:
        return Outcome.FAIL
    return Outcome.UNKNOWN if error is None or remarks else Outcome.PASS
