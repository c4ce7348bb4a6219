"""A report as one HTML page that needs nothing else: no network, no script, no second file.

The page is well-formed XML too. Its style is allowed by its hash, and nothing
but it: what a server calls its runs is escaped (`markup`), and if it were not,
a browser would still run and load nothing.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from itertools import zip_longest
from typing import Final

from streamgauge.core.finding import Finding, Outcome, Verdict
from streamgauge.core.threshold import Level
from streamgauge.report import plot_memory, quantity, reach, tables, wording
from streamgauge.report.markup import Markup, joined, tag
from streamgauge.report.measurements import QUANTILES
from streamgauge.report.model import Report
from streamgauge.report.plot_percentiles import curves, legend, plot_percentiles
from streamgauge.report.plot_series import bin_seconds, plot_series
from streamgauge.report.style import STYLE
from streamgauge.report.table import Row, Table

MOST_FINDINGS: Final = 5  # of each rule
MOST_ITEMS: Final = 100  # of any other list
MOST_PART: Final = 30_000  # characters of any list or table, of which a page has two dozen
_SENTENCE: Final = 1_000
_BROAD: Final = 928  # pixels, of the two forms that every plot has
_NARROW: Final = 368
_CUT: Final = "The rest was left out for its size: see report.json."
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)


def render_html(report: Report) -> str:
    """The page, the verdict first."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{report.outcome.upper()} {report.scenario}".rstrip()),
        tag("style", Markup(STYLE)),
    )
    sections = (
        _validity(report),
        _thresholds(report),
        _rules(report),
        _section(
            "figures",
            "Shares and bounds",
            _table(tables.figures(report), _share_outcomes(report), marked=1),
            _table(reach.bounds(report), class_="tight"),
        ),
        _attacks(report),
        _percentiles(report),
        _times(report),
        _overhead(report),
        _series(report),
        _memory(report),
        _findings(report),
        _leaks(report),
        _section("losses", "Losses", _table(reach.losses(report))),
        _section(
            "faults", "Faults that the server committed on purpose", _list(map(wording.fault, report.faults))
        ),
        _section(
            "control", "Control: what was seeded beside the run", _list(wording.control(report.control))
        ),
        _environment(report),
    )
    main = tag("main", _banner(report), *sections)
    page = tag("html", head, tag("body", main, _footer(report)), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _banner(report: Report) -> Markup:
    """The verdict in a sentence, and why it is no pass."""
    short = "The run was cut short: what was seen until then was judged."
    about = [tag("span", part) for part in wording.title(report).split(" · ")]
    return tag(
        "header",
        tag("h1", _mark(report.outcome.upper(), report.outcome), tag("small", report.scenario)),
        tag("p", wording.verdict(report, _SENTENCE)),
        _list(report.reasons[1:]),
        tag("p", short) if report.cut_short else "",
        tag("p", Markup(" · ".join(about)), class_="about"),
        class_=f"banner {report.outcome}",
    )


def _validity(report: Report) -> Markup:
    """Whether all this may be trusted."""
    doubts = _list(map(wording.advised, report.doubts))
    return tag(
        "section",
        tag(
            "h2",
            f"Validity: {quantity.some(len(report.doubts), 'doubt')}" if doubts else "Validity: no doubts",
        ),
        doubts or tag("p", "Nothing that was measured about the measurement is beyond its limit."),
        _table(tables.workers(report, MOST_ITEMS), class_="tight"),
        id="validity",
        class_="box",
    )


def _thresholds(report: Report) -> Markup:
    """What was demanded; a warning changes no verdict and looks it."""
    looks = (
        of.outcome if of.outcome is Outcome.PASS or of.threshold.level is Level.FAIL else "warn"
        for of in report.thresholds
    )
    return _section(
        "thresholds", "Thresholds", _table(tables.thresholds(report), looks, marked=3, class_="tight")
    )


def _rules(report: Report) -> Markup:
    table = tables.rules(report)
    looks = [of.outcome if of.required or of.exercised or of.unknown else None for of in report.verdicts]
    rows = tuple(
        (*row[:-1], tag("a", row[-1], href=f"#{verdict.rule}") if verdict.found else row[-1])
        for row, verdict in zip(table.rows, report.verdicts, strict=True)
    )
    return _section("rules", "Rules", _table(table._replace(rows=rows), looks, marked=1))


def _attacks(report: Report) -> Markup:
    if report.attack is None:
        return Markup()
    table = _table(
        tables.attacks(report), [of.outcome for of in report.attack.attacks], marked=1, class_="tight"
    )
    telling = report.attack.telling
    said = tag("p", f"isolation-timing, without a verdict: {wording.telling(telling)}.") if telling else ""
    return _section("attacks", "Attacks", table, said)


def _share_outcomes(report: Report) -> list[Outcome | None]:
    outcomes = {part.name: part.outcome for part in report.shares}
    return [outcomes.get(row[0]) for row in tables.figures(report).rows]


def _percentiles(report: Report) -> Markup:
    shown = curves(report)
    plot = _plot(plot_percentiles(shown, _BROAD), plot_percentiles(shown, _NARROW))
    said = (
        "Bands are 95 % intervals. A line ends where its values are too few to carry the percentile. "
        "The marks are the quantiles of the table below."
    )
    if not plot:
        return _section("percentiles", "Latency by percentile", tag("p", "Too few values to be drawn."))
    figure = tag("figure", legend(shown), plot, tag("figcaption", said))
    return _section("percentiles", "Latency by percentile", figure)


def _times(report: Report) -> Markup:
    """Everything timed, and how fast answers streamed."""
    names = [duration.name for duration in report.durations]
    table = _table(tables.durations(report, names, QUANTILES, every_interval=True), class_="tight")
    said = "Counted from when a request was due, not from when it was sent. In brackets: 95 % intervals."
    rates = _table(tables.chunk_rates(report), class_="tight")
    return _section("times", "Times", tag("p", said), table, rates)


def _overhead(report: Report) -> Markup:
    if not (of := report.overhead):
        return Markup()
    said = f"{wording.overhead(of)}: {quantity.some(of.blocks, 'block')}, {quantity.some(of.runs, 'run')}."
    table = _table(tables.overhead(report), class_="tight")
    return _section("overhead", "Emission overhead", tag("p", said), table)


def _series(report: Report) -> Markup:
    plot = _plot(plot_series(report, _BROAD), plot_series(report, _NARROW))
    if not plot:
        return _section("series", "Events per second", tag("p", "No events were read."))
    said = ["The first and the last second are no whole ones."]
    if bin_seconds(report, _NARROW) > 1:
        said.append("A step of several seconds is their mean, in a band from the least to the most of them.")
    if any(verdict.findings for verdict in report.verdicts):
        said.append("Triangles mark the findings that are kept.")
    return _section("series", "Events per second", tag("figure", plot, tag("figcaption", " ".join(said))))


def _memory(report: Report) -> Markup:
    broad, narrow = (plot_memory.plot_memory(report, width) for width in (_BROAD, _NARROW))
    if not broad:
        return Markup()
    figure = tag("figure", plot_memory.legend(report), _plot(broad, narrow))
    return _section("memory", "Resident memory", figure)


def _findings(report: Report) -> Markup:
    """Leaks first, as among the reasons."""
    broken = [verdict for verdict in report.verdicts if verdict.found]
    broken.sort(key=lambda verdict: verdict.rule not in wording.ISOLATION)
    return _section("findings", "Findings", *(_of_rule(verdict, report) for verdict in broken))


def _leaks(report: Report) -> Markup:
    left_out = reach.leaks_left_out(report.leaks, MOST_ITEMS)
    return _section(
        "leaks",
        "Leaks, by sender and receiver",
        _table(reach.leaks(report, MOST_ITEMS), class_="tight"),
        tag("p", left_out, class_="more") if left_out else "",
    )


def _of_rule(verdict: Verdict, report: Report) -> Markup:
    shown = (
        _finding(found, report, is_open=place == 0)
        for place, found in enumerate(verdict.findings[:MOST_FINDINGS])
    )
    return joined(
        (
            tag("h3", f"{verdict.rule}: {quantity.some(verdict.found, 'finding')}", id=verdict.rule),
            _fitting(shown, tag("p", _CUT)),
            tag("p", more, class_="more") if (more := wording.more(verdict, MOST_FINDINGS)) else "",
        )
    )


def _finding(found: Finding, report: Report, *, is_open: bool) -> Markup:
    names = tables.finding(found, report).rows
    witnesses = tables.witnesses(found, report)
    looks = [Outcome.FAIL if row[0] else None for row in witnesses.rows]
    named = tuple(("guilty" if row[0] else "", *row[1:]) for row in witnesses.rows)
    theirs = tables.theirs(found, report)
    return tag(
        "details",
        tag("summary", wording.identified(found)),
        tag("ul", *(tag("li", tag("small", name), value) for name, value in names), class_="names"),
        _table(witnesses._replace(rows=named), looks, marked=0, class_="tight"),
        tag("p", wording.theirs(found)) if theirs.rows else "",
        _table(theirs, class_="tight"),
        open="open" if is_open else "",
    )


def _environment(report: Report) -> Markup:
    table = tables.environment(report, MOST_ITEMS)
    table = table._replace(rows=tuple(row for row in table.rows if row[0] != "command"))
    return _section(
        "environment",
        "Environment",
        _table(table, class_="facts"),
        tag("h3", "Plan"),
        _table(tables.plan(report, MOST_ITEMS), class_="facts"),
        tag("h3", "Command to repeat the run"),
        tag("pre", tag("code", report.environment.command)),
    )


def _footer(report: Report) -> Markup:
    return tag(
        "footer",
        tag("p", "All of this, with every kept finding and the whole distributions, is in report.json."),
        _list(f"Recording: {recording}" for recording in report.recordings),
        _list(f"Left out for size: {cut}" for cut in report.cuts),
    )


def _section(name: str, title: str, *parts: str) -> Markup:
    """A titled part of the page; nothing where it has nothing to show."""
    return tag("section", tag("h2", title), *parts, id=name) if any(parts) else Markup()


def _plot(broad: Markup, narrow: Markup) -> Markup:
    """Both forms of a plot, of which the width of the window shows one."""
    if not broad:
        return Markup()
    return joined((tag("div", broad, class_="plot broad"), tag("div", narrow, class_="plot narrow")))


def _mark(words: str, look: str) -> Markup:
    """Words in the colour and behind the sign of an outcome; what they have in brackets stands below."""
    words, bracket, rest = words.partition(" (")
    return joined((tag("span", words, class_=f"mark {look}"), tag("small", f"({rest}") if bracket else ""))


def _table(table: Table, looks: Iterable[str | None] = (), *, marked: int = -1, class_: str = "") -> Markup:
    """A table; its rows look like an outcome or a warning, with its sign in the column `marked`."""
    if not table.rows:
        return Markup()
    head = (_cell("th", name, place, table, scope="col") for place, name in enumerate(table.head))
    rows = (_row(row, look, marked, table) for row, look in zip_longest(table.rows, looks))
    return tag(
        "div",
        tag(
            "table",
            "" if class_ == "facts" else tag("thead", tag("tr", *head)),
            tag("tbody", _fitting(rows, tag("tr", tag("td", _CUT, colspan=len(table.head))))),
            class_=class_,
        ),
        class_="wide",
    )


def _row(row: Row, look: str | None, marked: int, table: Table) -> Markup:
    """A row, whose first cell is its title if it is not the marked one."""
    first, *others = (
        _mark(cell, look) if look and cell and place == marked else cell for place, cell in enumerate(row)
    )
    return tag(
        "tr",
        tag("td", first) if marked == 0 else _cell("th", first, 0, table, scope="row"),
        *(_cell("td", cell, place, table) for place, cell in enumerate(others, 1)),
        class_=look,
    )


def _cell(name: str, words: str, place: int, table: Table, scope: str = "") -> Markup:
    """A cell; what a number has in brackets stands below it."""
    if place in table.right and not isinstance(words, Markup):
        words, bracket, rest = words.partition(" (")
        words = joined((tag("b", words), tag("small", f"({rest}"))) if bracket else words
    return tag(name, words, scope=scope, class_="right" if place in table.right else "")


def _list(items: Iterable[str]) -> Markup:
    items = tuple(items)
    if not items:
        return Markup()
    more = f"… and {quantity.count(len(items) - MOST_ITEMS)} more in report.json"
    shown = (tag("li", item) for item in items[:MOST_ITEMS])
    return tag("ul", _fitting(shown, tag("li", _CUT)), tag("li", more) if len(items) > MOST_ITEMS else "")


def _fitting(parts: Iterable[Markup], rest: Markup) -> Markup:
    """As many parts as fit, and `rest` where that is not all."""
    kept: list[Markup] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > MOST_PART:
            return joined((*kept, rest))
        kept.append(part)
    return joined(kept)
