"""Tells Locust's own statistics, which its console and web page show, of the runs that have finished.

Its `request` event costs as much as six of our events, so runs that brought a result are added
up first, and merged as the statistics of a worker are. Whoever else listens to that event is told
of every run.
"""

import time
from collections import Counter, defaultdict, deque
from typing import Any, Final

from locust import stats
from locust.env import Environment
from msgspec import Struct

METHOD: Final = "RUN"


class Finished(Struct, frozen=True, gc=False):
    """A run as Locust's statistics are told of it."""

    name: str
    took_ms: float
    error: str = ""


def tell(environment: Environment, finished: "deque[Finished]") -> None:
    """Tell of all that have finished, and forget them."""
    alone = len(environment.events.request._handlers) <= 1  # noqa: SLF001 - Locust's own runner
    took: defaultdict[str, list[float]] = defaultdict(list)
    while finished:
        run = finished.popleft()
        if alone and not run.error:
            took[run.name].append(run.took_ms)
        else:
            _fire(environment, run)
    for name, times in took.items():
        batch = _batch(name, times)
        environment.stats.total.extend(batch)
        environment.stats.get(name, METHOD).extend(batch)


def _batch(name: str, took_ms: list[float]) -> Any:
    now = time.time()
    batch: Any = stats.StatsEntry(stats.RequestStats(), name, METHOD)
    batch.num_requests = len(took_ms)
    batch.num_reqs_per_sec[int(now)] = len(took_ms)
    batch.last_request_timestamp = now
    batch.total_response_time = sum(took_ms)
    batch.min_response_time, batch.max_response_time = min(took_ms), max(took_ms)
    batch.response_times.update(Counter(map(stats.bucket_response_time, took_ms)))
    return batch


def _fire(environment: Environment, run: Finished) -> None:
    environment.events.request.fire(
        request_type=METHOD,
        name=run.name,
        response_time=run.took_ms,
        response_length=0,
        exception=RuntimeError(run.error) if run.error else None,
        context={},
    )
