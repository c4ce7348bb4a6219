"""The checks as a fold: rows and settled runs go in, a mergeable state comes out."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from streamgauge.core.assembly import Stray
from streamgauge.core.checks.evidence import of_row, of_run
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.offsets import OffsetTrack
from streamgauge.core.checks.state import CheckState, StrayRun
from streamgauge.core.contract import Limits, Rule
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.history import History
from streamgauge.core.observation import Closed, Malformed, Observation, Opened, Received


class Session(Struct):
    """What the checks remember of an open connection."""

    user: str
    offsets: OffsetTrack
    lost: int = 0  # events that a run's `seq` showed to be missing


# What arrives before a greeting belongs to no session, and has no numbers yet.
_NOBODY = Session("", OffsetTrack())


class Checks:
    """Judges rows and settled runs."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sessions: dict[int, Session] = {}
        # counted apart from the other rules, because every message exercises them
        self._messages = self._with_user = self._with_offset = 0
        self._exercised: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self.state = CheckState()

    def add(self, row: Observation) -> None:
        """Judge one row by the rules that speak about messages and sessions."""
        match row:
            case Received():
                self._receive(row)
            case Malformed():
                user = self._sessions.get(row.conn, _NOBODY).user
                self._messages += 1
                self.state.add(of_row(Rule.PROTOCOL, row.why, user, row))
                self._leak(row, row.foreign, user)
            case Opened():
                self._sessions[row.conn] = Session(row.user, OffsetTrack())
                self.state.canaries[row.canary] = row.user
            case Closed():
                self._end(row.conn)

    def _receive(self, row: Received) -> None:
        event = row.event
        session = self._sessions.get(row.conn, _NOBODY)
        user = session.user
        self._messages += 1
        if row.foreign:
            self._leak(row, row.foreign, user)
        if event.user and user:
            self._with_user += 1
            if event.user != user:
                problem = "another user's message"
                self.state.add(of_row(Rule.ISOLATION_ENVELOPE, problem, user, row, other=event.user))
        if event.offset and user:
            self._number(row, session)
        if event.kind == Kind.ACCEPTED:
            owner = self.state.owners.setdefault(event.run, user)
            if owner != user:
                self.state.share(event.run, owner, user)

    def _leak(self, row: Received | Malformed, tokens: str, user: str) -> None:
        for token in tokens.split():
            self.state.add(of_row(Rule.ISOLATION_CANARY, "another user's canary", user, row, token=token))

    def _number(self, row: Received, session: Session) -> None:
        """Hold an offset against its session's; what `seq` explains is not said twice."""
        event, track = row.event, session.offsets
        in_order = event.offset == track.highest + 1
        if not in_order and event.user not in ("", session.user):
            return  # another user's event is judged by isolation alone
        self._with_offset += 1
        highest = track.runs.get(event.run, 0)
        if event.seq > highest:
            track.runs[event.run] = event.seq
        if in_order:
            track.highest = event.offset
            return
        departure = track.add(event.offset, row.at_ns)
        explained = event.kind <= LAST_RUN_EVENT and 0 < event.seq <= highest
        if departure and not explained:
            problem = f"{departure} to offset {event.offset}"
            self.state.add(of_row(Rule.OFFSET_CONTIGUOUS, problem, session.user, row))

    def settle(self, history: History) -> None:
        """Judge a settled run."""
        judgement = judge(history, self._limits)
        if session := self._sessions.get(history.asked.conn):
            session.offsets.runs.pop(history.run, None)
            session.lost += judgement.lost
        self._exercised.update(judgement.exercised)
        self._unknown.update(judgement.unknown)
        for problem in judgement.problems:
            if problem.rule not in judgement.exercised:
                self._exercised[problem.rule] += 1
            self.state.add(of_run(problem, history))

    def _end(self, conn: int) -> None:
        """What is still missing of a session's offsets is lost, unless a run's gap explains it."""
        session = self._sessions.pop(conn, _NOBODY)
        unexplained = session.offsets.missing(session.lost, 6)
        if unexplained:
            numbers = ", ".join(str(offset) for offset, _ in unexplained[:5]) + " …" * (len(unexplained) > 5)
            problem = f"gap: offset {numbers} never came"
            at_ns = unexplained[0][1]
            self.state.add(
                Finding(Rule.OFFSET_CONTIGUOUS, problem, user=session.user, conn=conn, at_ns=at_ns)
            )

    def finish(self, strays: Iterable[Stray]) -> CheckState:
        """The state at the end of the rows, when every run is settled."""
        for conn in list(self._sessions):
            self._end(conn)
        everywhere = {
            Rule.PROTOCOL: self._messages,
            Rule.ISOLATION_CANARY: self._messages,
            Rule.ISOLATION_ENVELOPE: self._with_user,
            Rule.OFFSET_CONTIGUOUS: self._with_offset,
        }
        self.state.exercised = dict(+(self._exercised + Counter(everywhere)))
        self.state.unknown = dict(self._unknown)
        self.state.strays = [
            StrayRun(of_row(Rule.PROTOCOL, "", stray.user, stray.received), stray.late, stray.times)
            for stray in strays
        ]
        return self.state
