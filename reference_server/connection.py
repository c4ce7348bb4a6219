"""One client's connection: reads commands, writes events, beats, and closes for a stated reason."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from msgspec import UNSET, Struct
from websockets.exceptions import ConnectionClosed

from reference_server.auth import Identity
from reference_server.channel import Channel
from reference_server.clock import Clock
from reference_server.close import (
    BINARY,
    NO_HEARTBEAT,
    NOT_JSON,
    RATE_LIMIT,
    SERVER_FAILED,
    SLOW_CONSUMER,
    TOKEN_EXPIRED,
    Close,
)
from reference_server.command import NotJson, Refused, read_command
from reference_server.gateway import Gateway, new_id
from reference_server.message import ConnectionEstablished, Error, Heartbeat, SessionOffer
from reference_server.metrics import Metrics
from reference_server.parts import Parts
from reference_server.rate import TokenBucket
from reference_server.session import Session
from reference_server.settings import Settings

log = structlog.get_logger(part="connection")

BATCH_BYTES = 65_536
LONGEST_TIMER_S = 86_400.0  # event loops refuse timers of years, which a token may ask for


class ServerName(Struct, frozen=True):
    """How this server process names itself and its clock."""

    server_id: str
    clock_id: str


class Connection:
    """From the upgrade to the close; the session outlives it."""

    def __init__(
        self,
        channel: Channel,
        gateway: Gateway,
        settings: Settings,
        metrics: Metrics,
        clock: Clock,
        name: ServerName,
        parts: Parts = Parts(),  # noqa: B008 - frozen
    ) -> None:
        self.id = new_id("c")
        self.session: Session = gateway.open_session(channel.identity.user_id, self.id)
        self._channel = channel
        self._gateway = gateway
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._name = name
        self._parts = parts
        self._identity: Identity = channel.identity
        self._bucket = TokenBucket(settings.rate_per_s, settings.rate_burst, clock.monotonic_ns())
        self._unanswered = 0
        self._close_counted = False
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def serve(self) -> None:
        """Speak with the client until either side closes."""
        self._channel.on_frame = self._heard
        self._channel.on_ended = self._ended
        self.session.outbox.on_overflow = self._overflowed
        self._greet()
        self._after("beat", self._settings.heartbeat_s, self._beat)
        self._check_expiry()
        writer = asyncio.create_task(self._write())
        try:
            with contextlib.suppress(ConnectionClosed):
                await self._read()
            await self._channel.wait_closed()  # what the socket did not take is known only then
        finally:
            for timer in self._timers.values():
                timer.cancel()
            writer.cancel()
            self._gateway.leave_session(self.session)

    def close(self, close: Close) -> None:
        """Close at once, after what is queued; what comes later is counted as undelivered."""
        if self._channel.closing is None:
            log.info("closing", connection_id=self.id, code=close.code, reason=close.reason)
            self._deliver(self.session.outbox.take(self._settings.outbox_bytes))
            self.session.losses.add("closed", self.session.outbox.close())
            self._channel.shut(close)
            self._count_close()

    async def _read(self) -> None:
        while self._channel.closing is None:
            text = await self._channel.recv()
            if isinstance(text, bytes):
                self.close(BINARY)
                return
            try:
                self.session.post(self._gateway.answer(self.session, self.id, read_command(text)))
            except Refused as refused:
                self.session.post(Error(refused.code, refused.message, refused.request_id or UNSET))
            except NotJson:
                self.close(NOT_JSON)
            except Exception:
                log.exception("command_failed", connection_id=self.id)
                self.close(SERVER_FAILED)

    async def _write(self) -> None:
        outbox = self.session.outbox
        try:
            while True:
                await outbox.ready()
                async with self._parts.turn():
                    self._deliver(outbox.take(BATCH_BYTES))
                    await self._channel.drain()
        except OSError:  # the socket is gone: the channel tells what it did not take, the reader ends
            pass
        except Exception:
            log.exception("writer_failed", connection_id=self.id)
            self.close(SERVER_FAILED)

    def _deliver(self, batch: list[bytes]) -> None:
        if not self._channel.write(batch):
            self.session.losses.add("closed", len(batch))

    def _ended(self, unsent: int) -> None:
        self.session.losses.add("write_error", unsent)
        self._count_close()

    def _count_close(self) -> None:
        """Count how the connection closes, once: by this server's own close where it came first."""
        ending = self._channel.ending()
        if ending is not None and not self._close_counted:
            self._close_counted = True
            self._metrics.closes.labels(by=ending.by, code=ending.code).inc()

    def _greet(self) -> None:
        settings = self._settings
        self.session.post(
            ConnectionEstablished(
                user_id=self.session.user_id,
                connection_id=self.id,
                server_id=self._name.server_id,
                clock_id=self._name.clock_id,
                server_ns=self._clock.monotonic_ns(),
                heartbeat_s=settings.heartbeat_s,
                max_message_bytes=settings.max_message_bytes,
                session=SessionOffer(self.session.id, settings.window_s, resume=False),
            )
        )

    def _heard(self) -> None:
        self._unanswered = 0
        if not self._bucket.take(self._clock.monotonic_ns()):
            self.close(RATE_LIMIT)

    def _overflowed(self) -> None:
        self._metrics.outbox_overflows.inc()
        log.warning("outbox_overflowed", connection_id=self.id)
        self.close(SLOW_CONSUMER)

    def _beat(self) -> None:
        if self._channel.closing is not None:
            return
        if self._parts.is_dead(self.session, self._unanswered):
            self.close(NO_HEARTBEAT)
            return
        self._unanswered += 1
        self.session.post(Heartbeat(self._clock.monotonic_ns()))
        self._channel.beat()
        self._after("beat", self._settings.heartbeat_s, self._beat)

    def _check_expiry(self) -> None:
        left_s = self._identity.expires_s - self._clock.now().timestamp()
        if left_s <= 0:
            self.close(TOKEN_EXPIRED)
        else:
            self._after("expiry", min(left_s, LONGEST_TIMER_S), self._check_expiry)

    def _after(self, name: str, delay_s: float, callback: Callable[[], None]) -> None:
        self._timers[name] = asyncio.get_running_loop().call_later(delay_s, callback)
