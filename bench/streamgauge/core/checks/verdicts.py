"""Draws verdicts from what the checks know, when all that was seen is merged."""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.finding import Finding, Outcome, Verdict
from streamgauge.core.ownership import OwnerIndex


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
        findings = tuple(_both_sides(f, state, owners) for f in state.findings.get(rule, []))
        verdicts.append(Verdict(rule, outcome, rule in needed, exercised, unknown, found, findings))
    return tuple(verdicts)


def _both_sides(finding: Finding, state: CheckState, owners: OwnerIndex) -> Finding:
    """A leak with its second user, and that user's socket where the run is known to be theirs alone."""
    other = _owner(finding, state)
    known = owners.owners(finding.run) if other else []
    theirs = len(known) == 1 and known[0].user == other
    return replace(finding, other=other, other_conn=known[0].conn if theirs else 0)


def _owner(finding: Finding, state: CheckState) -> str:
    """The second user of a leak; a canary that was cut short is known by its beginning."""
    if finding.other or not finding.token:
        return finding.other
    if finding.token in state.canaries:
        return state.canaries[finding.token]
    owners = {user for token, user in state.canaries.items() if token.startswith(finding.token)}
    return owners.pop() if len(owners) == 1 else ""


def _placed_strays(state: CheckState, index: OwnerIndex, promises: Collection[Rule]) -> CheckState:
    """Say of every stray what it was: late, another user's, or nobody's; and of a run that it is two users'.

    One of the same user's other sockets breaks no rule of its own: the socket that
    waits for it reports the loss. Where names do not tell whose a run is (the clients
    chose them), another's is one that nobody asked for here.
    """
    placed = CheckState(
        exercised=dict(state.exercised),
        unknown=state.unknown,
        found=dict(state.found),
        findings={rule: list(kept) for rule, kept in state.findings.items()},
        owners=state.owners,
        canaries=state.canaries,
    )
    for run, users in index.shared().items():
        for other in users[1:]:
            placed.add(_shared_run(run, users[0], other))
    for stray in state.strays:
        finding = stray.finding
        owners = [owner.user for owner in index.owners(finding.run)]
        if stray.late:
            late = replace(finding, rule=Rule.TERMINAL_LAST, problem="long after the run was settled")
            placed.add(late, stray.times)
        elif not owners:
            placed.add(replace(finding, problem="an event of a run that no socket asked for"), stray.times)
        elif finding.user not in owners:
            if Rule.ISOLATION_ENVELOPE not in promises:
                placed.add(
                    replace(finding, problem="an event of a run that was not asked for here"), stray.times
                )
                continue
            problem = "an event of another user's run"
            leak = replace(finding, rule=Rule.ISOLATION_ENVELOPE, problem=problem, other=owners[0])
            placed.add(leak, stray.times)
    return placed


def _shared_run(run: str, user: str, other: str) -> Finding:
    return Finding(
        Rule.ISOLATION_ENVELOPE, "one run id at two users", user=user, conn=0, at_ns=0, run=run, other=other
    )
