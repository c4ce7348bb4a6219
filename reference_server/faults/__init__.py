"""Faults committed on purpose, to prove that whoever watches the server can see them.

Each fault is one function that replaces parts of the server: most wrap the way of an event from the bridge to
its session. This package is imported only where `--fault` asks for it.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from reference_server.bridge import Emit
from reference_server.faults.alg_none import alg_none
from reference_server.faults.batching import batching
from reference_server.faults.broadcast import broadcast
from reference_server.faults.cache_key import cache_key
from reference_server.faults.cancel_bystander import cancel_bystander
from reference_server.faults.clock_lie import AHEAD_S, clock_lie
from reference_server.faults.colliding_ids import colliding_ids
from reference_server.faults.completed_first import completed_first
from reference_server.faults.corrupt_delta import corrupt_delta
from reference_server.faults.drop import drop
from reference_server.faults.drop_silent import drop_silent
from reference_server.faults.drop_thinking import drop_thinking
from reference_server.faults.duplicate import duplicate
from reference_server.faults.first_event_race import first_event_race
from reference_server.faults.foreign_metadata import foreign_metadata
from reference_server.faults.ghost_run import ghost_run
from reference_server.faults.half_open import half_open
from reference_server.faults.lost_context import lost_context
from reference_server.faults.lottery import Lottery
from reference_server.faults.oracle import oracle
from reference_server.faults.pooled_mixup import pooled_mixup
from reference_server.faults.registry_by_user import registry_by_user
from reference_server.faults.shared_global import shared_global
from reference_server.faults.silence import STALL_S, silence
from reference_server.faults.slow_starves_all import slow_starves_all
from reference_server.faults.swap import swap
from reference_server.faults.tail_loss import tail_loss
from reference_server.faults.torn import torn
from reference_server.faults.two_terminals import two_terminals
from reference_server.faults.unbounded_queue import unbounded_queue
from reference_server.faults.wrong_echo import wrong_echo
from reference_server.metrics import Metrics
from reference_server.parts import Parts

Fault = Callable[[Parts, Lottery], Parts]

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


def of_events(wrap: Callable[[Emit, Lottery], Emit]) -> Fault:
    """Make a fault of what wraps the way of an event."""
    return lambda parts, lottery: replace(parts, emit=wrap(parts.emit, lottery))


class Timed(Struct, frozen=True):
    """A fault that takes a time, in seconds: `NAME:RATE:TIME` names another than its own."""

    wrap: Callable[[Emit, Lottery, float], Emit]
    time_s: float

    def __call__(self, parts: Parts, lottery: Lottery) -> Parts:
        return replace(parts, emit=self.wrap(parts.emit, lottery, self.time_s))


# In the order in which an event meets them where several are asked for: `torn` and `swap` are last, because
# they take offsets themselves.
FAULTS: Mapping[str, Fault] = {
    "alg-none": alg_none,
    "oracle": oracle,
    "cancel-bystander": cancel_bystander,
    "cache-key": cache_key,
    "lost-context": lost_context,
    "pooled-mixup": pooled_mixup,
    "registry-by-user": registry_by_user,
    "colliding-ids": of_events(colliding_ids),
    "drop-thinking": of_events(drop_thinking),
    "drop-silent": of_events(drop_silent),
    "completed-first": of_events(completed_first),
    "two-terminals": of_events(two_terminals),
    "corrupt-delta": of_events(corrupt_delta),
    "wrong-echo": of_events(wrong_echo),
    "foreign-metadata": of_events(foreign_metadata),
    "clock-lie": Timed(clock_lie, AHEAD_S),
    "shared-global": of_events(shared_global),
    "broadcast": broadcast,
    "first-event-race": first_event_race,
    "drop": of_events(drop),
    "tail-loss": of_events(tail_loss),
    "duplicate": of_events(duplicate),
    "batching": of_events(batching),
    "silence": Timed(silence, STALL_S),
    "torn": of_events(torn),
    "swap": of_events(swap),
    # These sit elsewhere, and their order does not matter.
    "slow-starves-all": slow_starves_all,
    "unbounded-queue": unbounded_queue,
    "half-open": half_open,
    "ghost-run": ghost_run,
}
# Of the whole server: they strike always, so that a share would say nothing.
WITHOUT_RATE = frozenset({"slow-starves-all", "unbounded-queue"})


class _Asked(Struct, frozen=True):
    fault: Fault
    rate: float


def commit(asked: Sequence[str], seed: int, parts: Parts, metrics: Metrics) -> Parts:
    """Put the faults that `asked` names, as `NAME`, `NAME:RATE` or `NAME:RATE:TIME`, into a server's parts.

    Raises `ValueError` for what is no fault, no rate or no time.
    """
    wanted = dict(_read(text) for text in asked)
    for name in reversed(list(FAULTS)):
        if name in wanted:
            rng = random.Random(f"{seed} {name}")  # noqa: S311 - strikes must be repeatable
            offer = metrics.fault_opportunities.labels(fault=name).inc
            strike = metrics.fault_strikes.labels(fault=name).inc
            parts = wanted[name].fault(parts, Lottery(wanted[name].rate, rng, offer, strike))
    return parts


def _read(text: str) -> tuple[str, _Asked]:
    name, *more = text.split(":", 2)
    if name not in FAULTS:
        raise ValueError(f"--fault {text}: no fault of this name; there are: {', '.join(FAULTS)}")
    if more and name in WITHOUT_RATE:
        raise ValueError(f"--fault {text}: {name} has no rate: it is of the whole server")
    try:
        share = float(more[0]) if more else 1.0
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"--fault {text}: the rate is a share of runs, above 0 and at most 1: {name}:0.01")
    fault = FAULTS[name]
    return name, _Asked(_timed(text, fault, more[1]) if more[1:] else fault, share)


def _timed(text: str, fault: Fault, time: str) -> Fault:
    if isinstance(fault, Timed):
        read = _TIME.fullmatch(time)
        if read is not None and float(read[1]):
            return replace(fault, time_s=float(read[1]) / (1e3 if read[2] == "ms" else 1))
        raise ValueError(f"--fault {text}: a time above 0 is due after the rate, in ms or s: 3s, 250ms")
    raise ValueError(f"--fault {text}: this fault takes no time, only a rate")
