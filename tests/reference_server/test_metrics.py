from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reference_server.metrics import Metrics

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_gauges_are_read_when_asked(kit: Kit) -> None:
    async def work() -> None:
        metrics = Metrics()
        open_connections = [1, 2]
        metrics.watch(connections=lambda: len(open_connections), sessions=lambda: 5, runs=lambda: 7)
        assert [kit.sample(metrics, name) for name in ("connections", "sessions", "runs_active")] == [2, 5, 7]
        open_connections.pop()
        assert kit.sample(metrics, "connections") == 1
        assert kit.sample(metrics, "tasks") == len(asyncio.all_tasks())

    kit.go(work())


def test_every_metric_of_ours_has_the_prefix(kit: Kit) -> None:
    async def work() -> str:
        metrics = Metrics()
        metrics.watch(connections=lambda: 0, sessions=lambda: 0, runs=lambda: 0)
        return metrics.exposition().decode()

    families = [line.split()[2] for line in kit.go(work()).splitlines() if line.startswith("# TYPE")]
    ours = {name for name in families if not name.startswith("process_")}
    assert all(name.startswith("streamgauge_server_") for name in ours)
    assert {
        *("streamgauge_server_connections", "streamgauge_server_sessions", "streamgauge_server_runs_active"),
        *("streamgauge_server_runs_total", "streamgauge_server_events_total", "streamgauge_server_tasks"),
        *("streamgauge_server_outbox_overflows_total", "streamgauge_server_delivery_failures_total"),
        *("streamgauge_server_fault_strikes_total",),
    } <= ours
    assert "process_cpu_seconds_total" in families


def test_servers_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.outbox_overflows.inc()
    assert b"outbox_overflows_total 0.0" in second.exposition()


def test_processor_time_is_told_finer_than_in_ticks(kit: Kit) -> None:
    metrics = Metrics()
    before = kit.sample(metrics, "cpu_seconds")
    sum(range(20_000))
    assert 0 < kit.sample(metrics, "cpu_seconds") - before < 1
