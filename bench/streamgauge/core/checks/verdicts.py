"""Draws verdicts from what the checks know, when all that was seen is merged."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from streamgauge.core.checks.extent import LEAKS, LeakedRuns, Leaks
from streamgauge.core.checks.problem import SHARED
from streamgauge.core.checks.state import CheckState, StrayRun
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.finding import Finding, Outcome, Struck, Verdict
from streamgauge.core.ownership import Owner, OwnerIndex, digest


def conclude(
    state: CheckState, required: Iterable[Rule], promises: Collection[Rule] = EVERY_RULE
) -> tuple[Verdict, ...]:
    """Draw the verdicts, one a rule, in the order of `Rule`; `promises` are those that were judged."""
    owners = OwnerIndex(state.owners)
    state = _placed_strays(state, owners, promises)
    needed = frozenset(required)
    verdicts = []
    for rule in Rule:
        if rule not in promises:
            verdicts.append(Verdict(rule, Outcome.UNKNOWN, False, 0, 0, 0, promised=False))
            continue
        exercised, found = state.exercised.get(rule, 0), state.found.get(rule, 0)
        unknown = state.unknown.get(rule, 0)
        sure = exercised and not unknown
        outcome = Outcome.FAIL if found else Outcome.PASS if sure else Outcome.UNKNOWN
        findings = tuple(
            replace(_both_sides(f, state, owners), id=f"{rule}-{place}")
            for place, f in enumerate(state.findings.get(rule, []), 1)
        )
        struck = _struck(rule, state, owners)
        verdicts.append(
            Verdict(rule, outcome, rule in needed, exercised, unknown, found, findings, struck=struck)
        )
    return tuple(verdicts)


def _struck(rule: Rule, state: CheckState, owners: OwnerIndex) -> Struck:
    """What the findings of a rule are of; of the runs that leaked how many are somebody's here."""
    of = state.struck.get(rule, Struck())
    if rule not in LEAKS:
        return of
    leaked = state.leaked.runs.get(rule, set())
    ours = owners.among(leaked)
    return replace(of, runs=ours, more_runs=len(leaked) - ours + state.leaked.untold.get(rule, 0))


class Cell(NamedTuple):
    """So many messages of `sender` reached `receiver`; a sender "" is not known."""

    sender: str
    receiver: str
    messages: int


def leaks(state: CheckState, promises: Collection[Rule] = EVERY_RULE) -> list[Cell]:
    """The matrix of leaks without its zeros, what leaked most first; `beyond` of the leaks is not in it."""
    known = placed_leaks(state, promises)
    cells: Counter[tuple[str, str]] = Counter()
    for receiver, senders in known.named.items():
        for sender, messages in senders.items():
            cells[sender, receiver] += messages
    for receiver, tokens in known.by_canary.items():
        for token, messages in tokens.items():
            cells[_owner_of(token, state), receiver] += messages
    return [
        Cell(*pair, messages) for pair, messages in sorted(cells.items(), key=lambda cell: (-cell[1], cell))
    ]


def placed_leaks(state: CheckState, promises: Collection[Rule] = EVERY_RULE) -> Leaks:
    """The leaks, with those that only a run's name shows; a run of two users is one message."""
    return _placed_strays(state, OwnerIndex(state.owners), promises).leaks


def _both_sides(finding: Finding, state: CheckState, owners: OwnerIndex) -> Finding:
    """A leak with its second user, and that user's socket where the run is known to be theirs alone."""
    other = _owner(finding, state)
    known = owners.owners(finding.run) if other else []
    theirs = len(known) == 1 and known[0].user == other
    return replace(finding, other=other, other_conn=known[0].conn if theirs else finding.other_conn)


def _owner(finding: Finding, state: CheckState) -> str:
    """The second user of a leak; a canary that was cut short is known by its beginning."""
    return finding.other or (_owner_of(finding.token, state) if finding.token else "")


def _owner_of(token: str, state: CheckState) -> str:
    if token in state.canaries:
        return state.canaries[token]
    owners = {user for whole, user in state.canaries.items() if whole.startswith(token)}
    return owners.pop() if len(owners) == 1 else ""


def _placed_strays(state: CheckState, index: OwnerIndex, promises: Collection[Rule]) -> CheckState:
    """Say of every stray what it was: late, another user's, or nobody's; and of a run that it is two users'.

    Where the same user asked for it on another socket and lost it there, that loss is the
    finding, and where it reached others, the leak is. Where names do not tell whose a run is
    (the clients chose them), another's is one that nobody asked for here.
    """
    placed = CheckState(
        exercised=dict(state.exercised),
        unknown=state.unknown,
        found=dict(state.found),
        findings={rule: list(kept) for rule, kept in state.findings.items()},
        owners=state.owners,
        canaries=state.canaries,
        leaks=state.leaks.merge(Leaks()),
        struck=dict(state.struck),
        leaked=state.leaked.merge(LeakedRuns()),
    )
    struck: set[tuple[str, str, int]] = set()  # connections of a rule; users are one process's each

    def place(finding: Finding, times: int = 1, known: Collection[str] = ()) -> None:
        placed.add(finding, 1 if finding.rule is Rule.PROTOCOL else times)
        rule, connection = finding.rule, (finding.rule, finding.user, finding.conn)
        new = rule not in known and connection not in struck
        struck.add(connection)
        placed.struck[rule] = placed.struck.get(rule, Struck()) + Struck(times, rule not in LEAKS, new)
        if rule is Rule.ISOLATION_ENVELOPE:  # where no message names its user its run does
            placed.exercised[rule] = placed.exercised.get(rule, 0) + times

    if shared := index.shared_digests():
        placed.leaked.runs.setdefault(Rule.ISOLATION_ENVELOPE, set()).update(shared)
    for run, (first, *others) in index.shared().items():
        for other in others:
            place(_shared_run(run, first, other))
            placed.leaks.count(other.user, sender=first.user)
    elsewhere: list[StrayRun] = []
    for stray in state.strays:
        finding = stray.finding
        owners = [owner.user for owner in index.owners(finding.run)]
        if stray.late:
            late = replace(finding, rule=Rule.TERMINAL_LAST, problem="long after the run was settled")
            place(late, stray.times, stray.struck)
        elif not owners:
            nobodys = replace(finding, problem="an event of a run that no socket asked for")
            place(nobodys, stray.times, stray.struck)
        elif finding.user not in owners:
            if Rule.ISOLATION_ENVELOPE not in promises:
                strange = replace(finding, problem="an event of a run that was not asked for here")
                place(strange, stray.times, stray.struck)
                continue
            problem = "an event of another user's run"
            leak = replace(finding, rule=Rule.ISOLATION_ENVELOPE, problem=problem, other=owners[0])
            place(leak, stray.times, stray.struck)
            placed.leaks.count(finding.user, sender=owners[0], times=stray.times)
            placed.leaked.add(Rule.ISOLATION_ENVELOPE, finding.run, stray.times)
        elif not stray.lost:
            elsewhere.append(stray)
    leaked = set().union(*placed.leaked.runs.values())
    for stray in elsewhere:
        if digest(stray.finding.run) not in leaked:  # what was sent to everybody came here, too
            own = replace(stray.finding, problem="an event of one's own run on another socket")
            place(own, stray.times, stray.struck)
    return placed


def _shared_run(run: str, one: Owner, other: Owner) -> Finding:
    """When that was, and what both saw of it, only the rows can tell: `sides`."""
    return Finding(
        Rule.ISOLATION_ENVELOPE,
        SHARED,
        user=one.user,
        conn=one.conn,
        at_ns=0,
        run=run,
        other=other.user,
        other_conn=other.conn,
    )
