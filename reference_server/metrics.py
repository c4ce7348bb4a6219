"""What the server counts about itself, for Prometheus."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest

from reference_server.message import EVENT_TYPES

PREFIX = "streamgauge_server"


class Metrics:
    """One registry a server, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._connections = self._gauge("connections", "open WebSocket connections")
        self._sessions = self._gauge("sessions", "sessions, also those whose connection has gone")
        self._runs_active = self._gauge("runs_active", "runs under way")
        self._tasks = self._gauge("tasks", "asyncio tasks")
        # process_cpu_seconds_total counts ticks of 10 ms: too coarse for the cost of an event
        cpu = self._gauge("cpu_seconds", "processor time of the whole process, in nanosecond steps")
        cpu.set_function(time.process_time)
        self.runs = self._counter("runs", "ended runs", "outcome")
        self.delivery_failures = self._counter(
            "delivery_failures", "events and other messages that reached no socket", "reason"
        )
        self.outbox_overflows = self._counter("outbox_overflows", "outboxes that overflowed")
        self.refusals = self._counter("refusals", "requests refused before the upgrade", "status")
        self.closes = self._counter("closes", "ended connections by whose close came first", "by", "code")
        self.fault_opportunities = self._counter(
            "fault_opportunities", "chances of a fault to be committed", "fault"
        )
        self.fault_strikes = self._counter("fault_strikes", "faults committed on purpose", "fault")
        events = self._counter("events", "events handed over", "type")
        # A lookup of labels costs more than the count itself, and this one is made for every event.
        self.events = {kind: events.labels(type=name) for kind, name in EVENT_TYPES.items()}

    def watch(
        self, connections: Callable[[], int], sessions: Callable[[], int], runs: Callable[[], int]
    ) -> None:
        """Read these at every scrape, so that a count can never drift from what it counts."""
        self._connections.set_function(connections)
        self._sessions.set_function(sessions)
        self._runs_active.set_function(runs)
        self._tasks.set_function(lambda: len(asyncio.all_tasks()))

    def exposition(self) -> bytes:
        """The Prometheus text format; to be called on the event loop."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)
