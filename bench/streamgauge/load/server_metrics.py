"""What the measured server says of itself: Prometheus metrics at its target's host and port.

It is asked four times a run, and what it said is read only when all is over: before
the first user, when all users are there, when they are told to stop, and at the end. A
few times between, and until it is at rest, it is asked what it holds.
"""

import re
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from streamgauge.core.resources import Held, Moment, ServerAccount, at_rest
from streamgauge.report.model import ServerCost

_TIMEOUT_S: Final = 5
_CPU: Final = ("streamgauge_server_cpu_seconds", "process_cpu_seconds_total")  # the finer one first
_EVENTS: Final = "streamgauge_server_events_total"
_MEMORY: Final = "process_resident_memory_bytes"
_STARTED: Final = "process_start_time_seconds"
_STRIKES: Final = "streamgauge_server_fault_strikes_total"
_OPPORTUNITIES: Final = "streamgauge_server_fault_opportunities_total"
_HELD: Final = {
    b"streamgauge_server_connections": "connections",
    b"streamgauge_server_runs_active": "runs",
    b"streamgauge_server_tasks": "tasks",
    _MEMORY.encode(): "rss_bytes",
    _STARTED.encode(): "started_s",
}
_SAMPLE: Final = re.compile(rb"^(\w+) ([0-9.e+]+)$", re.MULTILINE)
_LOOK_S: Final = 0.2  # between two looks whether the server is at rest


class ServerMetrics(Struct, frozen=True):
    """One answer of a server; what it does not tell is None."""

    cpu_s: float | None = None
    events: int | None = None
    rss_bytes: int | None = None
    started_s: float | None = None
    strikes: Mapping[str, int] = {}  # by fault, as are its opportunities
    opportunities: Mapping[str, int] = {}


class Holding(Struct, frozen=True):
    """What the suite has at the server at one moment, and how much it has begun by then."""

    held: Held
    opened: int = 0  # connections, of all times
    asked: int = 0  # runs


def nobody_knows() -> None:
    """What the suite has at the server, where no process knows it of all."""


def always() -> bool:
    """There is time."""
    return True


class Inquiry:
    """The answers of one server in one run; a server without metrics is not asked again."""

    def __init__(self, target: str, context: ssl.SSLContext | None = None, linger_s: float = 0) -> None:
        self._target = target
        self._context = context
        self._linger_s = linger_s
        self._answers: dict[str, bytes | None] = {}
        self._before: Moment | None = None
        self._during: list[Moment] = []
        self._after: Moment | None = None
        self._waited_s = 0.0

    def begin(self) -> None:
        """Before the first user: what is there now is not theirs."""
        before = self._ask("before")
        if before is not None and (before.counts or before.rss_bytes is not None):
            self._before = before

    def all_users_are_there(self) -> None:
        self._ask("first")

    def users_are_told_to_stop(self) -> None:
        self._ask("last")

    def look(self, holding: Callable[[], Holding | None] = nobody_knows) -> None:
        """See in mid-run what the server holds; `holding` tells what it may hold of the suite's."""
        if self._before is None:
            return
        earlier = holding()
        said = fetch(self._target, self._context)
        later = holding()
        if said is not None and (earlier is None) == (later is None):
            most = None
            if earlier is not None and later is not None:
                # what began meanwhile may have ended meanwhile, but not before the server counted
                most = Held(
                    earlier.held.connections + later.opened - earlier.opened,
                    earlier.held.runs + later.asked - earlier.asked,
                )
            self._during.append(moment(said, most))

    def all_is_over(self, there_is_time: Callable[[], bool] = always) -> None:
        """See what is left, again and again until that is nothing, for as long as it may linger."""
        began_s = time.monotonic()
        while True:
            after = self._ask("after")
            self._waited_s = time.monotonic() - began_s
            self._after = after
            if after is None or self._before is None or at_rest(self._before, after):
                return
            if self._waited_s >= self._linger_s or not there_is_time():
                return
            time.sleep(_LOOK_S)

    def account(self) -> ServerAccount | None:
        """What the server said it held; None where it said nothing."""
        if self._before is None:
            return None
        waited_ns = int(self._waited_s * 1e9)
        during = tuple(self._during)
        return ServerAccount(int(self._linger_s * 1e9), self._before, during, self._after, waited_ns)

    def _ask(self, when: str) -> Moment | None:
        if when != "before" and self._answers.get("before", b"") is None:
            return None
        said = self._answers[when] = fetch(self._target, self._context)
        return None if said is None else moment(said)

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


def moment(exposition: bytes, held: Held | None = None) -> Moment:
    """What such a text says of what the server holds, now; quick enough to be done in mid-run."""
    found = {
        name: float(value)
        for key, value in _SAMPLE.findall(exposition)
        if (name := _HELD.get(key)) is not None
    }
    counts = {name: int(value) for name, value in found.items() if name != "started_s"}
    return Moment(time.time_ns(), found.get("started_s", 0.0), held=held, **counts)


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
