"""A report as GitHub-flavoured Markdown: report.md, and a job's step summary."""

from collections.abc import Iterable, Iterator
from typing import Final

from streamgauge.report import quantity, reach, tables, wording
from streamgauge.report.measurements import QUANTILES
from streamgauge.report.model import Report
from streamgauge.report.table import Table

MOST_BYTES: Final = 1_000_000  # GitHub takes 1,024 KiB for a step's summary
MOST_FINDINGS: Final = 3  # of each rule
MOST_ITEMS: Final = 100  # of any other list
_SENTENCE: Final = 1_000
_CUT: Final = "*The rest was left out for its size: see report.json.*\n"

# Everything that begins a construct, an HTML tag, a mention or a link.
_ESCAPES: Final = str.maketrans(
    {char: f"\\{char}" for char in "\\`*_{}[]#|~$^"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
)


def render_markdown(report: Report) -> str:
    """The report, the verdict first; what does not fit is left out at the end, and that is said."""
    kept: list[str] = []
    size = len(_CUT)
    for block in _blocks(report):
        size += len(block.encode()) + 1
        if size > MOST_BYTES:
            kept.append(_CUT)
            break
        kept.append(block)
    return "\n".join(kept)


def escaped(text: str) -> str:
    """The text as Markdown shows it literally, on one line."""
    text = wording.visible(text).translate(_ESCAPES)
    return text.replace("://", "&#58;//").replace("www.", "www&#46;")


def _blocks(report: Report) -> Iterator[str]:
    """Titles, lists and tables, each with a line break at its end."""
    title = f"{report.outcome.upper()} {report.scenario}".rstrip()
    yield f"# {escaped(title)}\n"
    yield f"{escaped(wording.verdict(report, _SENTENCE))}\n"
    if report.cut_short:
        yield "**The run was cut short**: what was seen until then was judged.\n"
    yield from _list("Why", report.reasons)
    yield from _list("Doubts", map(wording.advised, report.doubts))
    yield from _titled("Figures", tables.figures(report))
    yield from _titled("Thresholds", tables.thresholds(report))
    yield from _titled("Rules", tables.rules(report))
    yield from _titled("Attacks", tables.attacks(report))
    if report.attack and report.attack.telling:
        yield f"isolation-timing, without a verdict: {escaped(wording.telling(report.attack.telling))}.\n"
    if any(duration.doubtful for duration in report.durations):
        yield "**The times marked as doubtful may not be trusted**: see the doubts.\n"
    names = [duration.name for duration in report.durations]
    yield from _titled("Bounds", reach.bounds(report))
    yield from _titled("Times", tables.durations(report, names, QUANTILES, every_interval=True))
    yield from _titled("Streams", tables.chunk_rates(report))
    yield from _overhead(report)
    yield from _findings(report)
    yield from _titled("Leaks, by sender and receiver", reach.leaks(report, MOST_ITEMS))
    if left_out := reach.leaks_left_out(report.leaks, MOST_ITEMS):
        yield f"{escaped(left_out)}\n"
    yield from _titled("Losses", reach.losses(report))
    yield from _list("Faults that the server committed on purpose", map(wording.fault, report.faults))
    yield from _list("Control: what was seeded beside the run", wording.control(report.control))
    yield from _titled("Workers", tables.workers(report, MOST_ITEMS))
    yield from _titled("Environment", tables.environment(report, MOST_ITEMS))
    yield from _list("Recordings", report.recordings)
    yield from _list("Left out for size", report.cuts)


def _overhead(report: Report) -> Iterator[str]:
    if of := report.overhead:
        yield from _titled("Emission overhead", tables.overhead(report))
        blocks = f"{quantity.some(of.blocks, 'block')}, {quantity.some(of.runs, 'run')}"
        yield f"{escaped(wording.overhead(of))}: {blocks}, {quantity.count(of.left_out)} left out.\n"


def _findings(report: Report) -> Iterator[str]:
    failing = [verdict for verdict in report.verdicts if verdict.found]
    if failing:
        yield "## Findings\n"
    for verdict in failing:
        yield f"### {escaped(verdict.rule)}: {quantity.some(verdict.found, 'finding')}\n"
        for found in verdict.findings[:MOST_FINDINGS]:
            yield f"Finding {escaped(wording.identified(found))}\n"
            if said := wording.at(found, report):
                yield f"{escaped(said)}\n"
            if found.witnesses:
                yield _table(tables.witnesses(found, report))
            if found.theirs:
                yield f"{escaped(wording.theirs(found))}\n"
                yield _table(tables.theirs(found, report))
        if more := wording.more(verdict, MOST_FINDINGS):
            yield f"{escaped(more)}\n"


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    items = tuple(items)
    if not items:
        return
    yield f"## {title}\n"
    lines = [f"- {escaped(item)}\n" for item in items[:MOST_ITEMS]]
    if len(items) > MOST_ITEMS:
        lines.append(f"- … and {quantity.count(len(items) - MOST_ITEMS)} more in report.json\n")
    yield "".join(lines)


def _titled(title: str, table: Table) -> Iterator[str]:
    if table.rows:
        yield f"## {title}\n"
        yield _table(table)


def _table(table: Table) -> str:
    ruler = tuple("---:" if place in table.right else "---" for place in range(len(table.head)))
    head, *rows = (tuple(map(escaped, row)) for row in (table.head, *table.rows))
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ruler, *rows))
