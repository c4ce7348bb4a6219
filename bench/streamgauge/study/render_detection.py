"""What a selftest found, for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from streamgauge.core.finding import Outcome
from streamgauge.report import wording
from streamgauge.study.clean_runs import CleanRun, rate_bound
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import LATER, ROWS
from streamgauge.study.selftest import Result, outcome

_CELL: Final = {Outcome.PASS: "found", Outcome.FAIL: "MISSED", Outcome.UNKNOWN: "UNKNOWN"}
_CLEAN: Final = {Outcome.PASS: "clean", Outcome.FAIL: "FALSE ALARM", Outcome.UNKNOWN: "unknown"}
_VERDICT: Final = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.UNKNOWN: "INCONCLUSIVE"}
_NOTHING: Final = "–"


def render_list() -> str:
    """The faults, and what must find each."""
    rows = [
        [row.number, row.name, " or ".join(row.must) or f"doubt {row.doubt}", ", ".join(row.may) or _NOTHING]
        for row in ROWS
    ]
    lines = _laid_out([["", "fault", "must fail", "may fail"], *rows])
    later = (f"{name}: {why}" for name, why in LATER.items())
    return "\n".join([*lines, "", *later, ""])


def told(result: Result, n: int, of: int, left_s: float) -> str:
    """One line of progress."""
    said = _cell(result) if isinstance(result, Cell) else _clean(result)
    return f"{n:4} of {of}  {said}  ({wording.round_duration(round(left_s) * 10**9)} left)"


def render_text(results: Sequence[Result]) -> str:
    """Everything that is not as it should be, and the verdict last."""
    return "\n".join([*_lines(results), ""])


def _lines(results: Sequence[Result]) -> Iterator[str]:
    cells = [result for result in results if isinstance(result, Cell)]
    clean = [result for result in results if isinstance(result, CleanRun)]
    yield from _laid_out([["fault", "rate", "", "struck", "chances", "found by"], *map(_row, cells)])
    yield ""
    for result in results:
        if result.outcome is not Outcome.PASS:
            yield _cell(result) if isinstance(result, Cell) else _clean(result)
    passed = [run for run in clean if run.outcome is Outcome.PASS]
    found = sum(cell.outcome is Outcome.PASS for cell in cells)
    yield (
        f"{_VERDICT[outcome(results)]}  {found} of {len(cells)} cells found as their rows say; "
        f"{sum(run.outcome is Outcome.FAIL for run in clean)} false alarms in {len(clean)} clean runs"
        + (f" (at most {wording.percent(rate_bound(clean))}, 95 %)" if len(passed) == len(clean) > 0 else "")
    )


def _row(cell: Cell) -> list[str]:
    struck, chances = (_NOTHING if n is None else f"{n:,}" for n in (cell.struck, cell.chances))
    return [cell.fault, wording.percent(cell.rate), _CELL[cell.outcome], struck, chances, found_by(cell)]


def found_by(cell: Cell) -> str:
    """The rules that failed, each with how many findings it has."""
    return ", ".join(f"{rule} {found:,}" for rule, found in cell.failed.items()) or _NOTHING


def _cell(cell: Cell) -> str:
    why = f": {'; '.join(cell.why)}" if cell.why else f", {cell.struck} strikes: {found_by(cell)}"
    return f"{cell.fault} at {wording.percent(cell.rate)}: {_CELL[cell.outcome]}{why}"


def _clean(run: CleanRun) -> str:
    why = f": {'; '.join(run.why)}" if run.why else f", {run.events:,} events"
    return f"run {run.number + 1} ({run.trouble}): {_CLEAN[run.outcome]}{why}"


def _laid_out(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
