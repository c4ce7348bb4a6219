"""Users who act as one: slice after slice, each over before the next begins."""

import random
import time
from collections.abc import Callable, Iterator
from typing import ClassVar, Final

from gevent import joinall, sleep, spawn
from locust import task
from msgspec.structs import replace

from streamgauge.core.observation import Gauged
from streamgauge.core.slices import Turn
from streamgauge.load.bench import Bench
from streamgauge.load.server_metrics import ask
from streamgauge.load.user import AgentUser
from streamgauge.script import duration_s, fails, makes, pause_s

Blocks = Callable[[int, int], Iterator[tuple[Turn, ...]]]  # from the runs of a user in a turn, and the seed

_SETTLE_S: Final = 0.2  # after the last user's arrival
_SPARE: Final = 1.5  # a block is begun where so many times the longest one is left
_BEFORE_S: Final = 1.5  # Locust begins to count a run's time before its users can be measured
_IDLE_S: Final = 3600.0


class Together(AgentUser):
    """A user who does nothing of its own accord, but makes the runs of every turn with all others.

    `blocks` of a scenario says what the turns are. All users must be in one process.
    """

    abstract = True
    blocks: Blocks
    _conductor: ClassVar["Conductor | None"] = None

    def on_start(self) -> None:
        """Connect, and join the others."""
        super().on_start()
        conductor = Together._conductor
        if conductor is None or conductor.bench is not self.bench:
            conductor = Together._conductor = Conductor(self.bench, type(self).blocks)
        conductor.join(self)

    def wait_time(self) -> float:
        """The turns come from elsewhere."""
        return _IDLE_S

    @task
    def wait_for_turns(self) -> None:
        """Nothing."""

    def on_stop(self) -> None:
        """Take no more turns, and drain."""
        if Together._conductor is not None:
            Together._conductor.stopping = True
        super().on_stop()

    def play(self, turn: Turn) -> None:
        """Make the runs of a turn, each when the server's account of the last one has come."""
        tab, script = self.tabs[0], self.persona.script
        for place in range(turn.runs):
            if not tab.open:
                return
            numbers = random.Random(f"{turn.seed} {self.name} {place}")  # noqa: S311 - times of an agent
            request = self._request(tab, next(self._asked))
            options = {**request.options, **turn.options, "seed": numbers.getrandbits(31)}
            run = tab.ask(
                replace(request, options=options),
                time.monotonic_ns(),
                takes_s=duration_s(script),
                pause_s=pause_s(script),
                fails=fails(script),
                silent=turn.silent,
                makes=makes(script),
            )
            if run is not None:
                run.reported.wait(self.plan.slack + duration_s(script))


class Conductor:
    """Hands out turns when all users of the plan are there, for as long as the run lasts."""

    def __init__(self, bench: Bench, blocks: Blocks) -> None:
        self.bench = bench
        self.stopping = False
        self._blocks = blocks(bench.plan.slice_runs, bench.plan.seed)
        self._users: list[Together] = []
        self._ends_ns = bench.began_ns + int((bench.plan.duration - _BEFORE_S) * 1e9)

    def join(self, user: Together) -> None:
        """One more user is there."""
        self._users.append(user)
        if len(self._users) == self.bench.plan.users:
            spawn(self._guarded)

    def _guarded(self) -> None:
        try:
            self._conduct()
        except Exception as error:  # noqa: BLE001 - gevent would only print it
            self.bench.trouble(f"{type(error).__name__} between slices: {error}")

    def _conduct(self) -> None:
        sleep(_SETTLE_S)
        longest_ns = 0
        for block in self._blocks:
            began_ns = time.monotonic_ns()
            if self._over() or began_ns + _SPARE * longest_ns > self._ends_ns:
                break
            for turn in block:
                self._border(turn)
                joinall([spawn(user.play, turn) for user in self._users])
                if self._over():
                    return  # what was cut short is no slice
            longest_ns = max(longest_ns, time.monotonic_ns() - began_ns)
        self._border(None)

    def _over(self) -> bool:
        return self.stopping or self.bench.exhausted or not any(user.tabs[0].open for user in self._users)

    def _border(self, turn: Turn | None) -> None:
        """Read the server's processor time: one slice ends, another begins."""
        server = ask(self.bench.plan.target, self.bench.dialer.context)
        cpu_ns = -1 if server is None or server.cpu_s is None else round(server.cpu_s * 1e9)
        if turn is None or not turn.counted:
            row = Gauged(0, time.monotonic_ns(), cpu_ns)
        else:
            runs = turn.runs * len(self._users)
            row = Gauged(0, time.monotonic_ns(), cpu_ns, turn.arm, turn.block, runs)
        self.bench.record(row)
