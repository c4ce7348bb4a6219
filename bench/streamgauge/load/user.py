"""What a scenario subclasses: a user who connects, asks when a request is due, and drains."""

import random
import time
from collections.abc import Iterator
from itertools import count
from typing import ClassVar, Final

from gevent import Greenlet, joinall, sleep, spawn
from locust import User
from locust.exception import StopUser
from msgspec.structs import replace

from streamgauge.core import schedule
from streamgauge.core.canary import mint
from streamgauge.load.bench import Bench
from streamgauge.load.connection import Connection, NotConnected, Run
from streamgauge.protocol import Request

# Open loop has its end where one user has so many runs under way: the rest is counted as unsent.
MOST_UNDER_WAY: Final = 16


class AgentUser(User):
    """One user of the measured server, with one connection to it.

    A scenario's task asks for what is `due()`; between tasks the user waits for
    the next due time, which is set by the plan and not by when answers come.
    """

    abstract = True
    bench: ClassVar[Bench]  # set by the harness when a run begins
    _numbers: ClassVar[Iterator[int]]

    def on_start(self) -> None:
        """Connect, and take up the schedule."""
        number = next(AgentUser._numbers)
        self.plan = self.bench.plan
        self.name = f"u{self.bench.index}-{number}"
        self.random = random.Random(f"{self.plan.seed} {self.name}")  # noqa: S311 - behaviour, not secrets
        self.canary = mint(self.bench.random)
        self._asked = count(1)
        self._leaving: list[Greenlet[..., None]] = []
        self.connection = self.dial()
        self._schedule = self.schedule()
        self._next_ns = next(self._schedule)

    def dial(self) -> Connection:
        """Open a connection of this user; the user stops where that fails."""
        connection = Connection(self.bench, self.name, self.canary)
        try:
            connection.connect()
        except NotConnected as error:
            self.bench.unconnected(str(error))
            raise StopUser from error
        return connection

    def schedule(self) -> Iterator[int]:
        """When this user's requests are due, on the monotonic clock."""
        interval_ns = int(self.plan.interval * 1e9)
        now_ns = time.monotonic_ns()
        match self.plan.arrivals:
            case "poisson":
                return schedule.poisson(now_ns, interval_ns, self.random)
            case "constant":
                return schedule.constant(now_ns, interval_ns, self.random.random())
            case "lockstep":
                return schedule.lockstep(now_ns, interval_ns)

    def wait_time(self) -> float:
        """Seconds until the next request is due."""
        return max(0.0, (self._next_ns - time.monotonic_ns()) / 1e9)

    def due(self) -> Iterator[int]:
        """The due times that have come, in order; late ones are not forgiven."""
        if not self.connection.open:
            raise StopUser
        while self._next_ns <= time.monotonic_ns():
            due_ns = self._next_ns
            self._next_ns = next(self._schedule)
            yield due_ns

    def ask(self, due_ns: int, **overrides: str) -> Run | None:
        """Send the request that was due at `due_ns`; None where it had to be left.

        `overrides` replace fields of the request: `text`, `request`, `thread`, `agent`.
        """
        if self.connection.under_way >= MOST_UNDER_WAY:
            self.connection.skip(due_ns, "too many runs of the user under way")
            return None
        number = next(self._asked)
        nonce = f"{self.name}.{self.connection.number}.{number}"
        request = Request(
            text=f"{self.random.choice(self.plan.prompts)} {self.canary}",
            request=f"q-{nonce}",
            thread=f"t-{nonce}",
            agent=self.plan.agent,
            context={"canary": self.canary, "nonce": nonce},
        )
        return self.connection.ask(replace(request, **overrides), due_ns)

    def cancel_soon(self, run: Run, round_trips: float) -> None:
        """Cancel a run so many round trips after it was accepted, unless it has ended by then."""
        run.accepted.wait(self.plan.slack)
        sleep(round_trips * (time.monotonic_ns() - run.asked.at_ns) / 1e9)
        self.connection.cancel(run)

    def reopen(self) -> None:
        """Go on with a second socket, and close the older one when its runs have ended."""
        older, self.connection = self.connection, self.dial()
        self._leaving = [leave for leave in self._leaving if not leave.ready()]
        self._leaving.append(spawn(_leave, older))

    def on_stop(self) -> None:
        """Drain: wait for what is under way, then leave."""
        if connection := getattr(self, "connection", None):
            _leave(connection)
            joinall(self._leaving)


def _leave(connection: Connection) -> None:
    connection.drain()
    connection.close()


def begin(bench: Bench) -> None:
    """Have all users of this process measured by `bench`, and number them anew."""
    AgentUser.bench = bench
    AgentUser._numbers = count(1)  # noqa: SLF001 - of this module
