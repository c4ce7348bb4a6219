"""What a selftest found, for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from streamgauge.core.finding import Outcome
from streamgauge.report import quantity
from streamgauge.study.clean_runs import CleanRun, rate_bound
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import LATER, ROWS
from streamgauge.study.power import Point
from streamgauge.study.selftest import Base, Result, outcome

CELL: Final = {Outcome.PASS: "found", Outcome.FAIL: "MISSED", Outcome.UNKNOWN: "UNKNOWN"}
CLEAN: Final = {Outcome.PASS: "clean", Outcome.FAIL: "FALSE ALARM", Outcome.UNKNOWN: "unknown"}
_VERDICT: Final = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.UNKNOWN: "INCONCLUSIVE"}
NOTHING: Final = "–"


def render_list() -> str:
    """The faults, and what must find each."""
    rows = [
        [row.number, row.name, " or ".join(row.must) or f"doubt {row.doubt}", ", ".join(row.may) or NOTHING]
        for row in ROWS
    ]
    lines = _laid_out([["", "fault", "must fail", "may fail"], *rows])
    later = (f"{name}: {why}" for name, why in LATER.items())
    return "\n".join([*lines, "", *later, ""])


def told(result: Result, n: int, of: int, left_s: float) -> str:
    """One line of progress."""
    left = f"{left_s / 60:.0f} min" if left_s >= 100 else f"{left_s:.0f} s"
    return f"{n:4} of {of}  {_said(result)}  ({left} left)"


def render_text(results: Sequence[Result]) -> str:
    """Everything that is not as it should be, and the verdict last."""
    return "\n".join([*_lines(results), ""])


def _lines(results: Sequence[Result]) -> Iterator[str]:
    cells = [result for result in results if isinstance(result, Cell)]
    if cells:
        yield from _laid_out([["fault", "rate", "", "struck", "chances", "found by"], *map(_row, cells)])
        yield ""
    for result in results:
        if result.outcome is not Outcome.PASS:
            yield _said(result)
    yield f"{_VERDICT[outcome(results)]}  {'; '.join(_sums(results))}"


def _sums(results: Sequence[Result]) -> Iterator[str]:
    cells = [result for result in results if isinstance(result, Cell)]
    points = [result for result in results if isinstance(result, Point)]
    clean = [result for result in results if isinstance(result, CleanRun)]
    if cells:
        found = sum(cell.outcome is Outcome.PASS for cell in cells)
        yield f"{found} of {len(cells)} faults and rates found as their rows say"
    if points:
        struck, caught = sum(point.struck for point in points), sum(point.caught for point in points)
        yield f"{caught:,} of {struck:,} struck recordings caught"
    if clean:
        alarms = sum(run.outcome is Outcome.FAIL for run in clean)
        quiet = sum(run.outcome is Outcome.PASS for run in clean)
        unknown = len(clean) - alarms - quiet
        bound = "" if alarms else f" (at most {quantity.percent(rate_bound(clean))}, 95 %)"
        yield f"{alarms} false alarms in {alarms + quiet} clean runs{bound}" + (
            f" and {unknown} that tell nothing" if unknown else ""
        )


def _row(cell: Cell) -> list[str]:
    struck, chances = (NOTHING if n is None else f"{n:,}" for n in (cell.struck, cell.chances))
    return [cell.fault, quantity.percent(cell.rate), CELL[cell.outcome], struck, chances, found_by(cell)]


def found_by(cell: Cell) -> str:
    """The rules that failed, each with how many findings it has, and the doubt of the fault's row."""
    failed = (f"{rule} {found:,}" for rule, found in cell.failed.items())
    return ", ".join([*failed, *(f"doubt {name}" for name in cell.doubts)]) or NOTHING


def _said(result: Result) -> str:
    why = "; ".join(getattr(result, "why", ()))
    match result:
        case Cell():
            whence = "of" if result.failed else "after"  # a doubt has no number of findings
            said = why or f"{found_by(result)} {whence} {quantity.some(result.struck or 0, 'strike')}"
            return f"{result.fault} at {quantity.percent(result.rate)}: {CELL[result.outcome]}: {said}"
        case CleanRun():
            said = why or quantity.some(result.events, "event")
            return f"clean run {result.number + 1} ({result.trouble}): {CLEAN[result.outcome]}: {said}"
        case Base():
            return f"a recording to mutate: {why or quantity.some(result.events, 'event')}"
        case Point():
            of = f"{result.mutation} at {result.rate:g} in {quantity.some(result.events, 'event')}"
            beside = f", and {result.elsewhere} with another rule" if result.elsewhere else ""
            return f"{of}: {result.caught} of {result.struck} struck recordings caught{beside}"


def _laid_out(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
