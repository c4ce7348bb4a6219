"""A bystander: a user who asks again and again, and whose stream must stay whole while others attack."""

import random
import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from streamgauge.core.canary import mint
from streamgauge.core.event import TERMINAL, Kind
from streamgauge.core.observation import Asked, Closed, Malformed, Observation, Opened, Received
from streamgauge.plan import Plan
from streamgauge.protocol import PROTOCOLS, Observer, Request
from streamgauge.protocol.native_attacks import Greeting, read_greeting
from streamgauge.rig.attacker.line import Door, Line
from streamgauge.script import duration_s, fails, makes, pause_s
from streamgauge.wire import Unreadable

_PAUSE_S: Final = 0.05  # between an answer and the next request
_TURN_S: Final = 0.25  # how long it does not look whether it is to stop


class UnderWay(Struct, frozen=True):
    """A run that is going on: whose, and all of its names."""

    user: str
    request: str
    thread: str
    run: str


class Bystander:
    """Asks one thing after another until told to stop; every row goes to `add`.

    `accepted` is called at the beginning of every run. `harm` is what happened to it that
    no rule of a stream shows: that it was refused, or its connection ended.
    """

    def __init__(
        self,
        number: int,
        plan: Plan,
        add: Callable[[Observation], None],
        accepted: Callable[[UnderWay], None],
    ) -> None:
        self.user = f"bystander-{number}"
        self.harm: list[str] = []
        self.under_way: UnderWay | None = None
        self.runs = 0
        self.greeting = Greeting()
        self._conn = number
        self._plan = plan
        self._persona = plan.personas[0]
        self._dialect = PROTOCOLS[plan.protocol]
        self._add = add
        self._accepted = accepted
        self.canary = mint(random.SystemRandom())
        self._observer = Observer(number, self.canary, self._dialect.reader(), plan.max_message_bytes)
        self._stopping = False
        self._leaving = False
        self._settled = True
        self._greeted = not self._dialect.greets
        self._asked: Request | None = None
        self._line: Line

    async def open(self, door: Door) -> None:
        """Connect and be greeted. Raises `OSError`, also where it is not let in."""
        began_ns = time.monotonic_ns()
        self._line = await Line.open(door, door.token(self.user), canary=self.canary)
        if self._line.answer != "accepted":
            raise ConnectionRefusedError(f"{self.user} is not let in: {self._line.answer}")
        self._add(Opened(self._conn, time.monotonic_ns(), self.user, self.canary, began_ns))
        await self._read_until(lambda: self._greeted, door.timeout_s)

    async def live(self) -> None:
        """Ask until told to stop, then see the last run to its end."""
        while not self._stopping and self._line.is_open:
            await self._ask()
            within_s = duration_s(self._persona.script) + self._plan.slack
            await self._read_until(lambda: self._settled, within_s)
            await self._read_until(lambda: self._stopping, _PAUSE_S)
        await self._read_until(lambda: False, self._plan.grace)
        ours = self._line.is_open
        if not ours:
            self.harm.append(f"the connection of {self.user} was ended: {self._line.close_code or 'cut'}")
        self._add(Closed(self._conn, time.monotonic_ns(), self._line.close_code or 1000, ours))
        await self._line.leave()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stopping = True

    def let_go(self) -> None:
        """Leave, whatever is under way."""
        self._stopping = self._leaving = True

    async def _ask(self) -> None:
        self.runs += 1
        prompt, persona = self._persona.prompts[0], self._persona
        options = {"script": msgspec.to_builtins(persona.script)} if persona.script else {}
        asked = Request(
            text=f"{prompt} {self.canary}",
            request=f"q-{self.user}-{self.runs}",
            thread=f"t-{self.user}-{self.runs}",
            agent=persona.agent,
            context={"canary": self.canary},
            options=options,
        )
        now_ns, echo = time.monotonic_ns(), self._dialect.echo(asked)
        within_s = duration_s(persona.script) + self._plan.slack
        row = Asked(
            self._conn, now_ns, asked.request, echo.thread, echo.agent, echo.context, now_ns,
            now_ns + int(within_s * 1e9), int(pause_s(persona.script) * 1e9), fails(persona.script),
            makes=makes(persona.script) if self._dialect.scripts else None,
        )  # fmt: skip
        self._asked, self._settled = asked, False
        self._add(row)
        self._observer.expect(asked, echo)
        await self._line.say(self._dialect.start(asked))
        if not self._dialect.accepts:
            self._begin(asked.request)

    async def _read_until(self, reached: Callable[[], bool], within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while (
            not (reached() or self._leaving)
            and self._line.is_open
            and (left := deadline - time.monotonic()) > 0
        ):
            for message in await self._line.read(min(left, _TURN_S)):
                now_ns = time.monotonic_ns()
                if isinstance(message, bytes):
                    self._take(message, self._observer.observe(message, now_ns, 0, exact=False))
                elif isinstance(message, Unreadable):
                    self._add(self._observer.refuse(message.payload, now_ns, message.size, message.reason))
                elif overheard := self._observer.overhear(message.payload, now_ns, message.where):
                    self._add(overheard)

    def _take(self, message: bytes, row: Received | Malformed) -> None:
        self._add(row)
        if isinstance(row, Malformed):
            return
        event, asked = row.event, self._asked
        if event.kind == Kind.GREETING:
            self._greeted, self.greeting = True, read_greeting(message)
        elif asked and event.kind == Kind.ACCEPTED and event.request == asked.request:
            self._begin(event.run)
        elif event.kind == Kind.REFUSED:
            self.harm.append(f"{self.user} was refused what it is due: {event.status}")
            self._settle()
        elif self.under_way and event.kind in TERMINAL and event.run == self.under_way.run:
            self._settle()

    def _begin(self, run: str) -> None:
        assert self._asked is not None
        self.under_way = UnderWay(self.user, self._asked.request, self._asked.thread, run)
        self._accepted(self.under_way)

    def _settle(self) -> None:
        self.under_way, self._settled = None, True
