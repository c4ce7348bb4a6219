"""The checks as a fold: rows and settled runs go in, a mergeable state comes out."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from msgspec.structs import replace

from streamgauge.core.assembly import Stray
from streamgauge.core.checks.evidence import began, of_row, of_run, witness_of
from streamgauge.core.checks.extent import LEAKS, Extent
from streamgauge.core.checks.judge import Judgement, judge
from streamgauge.core.checks.offsets import OffsetTrack
from streamgauge.core.checks.problem import GAP, OF_THE_SCRIPT, SILENT, extended, kept
from streamgauge.core.checks.session import NOBODY, Session
from streamgauge.core.checks.state import CheckState, StrayRun
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.history import End, History
from streamgauge.core.observation import Closed, Malformed, Observation, Opened, Overheard, Received
from streamgauge.core.ownership import Settlements


class Settled(NamedTuple):
    """What a settled run is worth, as far as its own socket shows by now."""

    clean: bool  # it broke no rule
    whole: bool  # its events are all there, once each and in their order


_MOST_CLEAN: Final = 64
_CLEAN: Final = Settled(clean=True, whole=True)
_GUILTY: Final = Settled(clean=False, whole=True)

# The rules that together say that a run's events are all there, once each and in their order.
SEQUENCE: Final = frozenset(
    {
        Rule.STARTED_FIRST,
        Rule.THINKING_PRESENT,
        Rule.TOOL_PAIRING,
        Rule.TERMINAL_LAST,
        Rule.SEQ_CONTIGUOUS,
        Rule.PARTIAL_INTEGRITY,
    }
)

_GAPS_SHOWN: Final = 6  # of a session's offsets
_MOST_STRANGE: Final = 256  # runs that a session remembers where users do not tell whose they are

# What the numbers of a run's events tell, each counted by event.
_NUMBERS: Final = ("events numbered", "events lost", "events repeated", "events reordered")


class Checks:
    """Judges rows and settled runs by the rules in `promises`, and by no other.

    It keeps in `settled` on which connections each run was settled.
    """

    def __init__(
        self, limits: Limits, promises: Collection[Rule] = EVERY_RULE, settled: Settlements | None = None
    ) -> None:
        self._settled = Settlements() if settled is None else settled
        self._users: dict[int, str] = {}  # of all connections there were
        self._limits = limits
        self._promises = promises
        self._all_promised = frozenset(promises) >= EVERY_RULE
        self._sessions: dict[int, Session] = {}
        # counted apart from the other rules, because every message exercises them
        self._messages = self._with_user = self._with_offset = 0
        self._numbers: Counter[str] = Counter(dict.fromkeys(_NUMBERS, 0))
        self._exercised: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        # of judgements that found nothing wrong: their runs, and the events of these, yet to be counted
        self._clean: dict[Judgement, list[int]] = {}
        self._extent = Extent()
        self.state = CheckState()

    def add(self, row: Observation) -> None:
        """Judge one row by the rules that speak about messages and sessions."""
        match row:
            case Received():
                self._receive(row)
            case Malformed():
                user = self._sessions.get(row.conn, NOBODY).user
                self._messages += 1
                self._add(of_row(Rule.PROTOCOL, row.why, user, row))
                self._leak(row, row.foreign, user)
            case Overheard():
                self._leak(row, row.foreign, self._sessions.get(row.conn, NOBODY).user)
            case Opened():
                self._sessions[row.conn] = Session(row.user, OffsetTrack())
                self._users[row.conn] = row.user
                self.state.canaries[row.canary] = row.user
            case Closed():
                self._end(row.conn, cut=not row.ours)

    def track(self, conn: int) -> OffsetTrack | None:
        """The offsets of a session whose plain events need no other look; None where each needs one."""
        session = self._sessions.get(conn)
        if session is None or not self._all_promised or not (session.greeted or not self._limits.greets):
            return None
        return session.offsets

    def count_plain(self, events: int) -> None:
        """So many events of their own users came, each the next of its session and of its run."""
        self._messages += events
        self._with_user += events
        self._with_offset += events

    def count_acceptance(self) -> None:
        """A message that accepts what was asked came on its own socket, and is all right."""
        self._messages += 1

    def _receive(self, row: Received) -> None:
        event = row.event
        session = self._sessions.get(row.conn, NOBODY)
        user = session.user
        self._messages += 1
        if row.foreign:
            self._leak(row, row.foreign, user)
        if event.breach:
            self._add(of_row(Rule.PROTOCOL, event.breach, user, row))
        if event.user and user:
            self._with_user += 1
            if event.user != user:
                problem = "another user's message"
                self._add(of_row(Rule.ISOLATION_ENVELOPE, problem, user, row, other=event.user))
                if Rule.ISOLATION_ENVELOPE in self._promises:
                    self.state.leaks.count(user, sender=event.user)
        if event.offset and user and Rule.OFFSET_CONTIGUOUS in self._promises:
            self._number(row, session)
        if self._limits.greets and user:
            self._greet(row, session)

    def _greet(self, row: Received, session: Session) -> None:
        """A session begins with its greeting, and has only one."""
        greeting = row.event.kind == Kind.GREETING
        if greeting == session.greeted:
            problem = "a second greeting" if greeting else "a message before the greeting"
            self._add(of_row(Rule.PROTOCOL, problem, session.user, row), again=bool(row.event.breach))
        session.greeted = True

    def _add(self, finding: Finding, *, again: bool = False) -> None:
        """Take the finding of a message, which may have broken the same rule `again`."""
        if finding.rule not in self._promises:
            return
        self.state.add(finding)
        if not again:
            run = finding.run or ("" if finding.rule in LEAKS else finding.request)
            self._extent.message(finding.rule, finding.conn, run)
        if session := self._sessions.get(finding.conn):
            session.guilty.add(finding.run or finding.request)

    def _leak(self, row: Received | Malformed | Overheard, tokens: str, user: str) -> None:
        named = isinstance(row, Received) and row.event.user not in ("", user)
        counted = named and user != "" and Rule.ISOLATION_ENVELOPE in self._promises  # by whom it names
        for place, token in enumerate(tokens.split()):
            found = of_row(Rule.ISOLATION_CANARY, "another user's canary", user, row, token=token)
            self._add(found, again=place > 0)
            if not counted and Rule.ISOLATION_CANARY in self._promises:
                self.state.leaks.count(user, token=token, again=place > 0)

    def _number(self, row: Received, session: Session) -> None:
        """Hold an offset against its session's; what `seq` explains is not said twice."""
        event, track = row.event, session.offsets
        in_order = event.offset == track.highest + 1
        highest = track.runs.get(event.run, 0)
        strange = not in_order and event.user not in ("", session.user)
        if event.seq > highest and not (strange and len(track.runs) > _MOST_STRANGE):
            track.runs[event.run] = event.seq  # it may be of the user's own run, and explain what comes later
        if strange:
            return  # another user's event is judged by isolation alone
        self._with_offset += 1
        if in_order:
            track.highest = event.offset
            return
        if event.offset > track.highest:
            session.after_gaps[_GAPS_SHOWN:] = [row]
        departure = track.add(event.offset, row.at_ns)
        if departure and not self._explained(row, highest):
            self._depart(departure, row, session)
            self._extent.message(Rule.OFFSET_CONTIGUOUS, row.conn, event.run)

    def _depart(self, departure: str, row: Received, session: Session) -> None:
        """Offsets that depart in the same way, with none in order between them, are one finding."""
        before, highest = session.row, session.offsets.highest
        if before is not None and (before.problem, session.row_highest) == (departure, highest):
            numbers, more = extended(before.numbers, before.more, row.event.offset)
            session.row = replace(before, numbers=numbers, more=more)
            self.state.revise(before, session.row)
            return
        found = of_row(Rule.OFFSET_CONTIGUOUS, departure, session.user, row)
        session.row = replace(found, numbers=((row.event.offset, row.event.offset),))
        session.row_highest = highest
        self.state.add(session.row)

    def _explained(self, row: Received, highest: int) -> bool:
        """Whether its run tells why an offset is out of order: by its `seq`, or because it is over."""
        event = row.event
        if event.kind > LAST_RUN_EVENT:
            return False
        return 0 < event.seq <= highest or self._settled.have(event.run, row.conn)

    def settle(self, history: History) -> Settled:
        """Judge a settled run."""
        judgement = judge(history, self._limits, self._promises)
        if history.run:
            whole = history.end is End.TERMINAL and not judgement.lost
            self._settled.add(history.run, history.asked.conn, whole=whole)
        guilty = False
        if session := self._sessions.get(history.asked.conn):
            session.offsets.runs.pop(history.run, None)
            session.lost += judgement.lost
            if session.guilty:
                own = {history.run, history.asked.request} - {""}
                guilty = not session.guilty.isdisjoint(own)
                session.guilty -= own
        if guilty and judgement.problems:  # what its messages broke explains what did not come
            others = [problem for problem in judgement.problems if problem.problem not in OF_THE_SCRIPT]
            judgement = replace(judgement, problems=tuple(others))
        self._reach(history, judgement)
        if not (judgement.problems or judgement.unknown):
            counted = self._clean.get(judgement)
            if counted is None:
                if len(self._clean) >= _MOST_CLEAN:  # those that nobody shares would pile up, one a run
                    self._count_clean()
                counted = self._clean[judgement] = [0, 0]
            counted[0] += 1
            counted[1] += history.count
            return _GUILTY if guilty else _CLEAN
        self._number_run(history.count, judgement)
        self._exercised.update(judgement.exercised)
        self._unknown.update(judgement.unknown)
        for problem in judgement.problems:
            if problem.rule not in judgement.exercised:
                self._exercised[problem.rule] += 1
            self.state.add(of_run(problem, history))
        broken = {problem.rule for problem in judgement.problems}
        return Settled(
            clean=not broken and not guilty,
            whole=broken.isdisjoint(SEQUENCE) and not judgement.unknown,
        )

    def _reach(self, history: History, judgement: Judgement) -> None:
        """Count what a settled run adds to how far findings and losses reach."""
        conn, name = history.asked.conn, history.run or history.asked.request
        if judgement.problems:
            for rule in {problem.rule for problem in judgement.problems}:
                self._extent.run(rule, conn, name)
        if judgement.lost or history.end is not End.TERMINAL:
            self._extent.lost(history, judgement.lost)
        self._extent.forget(conn, name)

    def _number_run(self, events: int, judgement: Judgement) -> None:
        if Rule.SEQ_CONTIGUOUS in judgement.exercised:
            told = events, judgement.lost, judgement.repeated, judgement.reordered
            for name, count in zip(_NUMBERS, told, strict=True):
                self._numbers[name] += count

    def _count_clean(self) -> None:
        for judgement, (runs, events) in self._clean.items():
            self._number_run(events, judgement)
            for rule in judgement.exercised:
                self._exercised[rule] += runs
        self._clean.clear()

    def counts(self) -> dict[str, int]:
        """What the numbers of the settled runs' events told."""
        self._count_clean()
        return dict(self._numbers)

    def _end(self, conn: int, *, cut: bool = False) -> None:
        """What is still missing of a session's offsets is lost, unless a run's gap explains it."""
        session = self._sessions.pop(conn, NOBODY)
        missing = session.offsets.missing(session.lost)
        self._extent.closed(conn, session.offsets.unexplained(session.lost), cut=cut)
        if missing:
            numbers, more = kept([gap.offsets for gap in missing])
            first = missing[0].offsets[0]
            after = [row for row in session.after_gaps[:_GAPS_SHOWN] if row.event.offset > first]
            seen = tuple(witness_of(row, guilty=True) for row in after or session.after_gaps[-1:])
            self.state.add(
                Finding(
                    Rule.OFFSET_CONTIGUOUS,
                    GAP,
                    user=session.user,
                    conn=conn,
                    at_ns=missing[0].at_ns,
                    witnesses=seen,
                    numbers=numbers,
                    more=more,
                )
            )
            self._extent.session(Rule.OFFSET_CONTIGUOUS, conn)

    def finish(self, strays: Iterable[Stray]) -> CheckState:
        """The state at the end of the rows, when every run is settled."""
        for conn in list(self._sessions):
            self._end(conn)
        self._count_clean()
        everywhere = {
            Rule.PROTOCOL: self._messages,
            Rule.ISOLATION_CANARY: self._messages,
            Rule.ISOLATION_ENVELOPE: self._with_user,
            Rule.OFFSET_CONTIGUOUS: self._with_offset,
        }
        applied = self._exercised + Counter(everywhere)
        self.state.exercised = {rule: n for rule, n in applied.items() if n and rule in self._promises}
        self.state.unknown = dict(self._unknown)
        self.state.owners = self._settled.owners(self._users)
        self.state.losses = self._extent.losses()
        partial = self._settled.partial()
        for stray in strays:
            if stray.since is not None:
                found = of_row(Rule.NO_SILENCE, SILENT, stray.user, stray.received)
                witnesses = (began(stray.since, stray.received.event.run), *found.witnesses)
                self._add(replace(found, lasted_ns=stray.silent_ns, witnesses=witnesses))
            elif stray.received.event.kind == Kind.ACCEPTED:
                problem = "accepted what was not asked, or once more"
                self._add(of_row(Rule.ECHO, problem, stray.user, stray.received))
            else:
                finding = of_row(Rule.PROTOCOL, "", stray.user, stray.received)
                struck = self._extent.rules_of(finding.conn)
                lost = partial(finding.run) or self._settled.have(finding.run, finding.conn)
                self.state.strays.append(StrayRun(finding, stray.late, stray.times, struck, lost))
        self.state.struck, self.state.leaked = self._extent.struck(), self._extent.leaked
        return self.state
