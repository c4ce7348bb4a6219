"""From the steps of a search: what a wished number of users takes, and how far that is beyond them."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from streamgauge.core.cost_model import Contention, Costs, Estimate, Point, contention, fit
from streamgauge.study.capacity import Capacity, Result, Step

FULL: Final = 0.7  # of a core: what one plans with, the rest is for bursts
_ROUNDING: Final = 1e-6  # of a process: 8.4 cores are twelve times 0.7
_DRIVEN: Final = (Result.KEPT, Result.TARGET)  # where what came through was for the server to say


class Model(Struct, frozen=True):
    """What users and events cost by all measured steps; None where nothing tells."""

    server: Costs | None  # cores
    generator: Costs | None  # cores of all its processes
    memory: Costs | None  # bytes of the server
    contention: Contention | None  # of events per second; None where throughput never bent
    events_per_user: float  # a second, of the kept steps
    largest: int  # the most users that were connected in any step


class Need(Struct, frozen=True):
    """So many processes, and what asks for them."""

    processes: int
    why: str


class Forecast(Struct, frozen=True):
    """What `users` take; `beyond` is how many times the largest measured number that is."""

    users: int
    beyond: float
    events_per_s: float
    server_cpu: Estimate | None
    server: Need | None
    memory_bytes: Estimate | None  # of all server processes
    generator_cpu: Estimate | None
    workers: Need | None


def model(steps: Iterable[Step], quiet: Iterable[Step] = ()) -> Model:
    """Fit the costs to the steps in which there was load; those of `quiet` had fewer events a user."""
    loaded = [step for step in steps if step.connected and step.events_per_s > 0]
    driven = [step for step in loaded if step.result in _DRIVEN]
    kept = [step for step in loaded if step.result is Result.KEPT] or loaded
    steps = [*loaded, *(step for step in quiet if step.connected and step.events_per_s > 0)]
    return Model(
        server=fit(
            [
                Point(step.connected, step.events_per_s, step.server_cpu)
                for step in steps
                if step.server_cpu is not None
            ]
        ),
        generator=fit(
            [
                Point(step.connected, step.events_per_s, step.generator_cpu)
                for step in steps
                if step.generator_cpu is not None
            ]
        ),
        memory=fit(_memory(steps)),
        contention=contention([(step.connected, step.events_per_s) for step in driven]),
        events_per_user=median(step.events_per_s / step.connected for step in kept) if kept else 0.0,
        largest=max((step.connected for step in steps), default=0),
    )


def _memory(steps: Sequence[Step]) -> list[Point]:
    """Memory by users alone: what events take is given back."""
    return [Point(step.connected, 0, step.server_rss_bytes) for step in steps if step.server_rss_bytes]


def forecast(of: Model, capacity: Capacity, users: int) -> Forecast | None:
    """What `users` take; None where no step had load."""
    if not of.largest:
        return None
    events = of.events_per_user * users
    server = of.server.at(users, events) if of.server else None
    generator = of.generator.at(users, events) if of.generator else None
    need = _servers(of, capacity, users, server)
    return Forecast(
        users=users,
        beyond=users / of.largest,
        events_per_s=events,
        server_cpu=server,
        server=need,
        memory_bytes=_memory_of(of.memory, users, need.processes if need else 1),
        generator_cpu=generator,
        workers=_by_cpu(generator) if generator else None,
    )


def _memory_of(costs: Costs | None, users: int, processes: int) -> Estimate | None:
    """Of all processes: each has what is fixed, and its part of the users."""
    if costs is None:
        return None
    each = costs.at(users / processes, 0)
    half = None if each.half_width is None else each.half_width * processes
    return Estimate(each.value * processes, half)


def _by_cpu(cores: Estimate) -> Need:
    return Need(
        max(1, math.ceil(cores.value / FULL - _ROUNDING)),
        f"processor time, {FULL * 100:.0f} % of a core each",
    )


def _servers(of: Model, capacity: Capacity, users: int, cores: Estimate | None) -> Need | None:
    """Whatever asks for the most processes: processor time, what one kept, what gets through one."""
    needs = [_by_cpu(cores)] if cores else []
    limited = capacity.limit in (Result.TARGET, Result.REFUSALS)
    if limited and capacity.kept is not None:
        most = capacity.kept.users
        needs.append(Need(math.ceil(users / most), f"one kept the thresholds with {most:,} users, not more"))
    if of.contention is not None and of.contention.most < math.inf:
        events = of.events_per_user * users
        needs.append(
            Need(
                math.ceil(events / of.contention.most),
                f"no more than {of.contention.most:,.0f} events/s get through one",
            )
        )
    return max(needs, key=lambda need: need.processes, default=None)
