"""What a scenario subclasses: a user who connects, asks when a request is due, and drains."""

import math
import random
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import ClassVar, Final

import msgspec
from gevent import Greenlet, GreenletExit, joinall, sleep, spawn
from gevent.event import Event as Flag
from locust import User, task
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING
from msgspec.structs import replace

from streamgauge.arrivals import due_times
from streamgauge.cast import Cast
from streamgauge.core.canary import mint
from streamgauge.distribution import draw
from streamgauge.load.bench import Bench
from streamgauge.load.connection import Connection
from streamgauge.load.refusal import NotConnected
from streamgauge.load.run import Run
from streamgauge.persona import choose
from streamgauge.protocol import Request
from streamgauge.script import duration_s, fails, makes, pause_s

# Open loop has its end where one socket has so many runs under way: the rest is counted as unsent.
MOST_UNDER_WAY: Final = 16
ROUND_TRIPS: Final = 4  # an interruption comes before so many have passed


class AgentUser(User):
    """One user of the measured server: a persona of the plan, with a socket for each of its tabs.

    A scenario's task asks for what is `due()`; between tasks the user waits for the
    next due time, which is set by the plan and not by when answers come, unless its
    persona thinks between its runs (closed loop).
    """

    abstract = True
    under: ClassVar[Bench | None] = None  # set by the harness when a run begins
    cast: ClassVar[Cast | None] = None  # set with it, where users of an earlier run act once more
    bench: Bench
    _numbers: ClassVar[Iterator[int]]

    def on_start(self) -> None:
        """Connect, and take up the schedule; where there is no run to be part of, stop."""
        if AgentUser.under is None:
            raise GreenletExit  # as StopUser, but Locust does not log it with a traceback for every user
        self.bench = AgentUser.under
        number = next(AgentUser._numbers)
        self.plan = self.bench.plan
        cast, part = AgentUser.cast, AgentUser.cast.parts[number - 1] if AgentUser.cast else None
        self.name = part.name if part else f"{self.bench.crowd}{self.bench.index}-{number}"
        self.random = random.Random(f"{self.plan.seed} {self.name}")  # noqa: S311 - behaviour, not secrets
        self.persona = choose(self.plan.personas, self.random)
        persona, script = self.persona, self.persona.script
        self._interrupts = persona.cancel_share + persona.speak_share + persona.leave_share > 0
        self._takes_s, self._pause_s, self._fails = duration_s(script), pause_s(script), fails(script)
        self._makes = makes(script)
        self.canary = mint(self.bench.random)
        self._asked = count(1)
        self._round_trip_s = math.inf
        self._beside: list[Greenlet[..., None]] = []  # what the user does besides its task
        self.tabs: list[Connection] = []
        self._known_as = iter(part.conns if part else ())
        self._sends_from_ns = 0
        # what a scenario reckons from: of who acts once more, that of the earlier run
        self.began_ns, self.opened_ns = self.bench.began_ns, 0
        self._converses = persona.think is not None and cast is None  # else it asks when the schedule says
        began_ns = self.bench.began_ns
        if cast and part:
            self._sends_from_ns = cast.at_ns(cast.from_ns, began_ns)
            self.began_ns, self.opened_ns = cast.at_ns(0, began_ns), cast.at_ns(part.opened_ns, began_ns)
            sleep(max(0, cast.at_ns(part.opened_ns, began_ns) - time.monotonic_ns()) / 1e9)
        try:
            for _ in range(self.persona.tabs):
                self.tabs.append(self.dial())
        except StopUser as error:
            raise GreenletExit from error
        self.opened_ns = self.opened_ns or time.monotonic_ns()
        self._schedule = due_times(self.plan.arrivals, began_ns, time.monotonic_ns(), self.random)
        if cast and part:
            self._schedule = cast.schedule(part, began_ns, self._schedule)
        self._next_ns = next(self._schedule)

    def dial(self) -> Connection:
        """Open a connection of this user; the user stops where that fails."""
        self.bench.dialling += 1
        try:
            connection = Connection(self.bench, self.name, self.canary, next(self._known_as, 0))
            connection.connect()
        except NotConnected as error:
            self.bench.unconnected(str(error))
            raise StopUser from error
        finally:
            self.bench.dialling -= 1
        return connection

    def wait_time(self) -> float:
        """Seconds until the next request is due."""
        return max(0.0, (self._next_ns - time.monotonic_ns()) / 1e9)

    def due(self) -> Iterator[int]:
        """The due times that have come, in order; late ones are not forgiven, nor those without a socket."""
        while self._next_ns <= time.monotonic_ns() and self._state != LOCUST_STATE_STOPPING:
            due_ns = self._next_ns
            self._next_ns = next(self._schedule)
            yield due_ns

    def ask(self, due_ns: int, **overrides: str) -> Run | None:
        """Send the request that was due at `due_ns`, and do with its run what the persona does.

        `overrides` replace fields of the request: `text`, `request`, `thread`, `agent`.
        None where the request had to be left; that is counted.
        """
        run = self._send(due_ns, overrides)
        if self._converses:
            if run is not None:
                run.over.wait(self.plan.slack + self._takes_s)
                self._think(run)
        else:
            self._thought_ns()  # nothing, but where it thought when it did this before
        return run

    def _send(
        self, due_ns: int, overrides: dict[str, str] | None = None, over: Flag | None = None
    ) -> Run | None:
        number = next(self._asked)
        tab = self.tabs[number % len(self.tabs)]
        if tab.under_way >= MOST_UNDER_WAY:
            tab.skip(due_ns, "too many runs of the user under way")
            return None
        request = self._request(tab, number)
        if overrides:
            request = replace(request, **overrides)
        if due_ns < self._sends_from_ns:  # it was sent once, and is drawn for what is drawn after it
            if self._interruption():
                self._delay()
            return None
        run = tab.ask(
            request,
            due_ns,
            takes_s=self._takes_s,
            pause_s=self._pause_s,
            fails=self._fails,
            makes=self._makes,
            over=over,
        )
        if run is not None and (interrupt := self._interruption()):
            self._spawn(interrupt, tab, run)
        return run

    def _think(self, run: Run) -> None:
        """Closed loop: the next request is due when the user has thought about this run.

        From the run's end on, not from when somebody gets to know of it: that wait counts, too.
        """
        self._next_ns = (run.ended_ns or time.monotonic_ns()) + self._thought_ns()

    def _thought_ns(self) -> int:
        think = self.persona.think
        return 0 if not think else int(draw(think, self.random) * 1e9)

    def _request(self, tab: Connection, number: int) -> Request:
        persona = self.persona
        nonce = f"{self.name}.{tab.number}.{number}"
        thread = f"{self.name}.{tab.number}.{(number - 1) // (persona.runs_per_thread * persona.tabs)}"
        options: dict[str, object] = {}
        if persona.script:
            options = {"script": msgspec.to_builtins(persona.script), "seed": self.random.getrandbits(31)}
        return Request(
            text=f"{self.random.choice(persona.prompts)} {self.canary}",
            request=f"q-{nonce}",
            thread=f"t-{thread}",
            agent=persona.agent,
            context={"canary": self.canary, "nonce": nonce},
            options=options,
        )

    # what users do in mid-run

    def _interruption(self) -> Callable[[Connection, Run], None] | None:
        """What the persona does with this run, by its shares."""
        if not self._interrupts:
            return None
        drawn = self.random.random()
        for share, what in (
            (self.persona.cancel_share, self._cancel),
            (self.persona.speak_share, self._speak),
            (self.persona.leave_share, self._leave),
        ):
            if drawn < share:
                return what
            drawn -= share
        return None

    def _wait_a_little(self, run: Run) -> None:
        """Until a few round trips after the run was accepted."""
        run.accepted.wait(self.plan.slack)
        # the shortest that was seen: what a burst of requests adds is no way to the server
        self._round_trip_s = min(self._round_trip_s, (time.monotonic_ns() - run.asked.at_ns) / 1e9)
        sleep(self._delay() * self._round_trip_s)

    def _delay(self) -> float:
        """So many round trips."""
        return self.random.uniform(0, ROUND_TRIPS)

    def _cancel(self, tab: Connection, run: Run) -> None:
        self._wait_a_little(run)
        tab.cancel(run)

    def _speak(self, tab: Connection, run: Run) -> None:
        self._wait_a_little(run)
        tab.say(run, f"One more thing: {self.canary}")

    def _leave(self, tab: Connection, run: Run) -> None:
        """Close the socket with the run under way, and come back with another."""
        self._wait_a_little(run)
        if tab in self.tabs and tab.open:
            tab.close()
            self.tabs[self.tabs.index(tab)] = self.dial()

    def reopen(self) -> None:
        """Go on with a second socket, and close the older one when its runs have ended.

        Nobody does so for what was due before an earlier run is taken up: it has come to its last socket.
        """
        if time.monotonic_ns() < self._sends_from_ns:
            return
        older, self.tabs[0] = self.tabs[0], self.dial()
        self._spawn(_drain, older)

    def _spawn(self, what: Callable[..., None], *arguments: object) -> None:
        self._beside = [greenlet for greenlet in self._beside if not greenlet.ready()]
        self._beside.append(spawn(_quietly, what, *arguments))

    def on_stop(self) -> None:
        """Drain: wait for what is under way, then leave."""
        joinall(getattr(self, "_beside", []))
        joinall([spawn(_drain, tab) for tab in getattr(self, "tabs", [])])


class Asker(AgentUser):
    """A user who sends what is due, and that is all: the plan makes the scenario.

    In a closed loop, to wake a greenlet for every run costs more than its events do. So the
    callback that read the end of a run asks anew, as long as there is nothing to think about.
    But not while somebody connects: callbacks go first, and would leave greenlets no time for that.
    """

    abstract = True
    _latest: Run

    @task
    def ask_what_is_due(self) -> None:
        """Send every request that is due by now."""
        for due_ns in self.due():
            if not self._converses or self._interrupts:
                self.ask(due_ns)
            else:
                self._converse(due_ns)

    def _converse(self, due_ns: int) -> None:
        """Ask, and wait until the callbacks do not go on by themselves, or nothing comes any more."""
        run = self._send(due_ns)
        if run is None:
            return
        run.goes_on, self._latest = self._go_on, run
        try:
            while not run.over.wait(self._left_s()) and self._left_s():
                pass  # callbacks went on meanwhile: the latest run has a later deadline
        finally:  # also where this greenlet is told to end
            self._latest.goes_on = None
        if not self._latest.ended:  # it is overdue, or its connection is gone
            self._think(self._latest)

    def _left_s(self) -> float:
        """Until the latest run is overdue."""
        return max(0.0, (self._latest.asked.deadline_ns - time.monotonic_ns()) / 1e9)

    def _go_on(self, run: Run) -> bool:
        """A run has ended: ask again, if that is due already; called back, so that nothing may block."""
        self._think(run)
        stopping = self._state == LOCUST_STATE_STOPPING
        if stopping or self.bench.dialling or self._next_ns > time.monotonic_ns():
            return False
        following = self._send(self._next_ns, over=run.over)
        if following is None:
            self._next_ns = next(self._schedule)  # as after any other that could not be sent
            return False
        following.goes_on, self._latest = self._go_on, following
        return True


def _drain(connection: Connection) -> None:
    connection.drain()
    connection.close()


def _quietly(what: Callable[..., None], *arguments: object) -> None:
    """Beside the task there is no user to stop: that a socket could not be opened is counted already."""
    try:
        what(*arguments)
    except StopUser:
        return


def begin(bench: Bench | None, cast: Cast | None = None) -> None:
    """Have all users of this process measured by `bench`, and number them anew; without one they stop.

    They are those of `cast`, where there is one: as many as that has.
    """
    AgentUser.under, AgentUser.cast = bench, cast
    if bench and cast:
        bench.reserve(number for part in cast.parts for number in part.conns)
    AgentUser._numbers = count(1)  # noqa: SLF001 - of this module
