"""The runs that a user waits for on one connection, and what ends the waiting."""

from collections.abc import Callable
from typing import ClassVar, Final

from gevent.event import Event as Flag

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Asked
from streamgauge.load.bench import Bench, Finished

_WITH_RESULT: Final = (Kind.COMPLETED, Kind.REPORT)


class Run:
    """A run that this user asked for, while it is under way."""

    __slots__ = ("accepted", "agent", "asked", "ended", "ended_ns", "over", "reported", "request", "run")

    def __init__(self, asked: Asked, agent: str) -> None:
        self.asked = asked
        self.agent = agent
        self.request = asked.request
        self.run = ""
        self.accepted = Flag()
        self.over = Flag()  # ended, refused, or its connection is gone
        self.reported = Flag()  # the server gave its account, or none can come any more
        self.ended = False
        self.ended_ns = 0  # when that was read


class UnderWay:
    """The runs of one connection of `user`; `settled` is set while there are none."""

    __slots__ = ("_bench", "_requests", "_runs", "_unreported", "_user", "settled")

    def __init__(self, bench: Bench, user: str) -> None:
        self._bench = bench
        self._user = user
        self._requests: dict[str, Run] = {}
        self._runs: dict[str, Run] = {}
        self._unreported: dict[str, Run] = {}  # where the plan has slices, which need every account
        self.settled = Flag()

    def __len__(self) -> int:
        """How many requests are not settled."""
        return len(self._requests)

    @property
    def deadline_ns(self) -> int:
        """When the last of them is overdue; 0 where there are none."""
        return max((run.asked.deadline_ns for run in self._requests.values()), default=0)

    def begin(self, run: Run) -> None:
        """It was asked for."""
        self._requests[run.request] = run
        self.settled.clear()

    def give_up(self) -> None:
        """The connection is gone: nobody waits any more."""
        for run in (*self._requests.values(), *self._unreported.values()):
            run.accepted.set()
            run.over.set()
            run.reported.set()
        self.settled.set()

    def tell(self, event: Event, now_ns: int) -> None:
        """Take an event of one of `KINDS`, and wake who waits for it."""
        self._ACTS[event.kind](self, event, now_ns)

    def _start(self, event: Event, now_ns: int) -> None:
        if event.run not in self._runs:
            self._accept(event, now_ns)

    def _accept(self, event: Event, _now_ns: int) -> None:
        run = self._requests.get(event.request) or self._requests.get(event.run)
        if run and not run.run and event.user in ("", self._user):
            run.run = event.run
            self._runs[event.run] = run
            if self._bench.plan.slice_runs:
                self._unreported[event.run] = run
            run.accepted.set()

    def _report(self, event: Event, now_ns: int) -> None:
        run = self._unreported.pop(event.run, None)
        if run is None:
            return
        if run.asked.silent and not run.ended:
            self._ended(self._runs.pop(event.run, None), event, now_ns)
        run.reported.set()

    def _refuse(self, event: Event, now_ns: int) -> None:
        if refused := self._requests.get(event.request):
            self._ended(refused, event, now_ns)
            refused.reported.set()

    def _end(self, event: Event, now_ns: int) -> None:
        # a run without a start bears its request's name, if any
        self._ended(self._runs.pop(event.run, None) or self._requests.get(event.run), event, now_ns)

    def _ended(self, run: Run | None, event: Event, now_ns: int) -> None:
        if run is None:
            return
        run.ended, run.ended_ns = True, now_ns
        self._requests.pop(run.request, None)
        self._bench.runs += 1
        error = "" if event.kind in _WITH_RESULT else event.status or "error"
        took_ms = (now_ns - run.asked.due_ns) / 1e6
        self._bench.finished.append(Finished(run.agent, took_ms, error))
        run.accepted.set()
        run.over.set()
        if not self._requests:
            self.settled.set()

    _ACTS: ClassVar[dict[int, Callable[["UnderWay", Event, int], None]]] = {
        int(Kind.STARTED): _start,
        int(Kind.COMPLETED): _end,
        int(Kind.FAILED): _end,
        int(Kind.REPORT): _report,
        int(Kind.ACCEPTED): _accept,
        int(Kind.REFUSED): _refuse,
    }
    KINDS: ClassVar = frozenset(_ACTS)
