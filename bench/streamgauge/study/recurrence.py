"""Makes a finding happen again: who takes part, from when on, and how often it recurred.

The finding's users and those whose runs were under way beside it ask once more what they asked
then, when they asked it then.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.cast import Cast, Part
from streamgauge.core.checks.sides import Rows
from streamgauge.core.event import TERMINAL, Kind
from streamgauge.core.finding import Finding
from streamgauge.core.interval import exact_interval
from streamgauge.core.observation import Asked, Opened, Received, Stretch, Unsent
from streamgauge.core.stretch import unfold
from streamgauge.exit_code import FAIL, INCONCLUSIVE, PASS
from streamgauge.plan import ATTACK, Plan, PlanError
from streamgauge.report.model import Report

MOST_USERS: Final = 8  # that take part
_LEAD_NS: Final = 1_000_000_000  # in which all connect
_AFTER_NS: Final = 500_000_000  # of requests after the finding's time
_FAR_NS: Final = 10_000_000_000  # a run that began so long before the finding's is no neighbour of it

Said = tuple[str, str, str, str]  # user, request, thread, agent


class CannotReplay(ValueError):
    """There is nothing to drive; the text says why."""


class Span(Struct):
    """A request, from when it was due until it was settled."""

    due_ns: int
    asked_ns: int
    until_ns: int
    said: Said


class Conduct(Struct):
    """What one user did; times are on the clock of the findings."""

    opened: list[tuple[int, int]] = []  # when, and the connection's number
    due: list[int] = []
    spans: list[Span] = []


def conducts(recordings: Iterable[Rows]) -> dict[str, Conduct]:
    """What every user did, by name."""
    found: dict[str, Conduct] = defaultdict(Conduct)
    for recording in recordings:
        _read(recording, found)
    return found


def _read(recording: Rows, found: dict[str, Conduct]) -> None:
    users: dict[int, str] = {}
    under_way: dict[tuple[int, str], Span] = {}  # by connection, and run or request
    by_ns = recording.behind_ns
    for row in recording.rows:
        if isinstance(row, Opened):
            users[row.conn] = row.user
            found[row.user].opened.append((row.at_ns + by_ns, row.conn))
        if (user := users.get(row.conn)) is None:
            continue
        if isinstance(row, Asked | Unsent):
            found[user].due.append(row.due_ns + by_ns)
        if isinstance(row, Asked):
            said = user, row.request, row.thread, row.agent
            span = Span(row.due_ns + by_ns, row.at_ns + by_ns, row.deadline_ns + by_ns, said)
            under_way[row.conn, row.request] = span
            found[user].spans.append(span)
        elif isinstance(row, Received | Stretch):
            for one in unfold(row) if isinstance(row, Stretch) else (row,):
                event = one.event
                if event.request and (asked := under_way.get((row.conn, event.request))):
                    under_way[row.conn, event.run] = asked
                ended = under_way.get((row.conn, event.run or event.request))
                if ended and (event.kind in TERMINAL or event.kind == Kind.REFUSED):
                    ended.until_ns = row.at_ns + by_ns


def cast_of(found: Finding, began_ns: int, users: Mapping[str, Conduct]) -> Cast:
    """Who takes part when the finding is to happen again: its users first, then the nearest others.

    `began_ns` is when the run began. Raises `CannotReplay` where nobody is known to have asked for anything.
    """
    if not (found.user or found.other):
        raise CannotReplay("it is of the server and of no user, so that nobody can ask again: repeat the run")
    named = [user for user in dict.fromkeys((found.user, found.other)) if user in users]
    if not named:
        raise CannotReplay("its users are not in the recording")
    spans = {user: _near(users[user], found.at_ns) for user in users}
    of_finding = [span for user in named for span in spans[user]]
    first_ns = min((span.due_ns for span in of_finding), default=found.at_ns)
    beside = [
        (found.at_ns - span.asked_ns, user)
        for user, theirs in spans.items()
        for span in theirs
        if user not in named and span.until_ns >= found.at_ns and span.due_ns > first_ns - _FAR_NS
    ]
    chosen = list(dict.fromkeys([*named, *(user for _, user in sorted(beside))]))[:MOST_USERS]
    dues = [span.due_ns for user in chosen for span in spans[user] if span.due_ns > first_ns - _FAR_NS]
    if not dues:
        raise CannotReplay("no request of its users, or of anybody else's at that time, is in the recording")
    until_ns = found.at_ns + _AFTER_NS
    from_ns = min(dues)
    taken: set[int] = set()
    parts = []
    for user in chosen:
        conduct = users[user]
        conns = tuple(conn for _, conn in sorted(conduct.opened) if conn not in taken)
        taken.update(conns)
        due = dict.fromkeys(sorted(at_ns for at_ns in conduct.due if at_ns <= until_ns))
        opened_ns = min(at_ns for at_ns, _ in conduct.opened) - began_ns
        parts.append(Part(user, opened_ns, tuple(at_ns - began_ns for at_ns in due), conns))
    return Cast(tuple(parts), from_ns - began_ns - _LEAD_NS, from_ns - began_ns)


def _near(conduct: Conduct, at_ns: int) -> list[Span]:
    """The requests of a user that were under way; else the latest one before that."""
    before = [span for span in conduct.spans if span.asked_ns <= at_ns]
    return [span for span in before if span.until_ns >= at_ns] or before[-1:]


def replay_plan(plan: Plan, cast: Cast, found: Finding) -> Plan:
    """The plan of one replay: the same but for who takes part and how long; raises `CannotReplay`."""
    if plan.slice_runs:
        raise CannotReplay(f"the users of {plan.name} act in slices, all together: run it again")
    if plan.name == ATTACK:
        raise CannotReplay("what is found beside an attack, an attack must find again: run it again")
    users = len(cast.parts)
    ends_ns = max([cast.from_ns, *(due for part in cast.parts for due in part.due_ns)]) + _AFTER_NS
    try:
        return replace(
            plan,
            users=users,
            spawn_rate=10.0 * users,
            duration=(ends_ns - cast.starts_ns) / 1e9,
            processes=1,
            required=(found.rule,),
            thresholds=(),
            goodput=(),
            abort_on=(),
            most_runs=0,
            control=False,
        )
    except PlanError as error:
        raise CannotReplay(str(error)) from error


def said_in(users: Mapping[str, Conduct], cast: Cast, began_ns: int) -> Counter[Said]:
    """The requests that a cast is to send, or has sent, in a run that began at `began_ns`."""
    last_ns = max(due for part in cast.parts for due in (*part.due_ns, cast.from_ns)) + began_ns
    names = {part.name for part in cast.parts}
    return Counter(
        span.said
        for user, conduct in users.items()
        if user in names
        for span in conduct.spans
        if cast.from_ns + began_ns <= span.due_ns <= last_ns
    )


class Attempt(Struct, frozen=True):
    """One replay: whether the finding recurred, None where it could not be driven; and what was seen."""

    recurred: bool | None
    said: str = ""
    same: int = 0  # requests that were as then
    of: int = 0  # requests that were sent then
    folder: str = ""


class Recurrence(Struct, frozen=True):
    """What came of all replays."""

    finding: Finding
    source: str
    users: tuple[str, ...]
    requests: int
    attempts: tuple[Attempt, ...]
    recurred: int
    driven: int
    low: float | None  # 95 % interval of the share that recurs (Clopper and Pearson)
    high: float | None


def recurs(found: Finding, report: Report) -> Finding | None:
    """The first finding of the same rule and the same kind in a replay's report."""
    verdict = next(verdict for verdict in report.verdicts if verdict.rule == found.rule)
    return next((again for again in verdict.findings if again.problem == found.problem), None)


def conclude(
    found: Finding, source: str, cast: Cast, requests: int, attempts: Sequence[Attempt]
) -> Recurrence:
    """Count how often it recurred, of the replays that could be driven."""
    driven = [attempt for attempt in attempts if attempt.recurred is not None]
    recurred = sum(attempt.recurred is True for attempt in driven)
    low, high = exact_interval(recurred, len(driven)) if driven else (None, None)
    names = tuple(part.name for part in cast.parts)
    return Recurrence(found, source, names, requests, tuple(attempts), recurred, len(driven), low, high)


def exit_code(of: Recurrence) -> int:
    """1 where it recurs, 0 where it never did, 3 where not every replay could be driven."""
    if of.recurred:
        return FAIL
    return PASS if of.driven == len(of.attempts) and of.driven else INCONCLUSIVE
