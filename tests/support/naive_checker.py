"""The second opinion: the contract, read once more, and written down as plainly as it can be.

Slow and obvious: every question goes through all rows again. It shares no code with `core.checks`,
`core.assembly` and `core.contract`, and was written from `docs/contract.md` alone. It judges recordings of
one process, of the native protocol, with no run that is to be silent.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from streamgauge.core.event import Kind
from streamgauge.core.observation import (
    Asked,
    Cancelled,
    Closed,
    Malformed,
    Observation,
    Opened,
    Overheard,
    Received,
    Spoken,
)
from tests.support.naive_numbers import beyond, missing, shown
from tests.support.naive_offsets import Departure, Naive, counts, in_rows, offsets
from tests.support.naive_run import ENDS, in_order, unlike_its_script, wrong_echoes


class Run(Struct):
    """What was asked, and all that came of it."""

    user: str
    asked: Asked
    run: str = ""
    thread: str = ""
    accepted: bool = False
    answers: int = 0  # how often it was accepted
    cancelled: bool = False
    spoken: bool = False
    accused: bool = False  # a message of its own broke a rule of messages
    events: list[Received] = []
    ended_ns: int | None = None
    refused: bool = False
    left: bool = False  # its user, or the recording, ended first
    too_late: str = ""  # the name by which it was accepted after its deadline
    afterwards: list[Received] = []  # what came after its deadline
    told_of_silence: bool = False

    def is_open(self, at_ns: int, grace_ns: int) -> bool:
        if self.refused or self.left:
            return False
        if self.ended_ns is not None:
            return at_ns < self.ended_ns + grace_ns
        return at_ns < self.asked.deadline_ns


class Limits(NamedTuple):
    silence_ns: int
    grace_ns: int
    accepts: bool
    digests: bool


class Second:
    """The opinion on one recording: `findings`, and how many runs a gap hides from the rules (`masked`)."""

    def __init__(self, rows: Sequence[Observation], until_ns: int, limits: Limits) -> None:
        self.limits = limits
        self.runs: list[Run] = []
        self.strays: list[tuple[str, Received, str]] = []  # whose socket, the event, and what it is
        self.findings: list[Naive] = []
        self.masked = 0
        self.canaries = {row.canary: row.user for row in rows if isinstance(row, Opened)}
        for conn in sorted({row.conn for row in rows}):
            self.read([row for row in rows if row.conn == conn], until_ns)
        for run in self.runs:
            self.findings += self.judge(run)
        self.findings += self.judge_strays()
        self.findings += self.judge_names()

    # What came of what was asked

    def read(self, rows: Sequence[Observation], until_ns: int) -> None:
        runs: list[Run] = []
        departures: list[Departure] = []
        user = ""
        greeted = next((place for place, row in enumerate(rows) if isinstance(row, Opened)), len(rows))
        accused: list[str] = []  # runs, or else requests, that a message of this socket accuses
        for row in rows[:greeted]:  # whose the socket is, nobody knows yet
            if isinstance(row, Received | Malformed | Overheard):
                self.findings += self.leaks(row, user)
            if isinstance(row, Received | Malformed):
                self.findings += self.judge_message(row, user)
        rows = rows[greeted:]
        for place, row in enumerate(rows):
            match row:
                case Opened():
                    user = row.user
                case Asked():
                    runs.append(Run(user, row, thread=row.thread))
                case Cancelled() | Spoken():
                    self.disturb(row, runs)
                case Closed():
                    self.leave(runs, row.at_ns)
                case Overheard():
                    self.findings += self.leaks(row, user)
                case Malformed():
                    self.findings += self.leaks(row, user)
                    self.findings += self.judge_message(row, user)
                case Received():
                    broken = [*self.leaks(row, user), *self.judge_message(row, user)]
                    self.findings += broken
                    accused += [row.event.run or row.event.request] * bool(broken)
                    self.put(row, user, runs)
                    self.accuse(row, runs, accused)
                    departure = self.judge_offset(row, rows[:place], user, runs)
                    departures += [departure] if departure else []
        self.leave(runs, until_ns)
        self.findings += in_rows(departures, user)
        self.runs += runs
        self.findings += self.judge_offsets(rows, user, runs)

    def disturb(self, row: Cancelled | Spoken, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.run == row.run and run.is_open(row.at_ns, self.limits.grace_ns):
                run.cancelled |= isinstance(row, Cancelled)
                run.spoken |= isinstance(row, Spoken)

    def accuse(self, row: Received, runs: Sequence[Run], accused: Sequence[str]) -> None:
        """As long as a run is open, what its messages break is known of it."""
        for run in runs:
            if run.is_open(row.at_ns, self.limits.grace_ns):
                run.accused = bool({run.run, run.asked.request} & {*accused} - {""})

    def leave(self, runs: Sequence[Run], at_ns: int) -> None:
        for run in runs:
            if run.is_open(at_ns, self.limits.grace_ns):
                run.left = True

    def put(self, row: Received, user: str, runs: Sequence[Run]) -> None:
        """Give a message to the run it belongs to."""
        event = row.event
        waiting = [r for r in runs if r.is_open(row.at_ns, self.limits.grace_ns)]
        own = [run for run in waiting if run.run == event.run and run.run]
        asked = [run for run in waiting if not run.run and run.asked.request == event.request]
        if event.user not in ("", user) and not own:
            return  # judged by isolation alone
        if event.kind == Kind.REFUSED:
            for run in asked:
                run.refused = True
        elif event.kind == Kind.ACCEPTED:
            self.accept(row, user, runs, own, asked)
        elif event.kind <= Kind.FAILED:
            if not own and event.kind == Kind.STARTED and asked:  # it was never accepted
                own = asked
                own[0].run, own[0].thread = event.run, own[0].thread or event.thread
            if not own:
                self.stray(row, user, runs)
                return
            own[0].events.append(row)
            if event.kind in ENDS and own[0].ended_ns is None:
                own[0].ended_ns = row.at_ns

    def accept(
        self, row: Received, user: str, runs: Sequence[Run], own: Sequence[Run], asked: Sequence[Run]
    ) -> None:
        event = row.event
        if own and own[0].asked.request == event.request:
            own[0].answers += 1
            times_asked = sum(run.asked.request == event.request for run in runs)
            if own[0].accepted and own[0].answers > times_asked:
                self.strays.append((user, row, "accepted"))
            return
        if asked and not own:
            asked[0].run, asked[0].accepted, asked[0].answers = event.run, True, 1
            asked[0].thread = asked[0].thread or event.thread
            return
        known = [run for run in runs if run.asked.request == event.request and not run.refused]
        if known and not known[-1].run and not own:
            known[-1].too_late = event.run
        else:
            self.strays.append((user, row, "accepted"))

    def silence_after_the_deadline(self, row: Received, run: Run) -> None:
        """That the run never ended is the finding; so is a silence that only now has an end."""
        heard = [run.asked.at_ns, *(r.kernel_ns or r.at_ns for r in [*run.events, *run.afterwards])]
        run.afterwards.append(row)
        silence = (row.kernel_ns or row.at_ns) - heard[-1]
        if silence > self.limits.silence_ns + run.asked.pause_ns and not run.told_of_silence:
            run.told_of_silence = True
            found = Naive("no-silence", "silent", run.user, row.conn, row.event.run, lasted_ns=silence)
            self.findings.append(found)

    def stray(self, row: Received, user: str, runs: Sequence[Run]) -> None:
        if row.foreign:
            return  # the canary is the finding
        before = [run for run in runs if row.event.run in (run.run, run.too_late)]
        if not before:
            self.strays.append((user, row, "nobody's"))
        elif all(run.ended_ns is not None for run in before):
            self.strays.append((user, row, "late"))
        else:
            self.silence_after_the_deadline(row, before[-1])

    # One run

    def judge(self, run: Run) -> Iterator[Naive]:
        def broken(
            rule: str, problem: str, pairs: Sequence[tuple[int, int]] = (), lasted_ns: int = 0
        ) -> Naive:
            return Naive(rule, problem, run.user, run.asked.conn, run.run, "", *shown(pairs), lasted_ns)

        if run.ended_ns is None and not run.refused and not run.left:
            yield broken("complete", "never ended" if run.events else "never began")
        ends = [r.event for r in run.events if r.event.kind in ENDS]
        if ends and ends[0].status == "cancelled" and not run.cancelled:
            yield broken("complete", "cancelled, and its user had not asked for it")
        if not run.events:
            return
        if self.limits.accepts and not run.accepted:
            yield broken("protocol", "it began without having been accepted")
        numbers = [received.event.seq for received in run.events]
        once = [r for place, r in enumerate(run.events) if numbers[place] not in numbers[:place]]
        arrived = [received.event.seq for received in once]
        again = [number for place, number in enumerate(numbers) if number in numbers[:place]]
        if again:
            yield broken("seq-contiguous", "repeat", [(number, number) for number in again])
        back = [n for place, n in enumerate(arrived) if any(earlier > n for earlier in arrived[:place])]
        if back:
            yield broken("seq-contiguous", "step back", [(number, number) for number in back])
        events = sorted((received.event for received in once), key=lambda event: event.seq)
        for problem in wrong_echoes(run.asked, run.thread, events):
            yield broken("echo", problem)
        gaps = missing(numbers)
        if gaps:
            self.masked += 1
            head = gaps[0][0] == 1 and all(event.kind != Kind.STARTED for event in events)
            if head:
                yield broken("started-first", "head missing", gaps[:1])
            if gaps[head:]:
                yield broken("seq-contiguous", "gap", gaps[head:])
            return
        arrivals = [run.asked.at_ns, *(r.kernel_ns or r.at_ns for r in once)]
        longest = max(later - earlier for earlier, later in pairwise(arrivals))
        if longest > self.limits.silence_ns + run.asked.pause_ns:
            yield broken("no-silence", "silent", lasted_ns=longest)
        makes = None if run.cancelled or run.spoken or run.accused else run.asked.makes
        judged = list(in_order(events, digests=self.limits.digests))
        told = {rule for rule, *_ in judged}
        for rule, problem, wrong in [*judged, *unlike_its_script(events, makes, told)]:
            yield broken(rule, problem, [(number, number) for number in wrong])

    # Messages, sessions, users

    def leaks(self, row: Received | Malformed | Overheard, user: str) -> Iterator[Naive]:
        run = row.event.run if isinstance(row, Received) else ""
        for token in row.foreign.split():
            yield Naive(
                "isolation-canary", "another user's canary", user, row.conn, run, self.canaries.get(token, "")
            )

    def judge_message(self, row: Received | Malformed, user: str) -> Iterator[Naive]:
        if isinstance(row, Malformed):
            yield Naive("protocol", row.why, user, row.conn)
            return
        event = row.event
        if event.breach:
            yield Naive("protocol", event.breach, user, row.conn, event.run)
        if user and event.user not in ("", user):
            yield Naive(
                *("isolation-envelope", "another user's message", user, row.conn, event.run, event.user)
            )

    def judge_offset(
        self, row: Received, before: Sequence[Observation], user: str, runs: Sequence[Run]
    ) -> Departure | None:
        """What comes again, or after what it should precede, unless its run says so already, or is over."""
        event = row.event
        seen = offsets(before, user)
        if not event.offset or not counts(event, user, seen) or event.offset > max(seen, default=0):
            return None
        of_run = [r.event.seq for r in before if isinstance(r, Received) and r.event.run == event.run]
        known = [run for run in runs if run.run == event.run]
        settled = known and not any(run.is_open(row.at_ns, self.limits.grace_ns) for run in known)
        if event.kind <= Kind.FAILED and (settled or (event.seq and max(of_run, default=0) >= event.seq)):
            return None
        return Departure("repeat" if event.offset in seen else "step back", max(seen), row)

    def judge_offsets(self, rows: Sequence[Observation], user: str, runs: Sequence[Run]) -> Iterator[Naive]:
        """What never came, unless the runs miss as much."""
        gaps = missing(offsets(rows, user))
        missed = sum(high - low + 1 for low, high in gaps)
        explained = sum(
            high - low + 1 for run in runs for low, high in missing([r.event.seq for r in run.events])
        )
        if missed > explained:
            yield Naive(
                "offset-contiguous", "gap", user, rows[0].conn, "", "", *shown(beyond(gaps, explained))
            )

    def judge_strays(self) -> Iterator[Naive]:
        """Events of no run that was open: those of one run are one finding, but for what came late."""
        leaked = self.leaked()
        keys = dict.fromkeys((user, row.conn, row.event.run) for user, row, _ in self.strays)
        for user, conn, name in keys:
            known = [what for _, row, what in self.strays if (row.conn, row.event.run) == (conn, name)]
            owners = [other.user for other in self.runs if other.run == name]
            if "late" in known:
                yield Naive("terminal-last", "long after the run was settled", user, conn, name)
            if "accepted" in known:
                yield Naive("echo", "accepted what was not asked, or once more", user, conn, name)
            elif any(run.too_late == name and run.asked.conn == conn for run in self.runs):
                continue  # that it never began is the finding
            elif "nobody's" in known and not owners:
                yield Naive("protocol", "an event of a run that no socket asked for", user, conn, name)
            elif "nobody's" in known and user in owners:
                asked = [run for run in self.runs if run.run == name]
                if name not in leaked and all(whole(run) and run.asked.conn != conn for run in asked):
                    yield Naive("protocol", "an event of one's own run on another socket", user, conn, name)
            elif "nobody's" in known:
                problem = "an event of another user's run"
                yield Naive("isolation-envelope", problem, user, conn, name, min(owners))

    def leaked(self) -> set[str]:
        """The runs of which anything is at a user whose they are not."""
        told = {found.run for found in self.findings if found.rule.startswith("isolation-")}
        for user, row, what in self.strays:
            owners = {run.user for run in self.runs if run.run == row.event.run}
            told |= {row.event.run} if what == "nobody's" and owners and user not in owners else set()
        names = {(run.run, run.user) for run in self.runs}
        return told | {
            name
            for name, user in names
            if any((name, other.user) in names and other.user != user for other in self.runs)
        }

    def judge_names(self) -> Iterator[Naive]:
        for name in sorted({run.run for run in self.runs} - {""}):
            users = sorted({run.user for run in self.runs if run.run == name})
            conn = min(run.asked.conn for run in self.runs if (run.user, run.run) == (users[0], name))
            for other in users[1:]:
                yield Naive("isolation-envelope", "one run id at two users", users[0], conn, name, other)


def whole(run: Run) -> bool:
    return run.ended_ns is not None and not missing([received.event.seq for received in run.events])
