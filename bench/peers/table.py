"""The comparison as a Markdown table; pure."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from peers.counting import Sample, kilobytes_per_socket

_HEAD: Final = (
    "generator",
    "events/s",
    "events per generator-CPU-s",
    "streamgauge : it",
    "KB per socket, open / busy",
    "run p50 / p99 it reports (ms)",
    "true cycle N/X (ms)",
    "cores: generator / source",
)
_NOTHING: Final = "–"


class Outcome(Struct, frozen=True):
    """All launches of one generator, and why there are not more."""

    name: str
    what: str
    samples: Sequence[Sample] = ()
    trouble: str = ""


def table(outcomes: Sequence[Outcome], ours: str) -> Iterator[str]:
    """The lines; the generator named `ours` is what the others are compared with."""
    yield _line(_HEAD)
    yield _line(["---"] * len(_HEAD))
    best = next((o.samples for o in outcomes if o.name == ours), ())
    for outcome in outcomes:
        yield _line(_cells(outcome, best))


def _cells(outcome: Outcome, ours: Sequence[Sample]) -> list[str]:
    name = f"{outcome.name}: {outcome.what}"
    samples = outcome.samples
    if not samples:
        return [name, outcome.trouble or "not measured", *[_NOTHING] * (len(_HEAD) - 2)]
    cost = [s.events_per_cpu_s for s in samples]
    idle = median(kilobytes_per_socket(s.memory.open, s.memory.one_socket, s.sockets) for s in samples)
    busy = median(kilobytes_per_socket(s.memory.busy, s.memory.one_socket, s.sockets) for s in samples)
    return [
        f"{name} (of {len(samples)} launches; {outcome.trouble})" if outcome.trouble else name,
        spread([s.events_per_s for s in samples]),
        spread(cost),
        f"{median(s.events_per_cpu_s for s in ours) / median(cost):.2f}" if ours else _NOTHING,
        f"{idle:.1f} / {busy:.1f}",
        _said(samples),
        f"{median(s.cycle_ms for s in samples):.1f}",
        f"{median(s.generator_busy for s in samples):.2f} / {median(s.source_busy for s in samples):.2f}",
    ]


def spread(values: Sequence[float]) -> str:
    """Median, least and most."""
    return f"{median(values):,.0f} [{min(values):,.0f}–{max(values):,.0f}]"


def _said(samples: Sequence[Sample]) -> str:
    """What the generator reports of its runs, and of its own lag where it tells the two apart."""
    times = f"{_middle([s.said.p50_ms for s in samples])} / {_middle([s.said.p99_ms for s in samples])}"
    lags = [s.said.lag_ms for s in samples]
    return times if None in lags else f"{times}, and lag {_middle(lags)}"


def _middle(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{median(there):.1f}" if there else _NOTHING


def _line(cells: Sequence[str]) -> str:
    """A row; reasons hold what tools say, which may be anything."""
    return "| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |"


def as_data(outcomes: Sequence[Outcome], conditions: Mapping[str, object]) -> dict[str, object]:
    """What `--json` writes: the conditions and every sample."""
    return {"conditions": conditions, "generators": list(outcomes)}
