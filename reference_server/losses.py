"""What one connection and its session could not deliver: counted at once, told in one line."""

from collections import Counter
from typing import Literal

import structlog

from reference_server.metrics import Metrics

log = structlog.get_logger(part="session")

# no_reader: nobody was connected (any more); overflow: dropped with the queue that overflowed; closed: still
# queued when the connection closed; write_error: written, but the socket never took it
Reason = Literal["no_reader", "overflow", "closed", "write_error"]


class Losses:
    """Counts messages, events and others alike, in `delivery_failures_total`."""

    def __init__(self, metrics: Metrics, connection_id: str) -> None:
        self._metrics = metrics
        self._connection_id = connection_id
        self._untold: Counter[str] = Counter()

    def add(self, reason: Reason, messages: int = 1) -> None:
        """Count messages that nobody will get."""
        if messages:
            self._metrics.delivery_failures.labels(reason=reason).inc(messages)
            self._untold[reason] += messages

    def tell(self) -> None:
        """Log what was lost since the last time, where anything was: one line, however much it is."""
        if self._untold:
            log.warning(
                "messages_undelivered",
                connection_id=self._connection_id,
                messages=self._untold.total(),
                **self._untold,
            )
            self._untold.clear()
