"""What the measured server says of itself: Prometheus metrics at its target's host and port.

It is asked four times a run, and what it said is read only when all is over: before
the first user, when all users are there, when they are told to stop, and at the end.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from streamgauge.report.model import ServerCost

_TIMEOUT_S: Final = 5
_CPU: Final = ("streamgauge_server_cpu_seconds", "process_cpu_seconds_total")  # the finer one first
_EVENTS: Final = "streamgauge_server_events_total"
_MEMORY: Final = "process_resident_memory_bytes"
_STARTED: Final = "process_start_time_seconds"
_STRIKES: Final = "streamgauge_server_fault_strikes_total"
_OPPORTUNITIES: Final = "streamgauge_server_fault_opportunities_total"


class ServerMetrics(Struct, frozen=True):
    """One answer of a server; what it does not tell is None."""

    cpu_s: float | None = None
    events: int | None = None
    rss_bytes: int | None = None
    started_s: float | None = None
    strikes: Mapping[str, int] = {}  # by fault, as are its opportunities
    opportunities: Mapping[str, int] = {}


class Inquiry:
    """The answers of one server in one run; a server without metrics is not asked again."""

    def __init__(self, target: str, context: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._context = context
        self._answers: dict[str, bytes | None] = {}

    def begin(self) -> None:
        self._answers["before"] = fetch(self._target, self._context)

    def all_users_are_there(self) -> None:
        self._ask("first")

    def users_are_told_to_stop(self) -> None:
        self._ask("last")

    def all_is_over(self) -> None:
        self._ask("after")

    def _ask(self, when: str) -> None:
        if self._answers.get("before", b"") is not None:
            self._answers[when] = fetch(self._target, self._context)

    def cost(self, events_read: int) -> ServerCost | None:
        """What the run cost the server; None where it did not say.

        Of a server that counts its events, between the moment when all users were there
        and that when they were told to stop: connecting costs as much as many events. Of
        any other, from before to after the run, by the events that were read.
        """
        first, last = self._read("first"), self._read("last")
        if first and last and first.events is not None and last.events is not None:
            return cost(first, last, last.events - first.events)
        before, after = self._read("before"), self._read("after")
        return cost(before, after, events_read) if before and after else None

    def all_that_was_said(self) -> ServerMetrics | None:
        """What the server counted by the end of the run; None where it does not say."""
        return self._read("after")

    def _read(self, when: str) -> ServerMetrics | None:
        answer = self._answers.get(when)
        return read(answer) if answer is not None else None


def ask(target: str, context: ssl.SSLContext | None = None) -> ServerMetrics | None:
    """What the server behind `target` says of itself; None where it says nothing."""
    said = fetch(target, context)
    return read(said) if said is not None else None


def fetch(target: str, context: ssl.SSLContext | None = None) -> bytes | None:
    """What the server behind `target` serves at `/metrics`, unread; `context` verifies it over TLS."""
    url = urlsplit(target)
    address = f"{'https' if url.scheme == 'wss' else 'http'}://{url.netloc}/metrics"
    try:
        with urlopen(address, timeout=_TIMEOUT_S, context=context) as answer:
            said: bytes = answer.read()
    except (OSError, HTTPException, ValueError):
        return None
    return said


def read(exposition: bytes) -> ServerMetrics | None:
    """What a text in the Prometheus format says; None for any other text."""
    sums: dict[str, float] = {}
    faults: dict[str, dict[str, int]] = {_STRIKES: {}, _OPPORTUNITIES: {}}
    try:
        for family in text_string_to_metric_families(exposition.decode()):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
                if sample.name in faults:
                    faults[sample.name][sample.labels["fault"]] = int(sample.value)
    except ValueError:
        return None
    return ServerMetrics(
        cpu_s=next((sums[name] for name in _CPU if name in sums), None),
        events=int(sums[_EVENTS]) if _EVENTS in sums else None,
        rss_bytes=int(sums[_MEMORY]) if _MEMORY in sums else None,
        started_s=sums.get(_STARTED),
        strikes=faults[_STRIKES],
        opportunities=faults[_OPPORTUNITIES],
    )


def cost(before: ServerMetrics, after: ServerMetrics, events: int) -> ServerCost | None:
    """What lies between two answers; None where they are not of one process."""
    if before.cpu_s is None or after.cpu_s is None:
        return None
    if before.started_s != after.started_s or after.cpu_s < before.cpu_s:
        return None
    cpu_s = after.cpu_s - before.cpu_s
    return ServerCost(
        cpu_s=cpu_s,
        events=events,
        cpu_per_event_ns=cpu_s * 1e9 / events if events > 0 else None,
        rss_bytes=after.rss_bytes,
    )
