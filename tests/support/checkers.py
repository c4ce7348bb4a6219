"""Two checkers on one recording: what each has to say, with the same numbers."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import NamedTuple
from unittest.mock import patch

from msgspec.structs import replace

from streamgauge.checker import Checked, check_rows
from streamgauge.core.checks import state
from streamgauge.core.checks.problem import OTHER_THOUGHTS
from streamgauge.core.contract import Rule
from streamgauge.core.event import Kind
from streamgauge.core.finding import Finding
from streamgauge.core.observation import Closed, Observation, Opened, Received
from tests.support import damage, generated
from tests.support.analysed import UNTIL
from tests.support.history import LIMITS
from tests.support.mutated import Mutated
from tests.support.mutations import MUTATIONS
from tests.support.naive_checker import Limits, Second
from tests.support.naive_offsets import Naive
from tests.support.stretches import read_together, stretched

Rows = list[Observation]


class Opinions(NamedTuple):
    """What was said of a recording: findings with whose they are and their numbers; runs hidden by a gap."""

    first: Counter[Naive]
    second: Counter[Naive]
    masked: tuple[int, int]

    @property
    def agree(self) -> bool:
        return self.first == self.second and self.masked[0] == self.masked[1]

    def __str__(self) -> str:
        lines = [
            *(f"  the checker alone: {tuple(finding)}" for finding in self.first - self.second),
            *(f"  the naive one alone: {tuple(finding)}" for finding in self.second - self.first),
        ]
        return "\n".join([*lines, f"  runs hidden by a gap: {self.masked[0]} and {self.masked[1]}"])


class Case(NamedTuple):
    """A recording that was drawn from a seed, and what was done to it."""

    seed: int
    rows: Rows
    until_ns: int
    accepts: bool
    done: tuple[str, ...]
    digests: bool

    def opinions(self) -> Opinions:
        rng, limits = Random(self.seed), replace(LIMITS, accepts=self.accepts, digests=self.digests)
        gathered = stretched(self.rows, rng) if rng.random() < 0.5 else self.rows
        with patch.object(state, "KEPT", 10_000):  # all findings, not only the first of each rule
            first = check_rows(gathered, limits, until_ns=self.until_ns)
        plain = Limits(limits.silence_ns, limits.grace_ns, limits.accepts, limits.digests)
        second = Second(self.rows, self.until_ns, plain)
        return Opinions(_said(first), Counter(second.findings), (_masked(first), second.masked))


def case(seed: int) -> Case:
    """A recording, sound or with up to three faults in it."""
    rng = Random(seed)
    rows, until_ns, done = generated.recording(rng.randint(1, 3), rng.randint(1, 3), seed), UNTIL, []
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 3])):
        fault = rng.choice(FAULTS)
        try:
            made = fault(rows, rng)
        except (LookupError, ValueError, StopIteration):
            continue  # there is no such place in it, or not any more
        if isinstance(made, Mutated):
            until_ns = max(until_ns, made.until_ns)
            made = made.rows
        if not any(map(_unreadable, made)):
            rows = made
            done.append(fault.__name__)
    rows = _heard(sorted(rows, key=lambda row: row.at_ns))
    if rng.random() < 0.3:
        rows = read_together(rows, rng, generated.START)
    accepts, digests = rng.random() < 0.5, rng.random() < 0.5
    return Case(seed, rows, max(until_ns, rows[-1].at_ns), accepts, tuple(done), digests)


def _unreadable(row: Observation) -> bool:
    """No reader lets it pass: numbers begin with 1."""
    return isinstance(row, Received) and row.event.kind <= Kind.FAILED and row.event.seq < 1


def _heard(rows: Rows) -> Rows:
    """Without what faults have put after the end of its socket, where nobody hears it."""
    closed: set[int] = set()
    heard = []
    for row in rows:
        if row.conn not in closed:
            heard.append(row)
        if isinstance(row, Closed):
            closed.add(row.conn)
    return heard


def never_accepted(rows: Rows, rng: Random) -> Rows:
    """The message that accepts a run is lost."""
    place = rng.choice(_acceptances(rows))
    return rows[:place] + rows[place + 1 :]


def undigested(rows: Rows, rng: Random) -> Rows:
    """A run that streamed its answer completes without its digest."""
    place, row = rng.choice(
        [
            (at, row)
            for at, row in enumerate(rows)
            if isinstance(row, Received) and row.event.kind == Kind.COMPLETED and row.event.joined
        ]
    )
    return [*rows[:place], replace(row, event=replace(row.event, answer="")), *rows[place + 1 :]]


def begun_anew(rows: Rows, rng: Random) -> Rows:
    """From some event on the numbers of a session are counted from 1 once more."""
    first = rng.choice([at for at, row in enumerate(rows) if isinstance(row, Received) and row.event.offset])
    made, number = rows[:first], 0
    for row in rows[first:]:
        if isinstance(row, Received) and row.conn == rows[first].conn and row.event.offset:
            number += 1
            made.append(replace(row, event=replace(row.event, offset=number)))
        else:
            made.append(row)
    return made


def in_another_tab(rows: Rows, rng: Random) -> Rows:
    """The events of a run come to another socket of its user, too: from some place on, or all of them."""
    users = {row.conn: row.user for row in rows if isinstance(row, Opened)}
    events = [at for at, row in enumerate(rows) if isinstance(row, Received) and row.event.seq]
    first = rows[rng.choice(events)]
    tab = rng.choice([c for c, user in users.items() if user == users[first.conn] and c != first.conn])
    assert isinstance(first, Received)
    numbered, moved, made = rng.random() < 0.5, rng.random() < 0.5, list[Observation]()
    for row in rows:
        if (
            not isinstance(row, Received)
            or row.event.run != first.event.run
            or row.event.seq < first.event.seq
        ):
            made.append(row)
            continue
        if not moved:
            made.append(row)
        if any(isinstance(other, Opened) and other.conn == tab for other in made):
            offset = row.event.offset if numbered else 0
            made.append(replace(row, conn=tab, event=replace(row.event, offset=offset)))
    return made


def accepted_again(rows: Rows, rng: Random) -> Rows:
    """The message that accepts a run comes once more, then or later."""
    first = rng.choice(_acceptances(rows))
    place = rng.choice([at for at in range(first, len(rows)) if rows[at].conn == rows[first].conn])
    row = rows[first]
    assert isinstance(row, Received)
    once_more = replace(row, at_ns=rows[place].at_ns, kernel_ns=0, exact=False)
    return [*rows[: place + 1], once_more, *rows[place + 1 :]]


def _acceptances(rows: Rows) -> list[int]:
    return [
        at for at, row in enumerate(rows) if isinstance(row, Received) and row.event.kind == Kind.ACCEPTED
    ]


FAULTS: tuple[Callable[[Rows, Random], Rows | Mutated], ...] = (
    *MUTATIONS,
    *(never_accepted, accepted_again, undigested, begun_anew, in_another_tab, in_another_tab),
    *(damage.premature, damage.renamed, damage.impersonated),
    *(damage.prolonged, damage.hurried, damage.belated, damage.unscripted),
)


def _said(checked: Checked) -> Counter[Naive]:
    return Counter(map(_plain, checked.findings))


def _plain(finding: Finding) -> Naive:
    """A finding without its witnesses, and not so nice where the naive checker is not."""
    problem = finding.problem
    if finding.rule is Rule.THINKING_PRESENT and problem != OTHER_THOUGHTS:
        problem = ""
    elif finding.rule is Rule.TOOL_PAIRING:
        problem = ", ".join(sorted(problem.split(", ")))
    elif finding.rule is Rule.STARTED_FIRST and "no start" in problem:
        problem = "no start"
    elif problem == "started twice or late":
        problem = "started again"
    elif problem.endswith(" after the end"):
        problem = "after the end"
    whose = finding.user, finding.conn, finding.run, finding.other
    return Naive(finding.rule.value, problem, *whose, finding.numbers, finding.more, finding.lasted_ns)


def _masked(checked: Checked) -> int:
    (unknown,) = {v.unknown for v in checked.verdicts if v.rule is Rule.NO_SILENCE}
    return unknown
