"""Faults committed on purpose, to prove that whoever watches the server can see them.

Each fault is one function that replaces parts of the server: most wrap the way of an event from the bridge to
its session. This package is imported only where `--fault` asks for it.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.drop_thinking import drop_thinking
from reference_server.faults.lottery import Lottery
from reference_server.faults.shared_global import shared_global
from reference_server.faults.swap import swap
from reference_server.metrics import Metrics
from reference_server.parts import Parts

Fault = Callable[[Parts, Lottery], Parts]


def of_events(wrap: Callable[[Emit, Lottery], Emit]) -> Fault:
    """Make a fault of what wraps the way of an event."""
    return lambda parts, lottery: replace(parts, emit=wrap(parts.emit, lottery))


# In the order in which an event meets them where several are asked for: `swap` is last, because it takes
# offsets itself.
FAULTS: Mapping[str, Fault] = {
    "drop-thinking": of_events(drop_thinking),
    "shared-global": of_events(shared_global),
    "swap": of_events(swap),
}


def commit(asked: Sequence[str], seed: int, parts: Parts, metrics: Metrics) -> Parts:
    """Put the faults that `asked` names, as `NAME` or `NAME:RATE`, into the parts of a server.

    Raises `ValueError` for what is no fault or no rate.
    """
    rates = dict(_read(text) for text in asked)
    for name in reversed(list(FAULTS)):
        if name in rates:
            rng = random.Random(f"{seed} {name}")  # noqa: S311 - strikes must be repeatable
            offer = metrics.fault_opportunities.labels(fault=name).inc
            lottery = Lottery(rates[name], rng, offer, metrics.fault_strikes.labels(fault=name).inc)
            parts = FAULTS[name](parts, lottery)
    return parts


def _read(text: str) -> tuple[str, float]:
    name, colon, rate = text.partition(":")
    if name not in FAULTS:
        raise ValueError(f"--fault {text}: no fault of this name; there are: {', '.join(FAULTS)}")
    try:
        share = float(rate) if colon else 1.0
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"--fault {text}: the rate is a share of runs, above 0 and at most 1: {name}:0.01")
    return name, share
