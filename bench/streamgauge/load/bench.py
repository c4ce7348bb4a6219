"""What one process measures with: the analysis, the recording, the clocks, the sockets."""

import random
import secrets
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.measured import hits
from streamgauge.core.observation import Arrival, Observation
from streamgauge.core.recording import End, Header
from streamgauge.core.resources import Held
from streamgauge.core.timeline import Origin
from streamgauge.core.vitals import Vitals
from streamgauge.load.dialer import Dialer
from streamgauge.load.locust_stats import Finished
from streamgauge.load.pinger import Pinger
from streamgauge.load.raw import RawRecorder
from streamgauge.load.recorder import Recorder
from streamgauge.load.server_metrics import Holding
from streamgauge.load.stamps import KernelClock, own_clock
from streamgauge.load.vitals import VitalSigns
from streamgauge.plan import Plan, digest
from streamgauge.protocol import PROTOCOLS
from streamgauge.report.redact import redacted

if TYPE_CHECKING:
    from streamgauge.load.connection import Connection
    from streamgauge.load.transport import Transport

_MOST_SHOWN: Final = 500  # characters of a trouble: exceptions and servers may say much


class Share(Struct, frozen=True):
    """What one process brings home: its state and its own account of itself."""

    worker: str
    state: AnalysisState
    cpu_s: float
    recording: str
    unconnected: dict[str, int]  # why users could not connect -> how many
    troubles: tuple[str, ...] = ()
    clock_steps: int = 0
    origin: Origin = Origin("")  # of the state's times
    vitals: Vitals | None = None


class Snapshot(Struct, frozen=True):
    """How far a process is, for the progress line."""

    users: int = 0
    events: int = 0
    findings: int = 0
    runs: int = 0
    unsent: int = 0
    asked: int = 0
    hits: dict[str, int] = {}  # by the names of the rates that count them

    def counted(self) -> dict[str, int]:
        """What conditions may speak of."""
        return {
            "users": self.users,
            "events": self.events,
            "findings": self.findings,
            "runs": self.runs,
            **self.hits,
        }

    def __add__(self, other: "Snapshot") -> "Snapshot":
        return Snapshot(
            self.users + other.users,
            self.events + other.events,
            self.findings + other.findings,
            self.runs + other.runs,
            self.unsent + other.unsent,
            self.asked + other.asked,
            dict(Counter(self.hits) + Counter(other.hits)),
        )


class Bench:
    """One process's part of one run."""

    def __init__(
        self,
        plan: Plan,
        worker: str,
        index: int,
        folder: Path,
        secret: str,
        workers: int = 1,
        *,
        crowd: str = "u",
    ) -> None:
        self.plan = plan
        self.worker = worker
        self.index = index
        self.crowd = crowd  # what the users' names begin with
        self.secret = secret
        self.dialect = PROTOCOLS[plan.protocol]
        self.dialer = Dialer(plan)  # first: it may refuse the plan
        self.clock = KernelClock()
        self.random = random.SystemRandom()
        self.masks = _masks()
        self.own_clock = own_clock()
        self.pinger = Pinger(self.trouble)
        self.connections: set[Connection] = set()
        self.finished: deque[Finished] = deque()
        self.runs = 0
        self.unsent = 0
        self.asked = 0
        self.dialling = 0  # connections that are being opened
        self.most = share_of(plan.most_runs, max(index, 0), workers) if plan.most_runs else None
        self._gone: deque[tuple[int, int]] = deque()  # when connections ended, each with runs under way
        self.frozen: set[Transport] = set()  # sockets that nobody reads any more, and nobody has closed
        self._unconnected: dict[str, int] = {}
        self._troubles: dict[str, int] = {}
        self._numbers = 0
        self._finished = False
        self.drains = True  # whether users wait for their runs to end when they stop
        self._cpu_s = time.process_time()
        self.began_ns = time.monotonic_ns()
        self._origin = Origin(self.own_clock, time.time_ns() - self.began_ns)
        self._analysis = Analysis(plan.limits, self.own_clock, self.began_ns, plan.promises)
        self.raw: RawRecorder | None = None
        if plan.record == "raw":
            path = folder / "recording" / f"worker-{max(index, 0)}.raw.jsonl"
            self.raw = RawRecorder(path, secret, 2 * plan.max_message_bytes)
        self._recorder = Recorder(
            folder / "recording" / f"worker-{max(index, 0)}.sgr",
            Header(
                worker=worker,
                protocol=plan.protocol,
                clock=self.own_clock,
                began_ns=self.began_ns,
                limits=plan.limits,
                required=tuple(plan.needed),
                promises=tuple(sorted(plan.promises)),
                plan=digest(plan),
                most_runs=plan.most_runs,
                thresholds=plan.gates,
                epoch_ns=self._origin.epoch_ns,
                doubts=plan.doubts,
                load_ns=plan.load_ns if plan.is_steady else None,
            ),
        )
        since_ns, until_ns = plan.load_ns
        self._vitals = VitalSigns(
            self._under_way, (self.began_ns + since_ns, self.began_ns + until_ns), self.random
        )

    def _under_way(self) -> int:
        return sum(connection.under_way for connection in self.connections)

    def bury(self, frozen: "Transport") -> None:
        """Close a socket that nobody reads any more."""
        self.frozen.discard(frozen)
        frozen.close()

    def bury_all(self) -> None:
        """Close whatever nobody reads any more."""
        for frozen in list(self.frozen):
            self.bury(frozen)

    def note_gone(self, runs: int) -> None:
        """A connection has ended, with so many runs under way: for a while the server may still have them."""
        self._gone.append((time.monotonic_ns(), runs))

    def holding(self) -> Holding:
        """The most of this process that the server can have: what is open or opens, and what went lately."""
        since_ns = time.monotonic_ns() - int(self.plan.linger * 1e9)
        while self._gone and self._gone[0][0] < since_ns:
            self._gone.popleft()
        held = Held(
            len(self.connections) + self.dialling + len(self._gone),
            self._under_way() + sum(runs for _, runs in self._gone),
        )
        return Holding(held, self._numbers, self.asked)

    def number(self) -> int:
        """A number for a new connection."""
        self._numbers += 1
        return self._numbers

    def reserve(self, numbers: Iterable[int]) -> None:
        """Give these numbers to no new connection."""
        self._numbers = max(self._numbers, *numbers, 0)

    @property
    def exhausted(self) -> bool:
        """Whether as many runs were asked for as the plan allows."""
        return self.asked == self.most

    def take(self) -> bool:
        """Take one more run out of those that the plan allows; False where none is left."""
        if self.exhausted:
            return False
        self.asked += 1
        return True

    def record(self, row: Observation) -> None:
        """Take a row into the analysis and the recording; it must be the latest so far.

        What comes after the end is nobody's.
        """
        if self._finished:
            return
        self._analysis.add(row)
        self._recorder.add(row)

    def read(self, rows: list[Arrival]) -> None:
        """Take what one read of one connection brought, in its order."""
        if self._finished or not rows:
            return
        for row in rows:
            self._analysis.add(row)
        self._recorder.extend(rows)

    def trouble(self, what: str) -> None:
        """Something went wrong on our side: the verdict cannot be trusted."""
        what = redacted(what, _MOST_SHOWN)
        self._troubles[what] = self._troubles.get(what, 0) + 1

    def unconnected(self, why: str) -> None:
        """A user could not connect."""
        why = redacted(why, _MOST_SHOWN)
        self._unconnected[why] = self._unconnected.get(why, 0) + 1

    def snapshot(self) -> Snapshot:
        """How far it is."""
        known = self._analysis
        return Snapshot(
            len(self.connections),
            known.events,
            known.findings,
            self.runs,
            self.unsent,
            self.asked,
            hits(known.counts(), leaks=known.leaks, stalled=known.stalled),
        )

    def let_go(self) -> None:
        """Wait for no run any more: what is under way is abandoned."""
        self.drains = False
        for connection in list(self.connections):
            connection.abandon()

    def finish(self, aborted: str = "", *, cut_short: bool = False) -> Share:
        """Close what is open, settle what is left, and give the result.

        `cut_short`: before its time; `aborted` is why, where nobody but we stopped it.
        """
        self.pinger.stop()
        for connection in list(self.connections):
            connection.abandon()
        self._finished = True
        vitals = self._vitals.finish()
        at_ns = time.monotonic_ns()
        state = self._analysis.finish(at_ns)
        cpu_s = time.process_time() - self._cpu_s
        said, unconnected, steps = self._said(), self._unconnected, self.clock.steps
        self._recorder.end(End(at_ns, said, unconnected, steps, vitals, aborted, cut_short, cpu_s))
        self.clock.close()
        if self.raw is not None:
            self.raw.close()
            if self.raw.trouble:
                self.trouble(self.raw.trouble)
        if self._recorder.trouble:
            self.trouble(self._recorder.trouble)
        return Share(
            worker=self.worker,
            state=state,
            cpu_s=cpu_s,
            recording=str(self._recorder.path),
            unconnected=self._unconnected,
            troubles=self._said(),
            clock_steps=self.clock.steps,
            origin=self._origin,
            vitals=vitals,
        )

    def _said(self) -> tuple[str, ...]:
        return tuple(f"{n} × {what}" for what, n in self._troubles.items())


def share_of(total: int, index: int, of: int) -> int:
    """The part of a total that is due to one of several; all parts together are the total."""
    return total // of + (index < total % of) if index < of else 0


def _masks() -> Iterator[bytes]:
    """Masks of frames, which nobody can foretell (RFC 6455 section 5.3): many from one call of the kernel."""
    while True:
        drawn = secrets.token_bytes(4096)
        yield from (drawn[start : start + 4] for start in range(0, len(drawn), 4))
