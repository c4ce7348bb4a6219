"""Faults committed on purpose, to prove that whoever watches the server can see them.

Each fault is one function that wraps the way of an event from the bridge to its session. This package is
imported only where `--fault` asks for it.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import Counter

from reference_server.bridge import Emit
from reference_server.faults.drop_thinking import drop_thinking
from reference_server.faults.lottery import Lottery
from reference_server.faults.shared_global import shared_global
from reference_server.faults.swap import swap

Fault = Callable[[Emit, Lottery], Emit]

# In the order in which an event meets them where several are asked for: `swap` is last, because it takes
# offsets itself.
FAULTS: Mapping[str, Fault] = {
    "drop-thinking": drop_thinking,
    "shared-global": shared_global,
    "swap": swap,
}


def commit(asked: Sequence[str], seed: int, emit: Emit, strikes: Counter) -> Emit:
    """Wrap `emit` in the faults that `asked` names, as `NAME` or `NAME:RATE`.

    Raises `ValueError` for what is no fault or no rate.
    """
    rates = dict(_read(text) for text in asked)
    for name in reversed(list(FAULTS)):
        if name in rates:
            rng = random.Random(f"{seed} {name}")  # noqa: S311 - strikes must be repeatable
            emit = FAULTS[name](emit, Lottery(rates[name], rng, strikes.labels(fault=name).inc))
    return emit


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
