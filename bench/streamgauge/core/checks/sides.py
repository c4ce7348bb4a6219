"""Shows findings with what was around them: on the socket that saw it, and of a leak on the other's, too.

A second look at recordings, for the few findings that are kept: one worker does not know what
another saw of the same run, and to remember it of every run while under load would cost.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from streamgauge.core.checks.evidence import beside_runs, witness_of
from streamgauge.core.checks.problem import SHARED
from streamgauge.core.contract import Rule
from streamgauge.core.event import LAST_RUN_EVENT
from streamgauge.core.finding import Finding, Witness
from streamgauge.core.observation import Malformed, Observation, Opened, Overheard, Received, Stretch
from streamgauge.core.stretch import unfold

AROUND: Final = 2  # messages shown on each side
_NEAR_NS: Final = 5_000_000_000  # messages further away from a finding are not around it
_LEAKS: Final = frozenset({Rule.ISOLATION_ENVELOPE, Rule.ISOLATION_CANARY})


class Rows(NamedTuple):
    """The rows of one process, whose clock is so much behind that of the findings."""

    rows: Iterable[Observation]
    behind_ns: int = 0


class _Message(NamedTuple):
    """A message that a user received; connections are numbered by each process, users by all."""

    user: str
    conn: int
    own: bool  # an event of a run, that names nobody else
    witness: Witness


class _Wanted:
    """Of which messages anything is to be shown: a recording holds millions."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._runs = {found.run for found in findings if found.run}
        self._times: dict[str, list[int]] = defaultdict(list)
        for found in sorted(findings, key=lambda found: found.at_ns):
            for user in (found.user, found.other):  # nobody is called ""
                self._times[user].append(found.at_ns)

    def user(self, user: str) -> bool:
        return user in self._times

    def run(self, run: str) -> bool:
        return run in self._runs

    def time(self, user: str, at_ns: int) -> bool:
        times = self._times[user]
        first = bisect_left(times, at_ns - _NEAR_NS)
        return first < len(times) and times[first] <= at_ns + _NEAR_NS


def with_sides(findings: Sequence[Finding], recordings: Iterable[Rows]) -> list[Finding]:
    """The findings, each with the messages before and after its own, and leaks with both sides.

    What the recordings do not hold stays as it is.
    """
    wanted = _Wanted(findings)
    messages = [message for recording in recordings for message in _messages(recording, wanted)]
    return [_both(found, [one for one in messages if _is_around(found, one)]) for found in findings]


def _messages(recording: Rows, wanted: _Wanted) -> Iterator[_Message]:
    """What the users received around the findings, in order of arrival."""
    theirs: dict[int, str] = {}
    for row in recording.rows:
        if isinstance(row, Opened):
            if wanted.user(row.user):
                theirs[row.conn] = row.user
            continue
        user, at_ns = theirs.get(row.conn), row.at_ns + recording.behind_ns
        if user is None:
            continue
        if isinstance(row, Malformed | Overheard):
            if wanted.time(user, at_ns):
                yield _Message(user, row.conn, False, replace(beside_runs(row), at_ns=at_ns))
        elif isinstance(row, Received | Stretch):
            run = row.run if isinstance(row, Stretch) else row.event.run
            if wanted.run(run) or wanted.time(user, at_ns):
                for one in unfold(row) if isinstance(row, Stretch) else (row,):
                    yield _message(one, user, recording.behind_ns)


def _message(row: Received, user: str, behind_ns: int) -> _Message:
    witness = witness_of(row)
    own = row.event.kind <= LAST_RUN_EVENT and row.event.user in ("", user)
    return _Message(user, row.conn, own, replace(witness, at_ns=witness.at_ns + behind_ns))


def _is_around(found: Finding, message: _Message) -> bool:
    """Whether it is of the finding's run or of its time: it may have been kept for another's."""
    if found.run and message.witness.run == found.run:
        return True
    return abs(message.witness.at_ns - found.at_ns) <= _NEAR_NS


def _both(found: Finding, messages: Sequence[_Message]) -> Finding:
    if len(found.witnesses) == 1:
        (guilty,) = found.witnesses
        socket = [m.witness for m in messages if (m.user, m.conn) == (found.user, found.conn)]
        place = next((n for n, witness in enumerate(socket) if replace(witness, guilty=True) == guilty), None)
        if place is not None:
            before, after = socket[max(0, place - AROUND) : place], socket[place + 1 : place + 1 + AROUND]
            found = replace(found, witnesses=(*before, guilty, *after))
    if found.rule not in _LEAKS:
        return found
    if found.problem == SHARED:
        return _at_both(found, messages)
    theirs = [message for message in messages if message.user == found.other and message.own]
    run = [message for message in theirs if message.witness.run == found.run]
    return _of_the_run(found, run) if run else _of_the_time(found, theirs)


def _at_both(found: Finding, messages: Sequence[_Message]) -> Finding:
    """How a run that is two users' began at either: what only merging shows has no message of its own."""

    def beginning(user: str, conn: int) -> list[_Message]:
        all_of_it = [m for m in messages if (m.user, m.conn, m.witness.run) == (user, conn, found.run)]
        return ([message for message in all_of_it if message.own] or all_of_it)[:AROUND]

    theirs = beginning(found.other, found.other_conn)
    if theirs:
        found = _shown(found, theirs)
    mine = [message.witness for message in beginning(found.user, found.conn)]
    if not mine:
        return found
    first, *further = mine
    return replace(found, at_ns=first.at_ns, witnesses=(replace(first, guilty=True), *further))


def _of_the_run(found: Finding, run: Sequence[_Message]) -> Finding:
    """Where in its own run the leaked message belongs, on the socket of whose run it is."""
    seq = next((witness.seq for witness in found.witnesses if witness.guilty), 0)
    near = sorted(run, key=lambda message: abs(message.witness.seq - seq))
    nearest = [message for message in near if abs(message.witness.seq - seq) <= AROUND] or near[: 2 * AROUND]
    shown = [message for message in run if message in nearest]
    return _shown(found, shown)


def _of_the_time(found: Finding, theirs: Sequence[_Message]) -> Finding:
    """What the other user's socket saw at that time, where the message is of no run of theirs."""
    before = [message for message in theirs if message.witness.at_ns <= found.at_ns]
    after = [message for message in theirs if message.witness.at_ns > found.at_ns]
    nearest = [*before[-AROUND:], *after[:AROUND]]
    if not nearest:
        return found
    closest = min(nearest, key=lambda message: abs(message.witness.at_ns - found.at_ns))
    same = [message for message in nearest if message.witness.run == closest.witness.run]
    return _shown(found, same)


def _shown(found: Finding, theirs: Sequence[_Message]) -> Finding:
    return replace(
        found,
        other_conn=theirs[0].conn,
        theirs=tuple(message.witness for message in theirs),
        theirs_run=theirs[0].witness.run,
    )
