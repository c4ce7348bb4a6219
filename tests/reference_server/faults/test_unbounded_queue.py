from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.faults import commit
from reference_server.losses import Losses
from reference_server.metrics import Metrics
from reference_server.parts import Parts

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


@pytest.mark.parametrize(("bound", "size"), [((10, 1_000_000), 1), ((1_000_000, 1_000), 100)])
def test_nothing_is_ever_refused_and_an_outbox_strikes_once(
    kit: Kit, bound: tuple[int, int], size: int
) -> None:
    metrics = Metrics()
    parts = commit(["unbounded-queue"], 0, Parts(), metrics)
    outbox = parts.make_outbox(*bound, Losses(metrics, "c1"))
    assert all(outbox.put(b"x" * size) for _ in range(10))
    assert kit.sample(metrics, 'fault_strikes_total{fault="unbounded-queue"}') == 0  # as full as it may be
    assert all(outbox.put(b"x" * size) for _ in range(1_000))
    assert len(outbox) == 1_010
    assert kit.sample(metrics, 'fault_strikes_total{fault="unbounded-queue"}') == 1
    assert kit.sample(metrics, 'fault_opportunities_total{fault="unbounded-queue"}') == 1
