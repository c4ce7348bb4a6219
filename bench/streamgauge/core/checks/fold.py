"""The checks as a fold: rows go in, a mergeable state comes out, verdicts are drawn from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.assembly import Stray
from streamgauge.core.checks.judge import judge
from streamgauge.core.checks.offsets import OffsetTrack
from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import Limits, Rule
from streamgauge.core.event import LAST_RUN_EVENT, Kind
from streamgauge.core.finding import Finding, Outcome, Verdict, Witness
from streamgauge.core.history import History
from streamgauge.core.observation import Closed, Malformed, Observation, Opened, Received, arrival_ns

# How many findings of a rule are kept with their witnesses; all are counted.
KEPT: Final = 20
_AROUND: Final = 2  # events shown on each side of a guilty one


class StrayRun(Struct, frozen=True):
    """An event whose run its socket knew nothing of: whose it is, is known after merging."""

    finding: Finding
    late: bool


class CheckState(Struct):
    """What the checks of one process know; `merge` adds another's."""

    exercised: dict[str, int] = {}
    unknown: dict[str, int] = {}
    found: dict[str, int] = {}
    findings: dict[str, list[Finding]] = {}
    owners: dict[str, str] = {}  # run -> the user it was accepted for
    shared: dict[str, tuple[str, ...]] = {}  # run -> all users it was accepted for, where it is not one
    canaries: dict[str, str] = {}  # token -> its user
    strays: list[StrayRun] = []

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while it is among the first."""
        self.found[finding.rule] = self.found.get(finding.rule, 0) + 1
        self.findings[finding.rule] = _first(self.findings.get(finding.rule, []), [finding])

    def merge(self, other: "CheckState") -> "CheckState":
        """Both states as one."""
        merged = CheckState(
            exercised=dict(Counter(self.exercised) + Counter(other.exercised)),
            unknown=dict(Counter(self.unknown) + Counter(other.unknown)),
            found=dict(Counter(self.found) + Counter(other.found)),
            findings={
                rule: _first(self.findings.get(rule, []), other.findings.get(rule, []))
                for rule in {*self.findings, *other.findings}
            },
            owners={**self.owners, **other.owners},
            shared=dict(self.shared),
            canaries={**self.canaries, **other.canaries},
            strays=[*self.strays, *other.strays],
        )
        for run, users in other.shared.items():
            merged.share(run, *users)
        for run in self.owners.keys() & other.owners.keys():
            if self.owners[run] != other.owners[run]:
                merged.share(run, self.owners[run], other.owners[run])
        return merged

    def share(self, run: str, *users: str) -> None:
        """Note that a run was accepted for several users: `conclude` makes it a finding."""
        self.shared[run] = tuple(sorted({*self.shared.get(run, ()), *users}))
        self.owners[run] = self.shared[run][0]


def _first(one: Sequence[Finding], two: Sequence[Finding]) -> list[Finding]:
    """The earliest findings of both, whatever the order they were found in."""
    return sorted([*one, *two], key=lambda f: (f.at_ns, f.user, f.conn, f.problem, f.run, f.token))[:KEPT]


def _shared_run(run: str, user: str, other: str) -> Finding:
    return Finding(
        Rule.ISOLATION_ENVELOPE, "one run id at two users", user=user, conn=0, at_ns=0, run=run, other=other
    )


class Checks:
    """Judges rows and settled runs."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._offsets: dict[int, OffsetTrack] = {}
        self._lost: Counter[int] = Counter()  # events that a run's `seq` showed to be missing
        self._exercised: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._users: dict[int, str] = {}
        self.state = CheckState()

    def add(self, row: Observation) -> None:
        """Judge one row by the rules that speak about messages and sessions."""
        match row:
            case Received():
                self._receive(row)
            case Malformed():
                user = self._users.get(row.conn, "")
                self._exercised[Rule.PROTOCOL] += 1
                self._exercised[Rule.ISOLATION_CANARY] += 1
                self.state.add(_of_row(Rule.PROTOCOL, row.why, user, row))
                self._leak(row, row.foreign, user)
            case Opened():
                self._users[row.conn] = row.user
                self._offsets[row.conn] = OffsetTrack()
                self.state.canaries[row.canary] = row.user
            case Closed():
                self._end_session(row.conn)

    def _receive(self, row: Received) -> None:
        event = row.event
        user = self._users.get(row.conn, "")
        exercised = self._exercised
        exercised[Rule.PROTOCOL] += 1
        exercised[Rule.ISOLATION_CANARY] += 1
        if row.foreign:
            self._leak(row, row.foreign, user)
        if event.user and user:
            exercised[Rule.ISOLATION_ENVELOPE] += 1
            if event.user != user:
                self.state.add(
                    _of_row(Rule.ISOLATION_ENVELOPE, "another user's message", user, row, other=event.user)
                )
        if event.offset:
            self._offset(row, user)
        if event.kind == Kind.ACCEPTED:
            owner = self.state.owners.setdefault(event.run, user)
            if owner != user:
                self.state.share(event.run, owner, user)

    def _leak(self, row: Received | Malformed, tokens: str, user: str) -> None:
        for token in tokens.split():
            self.state.add(_of_row(Rule.ISOLATION_CANARY, "another user's canary", user, row, token=token))

    def _offset(self, row: Received, user: str) -> None:
        event = row.event
        track = self._offsets.get(row.conn)
        if track is None:
            return  # there is no session before the greeting
        if event.user not in ("", user) and event.offset != track.highest + 1:
            return  # another user's event is judged by isolation alone
        self._exercised[Rule.OFFSET_CONTIGUOUS] += 1
        departure = track.add(event.offset, row.at_ns)
        if event.kind > LAST_RUN_EVENT or not event.seq:
            explained = False
        else:
            highest = track.runs.get(event.run, 0)
            explained = event.seq <= highest
            track.runs[event.run] = max(highest, event.seq)
        if departure and not explained:
            problem = f"{departure} to offset {event.offset}"
            self.state.add(_of_row(Rule.OFFSET_CONTIGUOUS, problem, user, row))

    def settle(self, history: History) -> None:
        """Judge a settled run."""
        if track := self._offsets.get(history.asked.conn):
            track.runs.pop(history.run, None)
        judgement = judge(history, self._limits)
        self._exercised.update(judgement.exercised)
        self._unknown.update(judgement.unknown)
        self._lost[history.asked.conn] += judgement.lost
        for problem in judgement.problems:
            if problem.rule not in judgement.exercised:
                self._exercised[problem.rule] += 1
            self.state.add(_of_run(problem, history))

    def _end_session(self, conn: int) -> None:
        """What is still missing of a session's offsets is lost, unless a run's gap explains it."""
        track = self._offsets.pop(conn, OffsetTrack())
        lost = self._lost.pop(conn, 0)
        unexplained = track.missing(lost, 6)
        if unexplained:
            numbers = ", ".join(str(offset) for offset, _ in unexplained[:5]) + " …" * (len(unexplained) > 5)
            self.state.add(
                Finding(
                    Rule.OFFSET_CONTIGUOUS,
                    f"gap: offset {numbers} never came",
                    user=self._users.get(conn, ""),
                    conn=conn,
                    at_ns=unexplained[0][1],
                )
            )
        self._users.pop(conn, None)

    def finish(self, strays: Iterable[Stray]) -> CheckState:
        """The state at the end of the rows, when every run is settled."""
        for conn in list(self._offsets):
            self._end_session(conn)
        self.state.exercised = dict(self._exercised)
        self.state.unknown = dict(self._unknown)
        self.state.strays = [
            StrayRun(_of_row(Rule.PROTOCOL, "", stray.user, stray.received), stray.late) for stray in strays
        ]
        return self.state


def conclude(state: CheckState, required: Iterable[Rule]) -> tuple[Verdict, ...]:
    """Draw the verdicts, one a rule, in the order of `Rule`."""
    state = _placed_strays(state)
    needed = frozenset(required)
    verdicts = []
    for rule in Rule:
        exercised, found = state.exercised.get(rule, 0), state.found.get(rule, 0)
        unknown = state.unknown.get(rule, 0)
        sure = exercised and not unknown
        outcome = Outcome.FAIL if found else Outcome.PASS if sure else Outcome.UNKNOWN
        findings = tuple(replace(f, other=_owner(f, state)) for f in state.findings.get(rule, []))
        verdicts.append(Verdict(rule, outcome, rule in needed, exercised, unknown, found, findings))
    return tuple(verdicts)


def _owner(finding: Finding, state: CheckState) -> str:
    """The second user of a leak; a canary that was cut short is known by its beginning."""
    if finding.other or not finding.token:
        return finding.other
    if finding.token in state.canaries:
        return state.canaries[finding.token]
    owners = {user for token, user in state.canaries.items() if token.startswith(finding.token)}
    return owners.pop() if len(owners) == 1 else ""


def _placed_strays(state: CheckState) -> CheckState:
    """Say of every stray what it was: late, another user's, or nobody's; and of a run that it is two users'.

    One of the same user's other sockets breaks no rule of its own: the socket that
    waits for it reports the loss.
    """
    placed = CheckState(
        exercised=dict(state.exercised),
        unknown=state.unknown,
        found=dict(state.found),
        findings={rule: list(kept) for rule, kept in state.findings.items()},
        owners=state.owners,
        canaries=state.canaries,
    )
    for run, users in state.shared.items():
        for other in users[1:]:
            placed.add(_shared_run(run, users[0], other))
    for stray in state.strays:
        finding = stray.finding
        owner = state.owners.get(finding.run, "")
        if stray.late:
            placed.add(replace(finding, rule=Rule.TERMINAL_LAST, problem="long after the run was settled"))
        elif not owner:
            placed.add(replace(finding, problem="an event of a run that no socket asked for"))
        elif finding.user != owner and finding.user not in state.shared.get(finding.run, ()):
            problem = "an event of another user's run"
            placed.add(replace(finding, rule=Rule.ISOLATION_ENVELOPE, problem=problem, other=owner))
    return placed


def _of_row(
    rule: Rule, problem: str, user: str, row: Received | Malformed, *, other: str = "", token: str = ""
) -> Finding:
    if isinstance(row, Malformed):
        witness = Witness(row.at_ns, "malformed", size=row.size, detail=row.why, guilty=True)
        return Finding(rule, problem, user, row.conn, row.at_ns, token=token, witnesses=(witness,))
    return Finding(
        rule,
        problem,
        user,
        row.conn,
        row.at_ns,
        run=row.event.run,
        request=row.event.request,
        other=other,
        token=token,
        witnesses=(witness_of(row, guilty=True),),
    )


def _of_run(problem: Problem, history: History) -> Finding:
    """A finding with the events around the first guilty one."""
    events = history.events
    centre = problem.at[0] if problem.at else len(events) - 1
    window = range(max(0, centre - _AROUND), min(len(events), centre + _AROUND + 1))
    return Finding(
        problem.rule,
        problem.text,
        user=history.user,
        conn=history.asked.conn,
        at_ns=events[centre].at_ns if events else history.asked.at_ns,
        run=history.run,
        request=history.asked.request,
        witnesses=tuple(witness_of(events[place], guilty=place in problem.at) for place in window),
    )


def witness_of(row: Received, *, guilty: bool = False) -> Witness:
    """An event as a finding shows it."""
    event = row.event
    detail = {
        Kind.THINKING: f"{'pipeline' if event.pipeline else 'agent'} step {event.step or '-'}",
        Kind.TOOL_EXECUTING: event.call,
        Kind.TOOL_COMPLETED: f"{event.call} {event.status}",
        Kind.PARTIAL: f"index {event.index}, {event.size} B",
        Kind.FAILED: event.status,
    }.get(Kind(event.kind), "")
    kind = Kind(event.kind).name.lower()
    return Witness(arrival_ns(row), kind, event.run, event.seq, event.offset, row.size, detail, guilty)
