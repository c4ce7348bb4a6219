"""The runs that a user waits for on one connection, and what ends the waiting."""

from collections.abc import Callable
from typing import ClassVar, Final

from gevent.event import Event as Flag

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Asked, Stretch, arrival_ns
from streamgauge.load.bench import Bench
from streamgauge.load.locust_stats import Finished

_WITH_RESULT: Final = (Kind.COMPLETED, Kind.REPORT)
_STARTED: Final = int(Kind.STARTED)  # as a form, too
_COMPLETED: Final = int(Kind.COMPLETED)


class Run:
    """A run that this user asked for, while it is under way.

    `goes_on` is asked when it ended, in the very callback that read its end: where it says so,
    the user has gone on already, and nobody is woken.
    """

    __slots__ = (
        *("_accepted", "_is_accepted", "_is_reported", "_reported", "agent", "asked"),
        *("ended", "ended_ns", "goes_on", "over", "request", "run"),
    )

    def __init__(self, asked: Asked, agent: str, over: Flag) -> None:
        self.asked = asked
        self.agent = agent
        self.request = asked.request
        self.run = ""
        self.over = over  # ended, refused, or its connection is gone
        self.ended = False
        self.ended_ns = 0  # when that arrived
        self.goes_on: Callable[[Run], bool] | None = None
        # flags are made for those who wait for them, which are few
        self._accepted: Flag | None = None
        self._reported: Flag | None = None
        self._is_accepted = self._is_reported = False

    @property
    def accepted(self) -> Flag:
        """Set when it was accepted, or cannot be any more."""
        if self._accepted is None:
            self._accepted = _flag(self._is_accepted)
        return self._accepted

    @property
    def reported(self) -> Flag:
        """Set when the server gave its account, or none can come any more."""
        if self._reported is None:
            self._reported = _flag(self._is_reported)
        return self._reported

    def is_accepted(self) -> None:
        """It was accepted, or cannot be any more."""
        self._is_accepted = True
        if self._accepted is not None:
            self._accepted.set()

    def is_reported(self) -> None:
        """Its account came, or cannot come any more."""
        self._is_reported = True
        if self._reported is not None:
            self._reported.set()


def _flag(is_set: bool) -> Flag:
    flag = Flag()
    if is_set:
        flag.set()
    return flag


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
            run.is_accepted()
            run.over.set()
            run.is_reported()
        self.settled.set()

    def tell(self, event: Event, now_ns: int) -> None:
        """Take an event of one of `KINDS`, which arrived at `now_ns`, and wake who waits for it."""
        self._ACTS[event.kind](self, event, now_ns)

    def go_on(self, stretch: Stretch) -> None:
        """Take a stretch of events of one run, of which only the first and the last may be of `KINDS`."""
        if stretch.run not in self._runs and stretch.forms[0] == _STARTED:
            # an acceptance names no user
            self._known_as(stretch.run, stretch.request, "" if stretch.accepted else stretch.user)
        if stretch.forms[-1] == _COMPLETED:
            run = self._runs.pop(stretch.run, None) or self._requests.get(stretch.run)
            self._ended(run, "", arrival_ns(stretch))

    def _start(self, event: Event, now_ns: int) -> None:
        if event.run not in self._runs:
            self._accept(event, now_ns)

    def _accept(self, event: Event, _now_ns: int) -> None:
        self._known_as(event.run, event.request, event.user)

    def _known_as(self, name: str, request: str, user: str) -> None:
        """A request has become the run of that name."""
        run = self._requests.get(request) or self._requests.get(name)
        if run and not run.run and user in ("", self._user):
            run.run = name
            self._runs[name] = run
            if self._bench.plan.slice_runs:
                self._unreported[name] = run
            run.is_accepted()

    def _report(self, event: Event, now_ns: int) -> None:
        run = self._unreported.pop(event.run, None)
        if run is None:
            return
        if run.asked.silent and not run.ended:
            self._ended(self._runs.pop(event.run, None), _error(event), now_ns)
        run.is_reported()

    def _refuse(self, event: Event, now_ns: int) -> None:
        if refused := self._requests.get(event.request):
            self._ended(refused, _error(event), now_ns)
            refused.is_reported()

    def _end(self, event: Event, now_ns: int) -> None:
        # a run without a start bears its request's name, if any
        self._ended(self._runs.pop(event.run, None) or self._requests.get(event.run), _error(event), now_ns)

    def _ended(self, run: Run | None, error: str, now_ns: int) -> None:
        if run is None:
            return
        run.ended, run.ended_ns = True, now_ns
        self._requests.pop(run.request, None)
        self._bench.runs += 1
        took_ms = (now_ns - run.asked.due_ns) / 1e6
        self._bench.finished.append(Finished(run.agent, took_ms, error))
        run.is_accepted()
        if run.goes_on is None or not run.goes_on(run):
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


def _error(event: Event) -> str:
    """What a run ended in, "" where it brought a result."""
    return "" if event.kind in _WITH_RESULT else event.status or "error"
