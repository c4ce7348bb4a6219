"""What the attacks share: how to get in, who the attacker is, and whose runs are under way."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import cached_property
from types import MappingProxyType
from typing import Final

from streamgauge.core.attack import Leaked, Seen, Try
from streamgauge.core.canary import mint
from streamgauge.core.event import Kind
from streamgauge.plan import Plan
from streamgauge.protocol import PROTOCOLS, Dialect, Request
from streamgauge.protocol.dialect import Unreadable
from streamgauge.protocol.forgery import forged
from streamgauge.protocol.native_attacks import Greeting
from streamgauge.rig.attacker.bystander import Bystander, UnderWay
from streamgauge.rig.attacker.line import Door, Line

ATTACKER: Final = "attacker"
ANSWER_S: Final = 5.0  # within which what was said is answered
_MOST_TURNS: Final = 20  # of an attack: each waits for a run and an answer
_ANSWERS: Final = frozenset({Kind.REFUSED, Kind.ACK, Kind.OTHER})
# Those that wait go on at once, each in a task of its own: whose a line is, its task knows.
_lines: ContextVar[list[tuple[str, Line]]] = ContextVar("the lines of an attack, each with its user")


class Scene:
    """Where the attacks take place."""

    def __init__(self, plan: Plan, door: Door, rng: random.Random) -> None:
        self.plan = plan
        self.door = door
        self.rng = rng
        self.dialect: Dialect = PROTOCOLS[plan.protocol]
        self.bystanders: list[Bystander] = []
        self.latest: UnderWay | None = None
        self.canary = mint(random.SystemRandom())
        self._next = asyncio.get_running_loop().create_future()
        self._asked = 0
        self.watch()

    @cached_property
    def forged(self) -> Mapping[str, str | None]:
        """The tokens that nobody should believe, by their attacks; to find primes for them takes a second."""
        door = self.door
        return forged(ATTACKER, door.secret, time.time(), door.login, self.rng) if door.login.signs else {}

    def accepted(self, run: UnderWay) -> None:
        """A bystander's run has begun."""
        self.latest = run
        if not self._next.done():
            self._next.set_result(run)

    async def victim(self) -> UnderWay | None:
        """The next run of a bystander, as soon as it begins; None where none does."""
        self._next = asyncio.get_running_loop().create_future()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.plan.slack + ANSWER_S):
                run: UnderWay = await self._next
                return run
        return None

    def let_go(self) -> None:
        """Wait for no bystander's run any more."""
        for bystander in self.bystanders:
            bystander.let_go()

    def is_under_way(self, run: UnderWay) -> bool:
        """Whether it has not ended yet."""
        return any(bystander.under_way == run for bystander in self.bystanders)

    async def live(self) -> UnderWay | None:
        """The latest run that goes on, which has most before it; where none does, the next that begins."""
        if self.latest and self.is_under_way(self.latest):
            return self.latest
        others = (bystander.under_way for bystander in self.bystanders)
        return next(filter(None, others), None) or await self.victim()

    @property
    def greeting(self) -> Greeting:
        """What the server says of its sessions and sizes."""
        return self.bystanders[0].greeting

    @property
    def largest(self) -> int:
        """The bytes that a message may have."""
        return self.greeting.max_message_bytes or self.plan.max_message_bytes

    @property
    def longest_s(self) -> float:
        """After which an attack is given up: none may hang, whatever the server does."""
        return 2 * self.plan.attack.patience + _MOST_TURNS * (self.plan.slack + ANSWER_S)

    def watch(self) -> None:
        """Begin an attack: its lines are those that are opened from now on in this task."""
        _lines.set([])

    async def open(
        self, token: str | None, user: str = ATTACKER, more: Mapping[str, str] = MappingProxyType({})
    ) -> Line:
        """A connection by this token, whatever is answered. Raises `OSError`."""
        line = await Line.open(self.door, token, canary=self.canary, more=more)
        _lines.get().append((user, line))
        return line

    async def line(self, user: str = ATTACKER) -> Line:
        """A connection of the attacker's own, past its greeting. Raises `OSError`."""
        line = await self.open(self.door.token(user), user)
        if line.answer != "accepted":
            line.drop()
            raise ConnectionRefusedError(f"{user} is not let in: {line.answer}")
        if self.dialect.greets:
            await line.take(lambda message: self.kind(message) == Kind.GREETING, ANSWER_S)
        return line

    def request(self, text: str = "", request: str = "", thread: str = "") -> Request:
        """An honest request of the attacker, by names of its own where none are given."""
        self._asked += 1
        persona = self.plan.personas[0]
        return Request(
            text=text or f"{persona.prompts[0]} {self.canary}",
            request=request or f"q-{ATTACKER}-{self._asked}",
            thread=thread or f"t-{ATTACKER}-{self._asked}",
            agent=persona.agent,
            context={"canary": self.canary},
        )

    def leak(self) -> Leaked | None:
        """Whose canary came by a line of this attack, and in which message; None: nobody's did."""
        return next((self._leaked(line, user) for user, line in _lines.get() if line.leaked), None)

    def _leaked(self, line: Line, user: str) -> Leaked:
        token, size = line.leaked.split()[0], len(line.leaking)
        other = next((one.user for one in self.bystanders if one.canary.startswith(token)), "")
        try:
            event, _ = self.dialect.reader().read(line.leaking)
        except Unreadable:
            return Leaked(other, user, token, "no message", line.leaked_ns, size)
        kind = Kind(event.kind).name.lower()
        return Leaked(other, user, token, kind, line.leaked_ns, size, event.run, event.seq, event.offset)

    def kind(self, message: bytes) -> int:
        """What a message is, by a reader that remembers nothing."""
        try:
            return self.dialect.reader().read(message)[0].kind
        except Unreadable:
            return Kind.OTHER

    def is_answer(self, message: bytes) -> bool:
        """Whether it answers something that was said, and is no event nor the server's own."""
        return self.kind(message) in _ANSWERS

    def answer(self, message: bytes | None) -> Try:
        """What a message answers to what was said, in the words of the list."""
        if message is None:
            return Try("kept", f"no answer in {ANSWER_S:g} s")
        try:
            event, _ = self.dialect.reader().read(message)
        except Unreadable as error:
            return Try("correct", f"no message of the protocol: {error}")
        if event.kind == Kind.REFUSED:
            return Try(f"error {event.status}")
        return Try("correct", Kind(event.kind).name.lower())


Carry = Callable[[Scene], Awaitable[Seen]]
