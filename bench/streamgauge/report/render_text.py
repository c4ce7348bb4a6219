"""A report for a terminal: what one wants to know stands at the end, the verdict last."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from streamgauge.core.finding import Outcome
from streamgauge.core.threshold import Level, ThresholdResult
from streamgauge.report import quantity, reach, tables, wording
from streamgauge.report.model import Report
from streamgauge.report.table import Table

WIDTH: Final = 100
MOST_FINDINGS: Final = 3  # of each rule
MOST_LINES: Final = 20  # of any other list
_CELL: Final = 36
_NARROW: Final = 4  # columns of the attacks: what is sent would not fit
_QUANTILES: Final = (0.5, 0.99)
_COLOUR: Final = {Outcome.PASS: "\x1b[32m", Outcome.FAIL: "\x1b[31m", Outcome.UNKNOWN: "\x1b[33m"}
_PLAIN: Final = "\x1b[0m"


def render_text(report: Report, *, path: str = "", colour: bool = False) -> str:
    """The report in lines of at most `WIDTH` columns; `path`, where all of it lies, is never cut."""

    def paint(line: str, outcome: Outcome) -> str:
        return f"{_COLOUR[outcome]}{line}{_PLAIN}" if colour else line

    head, *rules = _table(tables.rules(report))
    word = report.outcome.upper()
    limits, *held = _table(tables.thresholds(report))
    lines = [
        *_wrapped(wording.title(report)),
        "",
        head,
        *(
            paint(line, v.outcome) if v.found else line
            for line, v in zip(rules, report.verdicts, strict=True)
        ),
        "",
        *_table(tables.figures(report))[1:],
        "",
        *_table(tables.durations(report, tables.FIRST_METRICS, _QUANTILES)),
        *_attacks(report),
        *(["", *_table(costs)] if (costs := tables.overhead(report)).rows else []),
        *(["", limits] if held else []),
        *(
            paint(line, _weight(of)) if of.outcome is not Outcome.PASS else line
            for line, of in zip(held, report.thresholds, strict=True)
        ),
        *_findings(report),
        *_leaks(report),
        *(["", *_table(lost)] if (lost := reach.losses(report)).rows else []),
        *_list("faults that the server committed on purpose", [*map(wording.fault, report.faults)]),
        *_list("control: what was seeded beside the run", wording.control(report.control)),
        *_list("doubts", [*map(wording.advised, report.doubts)]),
        *_list("cut for size", report.cuts),
        *(_list("why", report.reasons) if len(report.reasons) > 1 else []),
        "",
        *(_wrapped(wording.overhead(report.overhead)) if report.overhead else []),
        *([f"report  {wording.visible(path)}"] if path else []),
        f"{paint(word, report.outcome)}  {wording.verdict(report, WIDTH - len(word) - 2)}",
    ]
    return "\n".join(lines) + "\n"


def _attacks(report: Report) -> Iterator[str]:
    if of := report.attack:
        yield ""
        table = tables.attacks(report)
        rows = tuple(tuple(wording.short(cell, _CELL) for cell in row[:_NARROW]) for row in table.rows)
        yield from _table(Table(table.head[:_NARROW], rows))
        if of.telling:
            yield ""
            yield from _wrapped(f"isolation-timing: {wording.telling(of.telling)}")


def _weight(of: ThresholdResult) -> Outcome:
    """What a threshold does to the outcome, as a colour: a warning is no failure."""
    return of.outcome if of.threshold.level is Level.FAIL else Outcome.UNKNOWN


def _findings(report: Report) -> Iterator[str]:
    for verdict in report.verdicts:
        if not verdict.found:
            continue
        yield ""
        yield f"{verdict.rule}: {quantity.some(verdict.found, 'finding')}"
        for found in verdict.findings[:MOST_FINDINGS]:
            yield from _wrapped(wording.identified(found), "  ")
            if said := wording.at(found, report):
                yield f"    {said}"
            if found.witnesses:
                yield from (f"    {line}"[:WIDTH] for line in _table(tables.witnesses(found, report)))
            if found.theirs:
                yield from _wrapped(wording.theirs(found), "    ")
                yield from (f"    {line}"[:WIDTH] for line in _table(tables.theirs(found, report)))
        if more := wording.more(verdict, MOST_FINDINGS):
            yield f"  {more}"


def _leaks(report: Report) -> list[str]:
    table = reach.leaks(report, MOST_LINES)
    if not table.rows:
        return []
    left_out = reach.leaks_left_out(report.leaks, MOST_LINES)
    return ["", *_table(table), *([f"  {left_out}"] if left_out else [])]


def _list(title: str, items: Sequence[str]) -> list[str]:
    """A titled list; empty where there is nothing."""
    if not items:
        return []
    lines = ["", title]
    for item in items[:MOST_LINES]:
        first, *rest = _wrapped(item, "    ")
        lines += [f"  - {first[4:]}", *rest]
    if len(items) > MOST_LINES:
        lines.append(f"  … and {quantity.count(len(items) - MOST_LINES)} more in report.json")
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(
        wording.visible(text), WIDTH, initial_indent=indent, subsequent_indent=indent, max_lines=4
    ) or [indent]


def _table(table: Table) -> list[str]:
    """The head and the rows, in columns; what is too wide is cut."""
    rows = [tuple(wording.visible(cell) for cell in row) for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        wording.short(
            "  ".join(
                cell.rjust(width) if place in table.right else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip(),
            WIDTH,
        )
        for row in rows
    ]
