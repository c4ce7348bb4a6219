from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from reference_server.losses import Losses
from reference_server.metrics import Metrics

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_losses_are_counted_at_once_and_told_in_one_warning(kit: Kit) -> None:
    metrics = Metrics()
    losses = Losses(metrics, "c1")
    with capture_logs() as logs:
        losses.add("no_reader")
        losses.add("no_reader")
        losses.add("closed", 5)
        losses.add("write_error", 0)
        assert kit.sample(metrics, 'delivery_failures_total{reason="no_reader"}') == 2
        assert kit.sample(metrics, 'delivery_failures_total{reason="closed"}') == 5
        assert logs == []
        losses.tell()
    assert logs == [
        {
            "event": "messages_undelivered",
            "log_level": "warning",
            "part": "session",
            "connection_id": "c1",
            "messages": 7,
            "no_reader": 2,
            "closed": 5,
        }
    ]


def test_what_was_told_is_not_told_again() -> None:
    losses = Losses(Metrics(), "c1")
    with capture_logs() as logs:
        losses.tell()
        losses.add("overflow", 3)
        losses.tell()
        losses.tell()
        losses.add("overflow", 4)
        losses.tell()
    assert [line["messages"] for line in logs] == [3, 4]
