"""A search for the capacity in words: every step, the cost model, what was asked for, the verdict last."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from streamgauge.core.cost_model import FIXED, PER_EVENT, PER_USER, Costs, Estimate
from streamgauge.core.finding import Outcome
from streamgauge.core.threshold import ThresholdResult
from streamgauge.report import quantity, wording
from streamgauge.report.render_markdown import escaped
from streamgauge.report.table import Row, Table
from streamgauge.study.capacity import Capacity, End, Result, Search, Step
from streamgauge.study.capacity_forecast import Forecast, Model

# The history of the schema, newest first:
# 1: first form.
SCHEMA: Final = 1
MARK: Final = {Result.KEPT: "+", Result.TARGET: "−", Result.REFUSALS: "−"}  # of others: "?"
_WHY: Final = 160  # characters of a reason in a table
_LIMITS: Final = {
    Result.TARGET: "the target limits it",
    Result.REFUSALS: "refusals limit it",
    Result.GENERATOR: "the generator limits it, not the target",
}
_BYTES: Final = (("GB", 1e9), ("MB", 1e6), ("KB", 1e3))

Written = Callable[[float], str]


class Study(Struct, frozen=True, kw_only=True):
    """A whole search; `capacity.json` is its encoding."""

    schema: int = SCHEMA
    scenario: str
    command: str
    search: Search
    steps: tuple[Step, ...]
    purposes: tuple[str, ...]  # of the steps
    quiet: tuple[Step, ...] = ()  # with fewer events a user: they speak of costs, not of the capacity
    capacity: Capacity
    ended: str  # why the search is over
    model: Model
    forecast: Forecast | None = None


def render_text(of: Study, *, path: str = "") -> str:
    """Everything, for a terminal."""
    lines = [*_laid_out(steps_table(of)), "", *tries(of.steps)]
    lines += ["", *_laid_out(costs_table(of.model)), *remarks(of.model)]
    if of.forecast:
        lines += ["", beyond(of.forecast, of.model), *_laid_out(needs_table(of.forecast))[1:]]
    lines += ["", *([f"report  {path}"] if path else []), verdict(of)]
    return "\n".join([*map(wording.visible, lines), ""])


def render_markdown(of: Study) -> str:
    """The same, the verdict first."""
    parts = [f"# {escaped(verdict(of))}", _cells(steps_table(of))]
    whys = [f"- step {n}: {escaped(step.why)}" for n, step in enumerate(of.steps, 1) if step.why]
    if whys:
        parts += ["## Why steps did not keep the thresholds", "\n".join(whys)]
    parts += ["## Tries by number of users", "\n".join(["```", *tries(of.steps), "```"])]
    parts += ["## Cost model", _cells(costs_table(of.model)), *map(escaped, remarks(of.model))]
    if of.forecast:
        parts += [f"## {escaped(beyond(of.forecast, of.model))}", _cells(needs_table(of.forecast))]
    parts += [f"Made by `{of.command}`." if of.command else ""]
    return "\n\n".join(filter(None, parts)) + "\n"


def verdict(of: Study) -> str:
    """The interval, and what limits it."""
    found = of.capacity
    if found.kept is None and found.failed is None:
        why = next((step.why for step in of.steps if step.why), "")
        return _sentence("UNKNOWN", "nothing is known of the capacity", found.why or why, of.ended)
    said = [_times(found.kept, "were kept"), _times(found.failed, "were not")]
    if found.open:
        said.append(f"{', '.join(map(quantity.count, found.open))} came out now so, now so")
    if found.failed is None and found.gave_out is not None:
        said.append(f"the generator gave out at {quantity.count(found.gave_out)}")
    limit = f"{_LIMITS[found.limit]} ({wording.short(found.why, _WHY)})" if found.limit else ""
    over = "" if found.found else of.ended or _edge(found, of.search)
    return _sentence(_bound(found), ", ".join(filter(None, said)), limit, over)


def _edge(found: Capacity, search: Search) -> str:
    """Which end of what was to be tried was met."""
    if found.kept is None and found.failed is not None and found.failed.users == search.first:
        return "no fewer were to be tried (--from)"
    if found.kept is not None and found.failed is None and found.kept.users == search.most:
        return "no more were to be tried (--to)"
    return ""


def _bound(found: Capacity) -> str:
    if found.kept is None:
        assert found.failed is not None
        return f"BELOW {quantity.some(found.failed.users, 'user')}"
    if found.failed is None:
        return f"AT LEAST {quantity.some(found.kept.users, 'user')}"
    word = "CAPACITY" if found.found else "NOT CONFIRMED"
    return f"{word} {found.kept.users:,} to {quantity.some(found.failed.users, 'user')}"


def _times(end: End | None, what: str) -> str:
    if end is None:
        return ""
    often = "once" if end.seen == 1 else f"{end.seen} times"
    return f"{quantity.count(end.users)} {what} {often}{'' if end.confirmed else ', too few to be believed'}"


def _sentence(word: str, *parts: str) -> str:
    return f"{word}  {'; '.join(filter(None, parts))}"


def tries(steps: Iterable[Step]) -> Iterator[str]:
    """A line a number of users, a mark a try."""
    yield "tries by users (+ kept, − not kept, ? said nothing of the target)"
    for users, same in groupby(sorted(steps, key=lambda step: step.users), key=lambda step: step.users):
        yield f"{users:>9,}  {' '.join(MARK.get(step.result, '?') for step in same)}"


def steps_table(of: Study) -> Table:
    """One row a step, in their order; a column a threshold."""
    tried = [*zip(of.steps, of.purposes, strict=True), *((step, "quiet") for step in of.quiet)]
    limits = list(dict.fromkeys(result.threshold.text for step in of.steps for result in step.thresholds))
    head = ("step", "users", "as", "result", "events/s", *limits, "server CPU", "generator CPU")
    rows = tuple(_step(number, step, purpose, limits) for number, (step, purpose) in enumerate(tried, 1))
    return Table(head, rows, right=(0, 1, 4, *range(5, len(head))))


def _step(number: int, step: Step, purpose: str, limits: Sequence[str]) -> Row:
    held = {result.threshold.text: result for result in step.thresholds}
    return (
        str(number),
        quantity.count(step.users),
        purpose,
        step.result,
        f"{step.events_per_s:,.0f}",
        *(_held(held.get(limit)) for limit in limits),
        _cores(step.server_cpu),
        _cores(step.generator_cpu),
    )


def _held(result: ThresholdResult | None) -> str:
    if result is None or not (value := wording.value(result)):
        return "–"
    return f"{value}{' !' * (result.outcome is Outcome.FAIL)}{' ?' * (result.outcome is Outcome.UNKNOWN)}"


def _cores(cpu: float | None) -> str:
    return "–" if cpu is None else f"{cpu:.2f}"


def costs_table(of: Model) -> Table:
    """What users and events cost."""
    head = ("cost", "fixed", "a user", "an event", "left over", "steps")
    rows = (
        *(
            _cost(name, costs, lambda cores: quantity.duration(cores * 1e9))
            for name, costs in (("server CPU a second", of.server), ("generator CPU a second", of.generator))
            if costs
        ),
        *([_cost("server memory", of.memory, size)] if of.memory else []),
    )
    return Table(head, rows, right=(1, 2, 3, 4, 5))


def _cost(name: str, costs: Costs, written: Written) -> Row:
    found = costs.coefficients
    event = written(found[PER_EVENT]) if PER_EVENT in found else "–"
    return (
        name,
        written(found[FIXED]) if FIXED in found else "–",
        written(found[PER_USER]),
        event,
        "–" if costs.residual is None else f"± {written(costs.residual)}",
        str(costs.points),
    )


def remarks(of: Model) -> Iterator[str]:
    """What the model cannot say, and whether throughput bent."""
    if of.server is None:
        yield "The server does not tell what it costs (no metrics): nothing is said of its processes."
    fitted = [costs for costs in (of.server, of.generator) if costs is not None]
    if fitted and not all(costs.apart for costs in fitted):
        yield (
            "The cost of a user and that of its events cannot be told apart: "
            f"every user brought about {of.events_per_user:.3g} events/s, which are part of 'a user'. "
            "--apart makes steps that tell."
        )
    if of.contention is None:
        yield "No contention was seen: throughput grew with the users as far as was measured."
        return
    law = of.contention
    peak = "" if law.peak_users is None else f" with {law.peak_users:,.0f} users"
    yield (
        f"Contention (Universal Scalability Law): sigma {law.sigma:.3g}, kappa {law.kappa:.3g}, "
        f"{law.per_user:.3g} events/s of a user alone; at most {law.most:,.0f} events/s{peak}."
    )


def beyond(of: Forecast, by: Model) -> str:
    """How far the wished number is from what was measured."""
    far = f"{of.beyond:.1f} × beyond what was measured" if of.beyond > 1 else "within what was measured"
    return f"{quantity.some(of.users, 'user')}: {far} (at most {quantity.some(by.largest, 'user')})"


def needs_table(of: Forecast) -> Table:
    """What the wished number takes."""
    rows = [("events", f"{of.events_per_s:,.0f}/s", "")]
    if of.server_cpu:
        rows.append(("server CPU", _estimate(of.server_cpu, lambda cores: f"{cores:.2f}"), "cores"))
    if of.server:
        rows.append(("server processes", quantity.count(of.server.processes), of.server.why))
    if of.memory_bytes:
        rows.append(("server memory", _estimate(of.memory_bytes, size), "of all its processes"))
    if of.generator_cpu:
        rows.append(("generator CPU", _estimate(of.generator_cpu, lambda cores: f"{cores:.2f}"), "cores"))
    if of.workers:
        rows.append(("workers", quantity.count(of.workers.processes), of.workers.why))
    return Table(("it takes", "", ""), tuple(rows), right=(1,))


def _estimate(of: Estimate, written: Written) -> str:
    return written(of.value) + ("" if of.half_width is None else f" ± {written(of.half_width)}")


def size(amount: float) -> str:
    """Bytes in KB, MB or GB."""
    unit, one = next(((unit, one) for unit, one in _BYTES if amount >= one), ("B", 1))
    return f"{amount / one:,.1f} {unit}"


def _laid_out(table: Table) -> list[str]:
    rows = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in table.right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _cells(table: Table) -> str:
    ruler = tuple("---:" if place in table.right else "---" for place in range(len(table.head)))
    head, *rows = (tuple(map(escaped, row)) for row in (table.head, *table.rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *rows))
