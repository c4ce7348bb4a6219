"""The page of what the suite detects (docs/detection.md), from the results of a whole selftest."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from streamgauge.core.finding import Outcome
from streamgauge.core.interval import zero_upper_bound
from streamgauge.report import quantity
from streamgauge.report.model import Environment
from streamgauge.study.clean_runs import LEAST_EVENTS, CleanRun, rate_bound
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import LATER, LEAST_CHANCES, LOW_RATE, ROWS, Row
from streamgauge.study.mutation import Mutation
from streamgauge.study.power import ENOUGH, MUST, Point, least_caught
from streamgauge.study.render_selftest import CELL, NOTHING, found_by
from streamgauge.study.selftest import Result

_HEAD: Final = """\
# What is detected, how rarely, and what is not

A checker that was never seen to fail proves nothing. `streamgauge selftest` has the reference server \
commit every [fault](faults.md) on purpose, mutates correct recordings, and watches a correct server \
under harmless troubles. This page is written by it:

```
streamgauge selftest --docs docs/detection.md
```
"""
_MATRIX: Final = """\
## Each fault alone

One short run a fault and rate, against a server of its own. *Found* is a fault only where it struck, a \
rule of its row failed and showed a witness, no rule outside [its row](faults.md) failed, and \
`streamgauge check` drew the same verdict from the recording. A run at {rate} offers at least \
{chances:,} chances. Behind each rule stands how many findings it has.
"""
_POWER: Final = """\
## How rare a fault would still be caught

Recordings of correct runs, mutated event by event with a chance, and judged again as `streamgauge \
check` does: {recordings:,} for each point. A mutation is *caught* where the rule that must fail does; \
{struck} A rare fault is missed where it does not happen while one looks: in a recording of *n* events a \
rate *p* does not strike at all in (1 − *p*)ⁿ of cases (dashed). So the size of the load decides how \
rare a fault may be.

The mutations are made in recorded rows, behind the reader, the search for canaries and the hashing: those \
are exercised end to end by the faults above. A rate is a share of all events, while some mutations strike \
few kinds of them, as a corruption the parts of answers alone: of these a larger share than the rate is \
struck.

![Share of recordings caught, by rate and size]({plot})
"""
_POINTS: Final = "All points, with 95 % intervals (Wilson's):"
_ALARMS: Final = """\
## False alarms

Runs of a correct server of at least {events:,} events each, under what may trouble a checker and is no \
fault. {said}
"""
_BEYOND: Final = """\
## What cannot be caught

* What does not happen while one looks: see the rates above. A run that saw no leak states its own bound \
([reports](report.md)).
* A leak of bytes that bear no canary, no id of a run, and no user's id: nothing tells whose they are.
* A leak in what is not searched: in a message beyond twice the size limit, which is refused unread, and \
in what else [the contract](contract.md#between-users) names; and one by a canary that is written \
otherwise (base64, compressed) or split over messages.
* What never reaches a socket that the suite opened: the suite reads what its own users receive, and the \
server's metrics.
* The end of a run whose user left for good: what arrived is judged, the rest is counted as abandoned.
* How late something was, where the generator itself was late: that is a [doubt](doubts.md), and its \
verdict unknown.
* Whether 'not yours' can be told from 'does not exist' by time alone has no verdict.
"""


def render_detection(results: Sequence[Result], where: Environment, code: str, plot: str) -> str:
    """The whole page; `plot` is the name of the picture beside it, `code` the digest of what was tested."""
    cells = {(result.fault, result.rate): result for result in results if isinstance(result, Cell)}
    points = [result for result in results if isinstance(result, Point)]
    clean = [result for result in results if isinstance(result, CleanRun)]
    made = f"{where.cpu or where.machine}, {where.cores} cores, Python {where.python}"
    parts = [
        _HEAD,
        f"The figures are of the code `{code}`, on {made}.\n",
        _MATRIX.format(rate=quantity.percent(LOW_RATE), chances=LEAST_CHANCES),
        _matrix(cells),
        *_wrong("Not as it should be", [cell for cell in cells.values() if cell.outcome is not Outcome.PASS]),
        f"Later come: {'; '.join(f'{name} ({why})' for name, why in LATER.items())}.\n",
        _POWER.format(recordings=max(p.recordings for p in points), struck=_struck(points), plot=plot),
        _least(points),
        _POINTS + "\n",
        _every_point(points),
        _ALARMS.format(events=LEAST_EVENTS, said=_alarms(clean)),
        _troubles(clean),
        *_unknown(clean),
        _BEYOND,
    ]
    return "\n".join(parts)


def _matrix(cells: dict[tuple[str, float], Cell]) -> str:
    low = quantity.percent(LOW_RATE)
    head = ["", "fault", "must fail", "at rate 1", "by", f"at {low}", "by"]
    rows = []
    for row in ROWS:
        both = [_cell(row, rate, cells.get((row.name, rate))) for rate in (1, LOW_RATE)]
        must = " or ".join(f"`{rule}`" for rule in row.must) or f"doubt `{row.doubt}`"
        rows.append([row.number, f"`{row.name}`", must, *both[0], *both[1]])
    return _table(head, rows)


def _cell(row: Row, rate: float, cell: Cell | None) -> list[str]:
    if cell is None:
        return ["no rate" if row.rare is None and rate < 1 else "not run", NOTHING]
    of = f" of {cell.chances:,}" if cell.chances is not None else ""
    struck = NOTHING if cell.struck is None else f"{cell.struck:,}{of}"
    return [f"{CELL[cell.outcome]}, struck {struck}", found_by(cell)]


def _wrong(title: str, cells: Sequence[Cell]) -> Iterator[str]:
    if cells:
        yield f"{title}:\n"
        for cell in cells:
            yield f"* `{cell.fault}` at {quantity.percent(cell.rate)}: {'; '.join(cell.why)}"
        yield ""


def _struck(points: Sequence[Point]) -> str:
    struck, caught = sum(point.struck for point in points), sum(point.caught for point in points)
    elsewhere = sum(point.elsewhere for point in points)
    beside = "no other rule failed" if not elsewhere else f"in {elsewhere:,} another rule failed"
    said = f"of the {struck:,} recordings in which one struck at all {caught:,} were caught, and {beside}"
    bound = f" (at most {_part(zero_upper_bound(struck))} are missed, 95 %)" if caught == struck else ""
    return f"{said}{bound}."


def _least(points: Sequence[Point]) -> str:
    """The smallest rate that is caught often enough, by mutation and size."""
    sizes = sorted({point.events for point in points})
    of = f"caught in {100 * ENOUGH:g} % of recordings of"
    head = ["one event in", *(f"{of} {size:,} events" for size in sizes)]
    rows = []
    for mutation in Mutation:
        own = [point for point in points if point.mutation is mutation]
        least = [least_caught([point for point in own if point.events == size]) for size in sizes]
        rows.append([f"{mutation} (`{MUST[mutation]}`)", *(_one_in(rate) for rate in least)])
    return _table(head, rows, right=range(1, len(head)))


def _every_point(points: Sequence[Point]) -> str:
    """A row a size and rate, a column a mutation."""
    head = ["events", "one event in", *Mutation]
    rows = []
    for (events, rate), each in groupby(_in_order(points), lambda point: (point.events, point.rate)):
        by = {point.mutation: point for point in each}
        rows.append([f"{events:,}", _one_in(rate), *(_share(by.get(mutation)) for mutation in Mutation)])
    return _table(head, rows, right=range(len(head)))


def _in_order(points: Iterable[Point]) -> list[Point]:
    return sorted(points, key=lambda point: (point.events, point.rate))


def _share(point: Point | None) -> str:
    if point is None:
        return NOTHING
    low, high = point.interval
    return f"{_part(point.caught / point.recordings)} ({100 * low:.0f}–{100 * high:.0f})"


def _part(share: float) -> str:
    return quantity.percent(share)


def _one_in(rate: float | None) -> str:
    return NOTHING if rate is None else f"{1 / rate:,.0f}"


def _alarms(clean: Sequence[CleanRun]) -> str:
    alarms = sum(run.outcome is Outcome.FAIL for run in clean)
    told = alarms + sum(run.outcome is Outcome.PASS for run in clean)
    said = f"**{alarms} false alarms in {told:,} runs**"
    bound = f": at most {_part(rate_bound(clean))} of such runs fail (95 %)" if not alarms else ""
    unknown = len(clean) - told
    return f"{said}{bound}." + (
        f" Another {unknown:,} were inconclusive, and are no pass." if unknown else ""
    )


def _troubles(clean: Sequence[CleanRun]) -> str:
    head = ["trouble", "runs", "events", "pass", "unknown", "false alarms"]
    rows = []
    for trouble in dict.fromkeys(run.trouble for run in clean):
        own = [run for run in clean if run.trouble == trouble]
        outcomes = (
            sum(run.outcome is outcome for run in own)
            for outcome in (Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL)
        )
        events = sum(run.events for run in own)
        rows.append([trouble, f"{len(own):,}", f"{events:,}", *(f"{n:,}" for n in outcomes)])
    return _table(head, rows, right=range(1, len(head)))


def _unknown(clean: Sequence[CleanRun]) -> Iterator[str]:
    """Why runs were not a pass."""
    other = [run for run in clean if run.outcome is not Outcome.PASS]
    for run in other:
        yield f"* run {run.number + 1} ({run.trouble}): {run.outcome}: {'; '.join(run.why)}"
    if other:
        yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    numbers = frozenset(right)
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)), ""])
