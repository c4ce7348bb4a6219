"""All that a list of attacks came to, and what the rule `isolation-active` makes of it."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamgauge.core.attack import Attacked, Leaked, is_stated
from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding, Outcome, Verdict, Witness
from streamgauge.core.telling import Telling

CAMPAIGN_FILE: Final = "attacks.json"  # in the result folder of a run that was attacked
BYSTANDERS: Final = "bystanders"


class Campaign(Struct, frozen=True):
    """The attacks, what time tells, and the harm that was done to the bystanders' streams, in words."""

    attacker: str
    attacks: tuple[Attacked, ...]
    bystanders: int
    runs: int  # of the bystanders
    telling: Telling | None = None
    harm: tuple[str, ...] = ()


def exercise(state: CheckState, campaign: Campaign) -> CheckState:
    """The state, and what the campaign showed; one finding for each attack, and for each harm."""
    judged = [attack for attack in campaign.attacks if attack.outcome is not None]
    unknown = sum(attack.outcome is Outcome.UNKNOWN for attack in judged)
    rule = Rule.ISOLATION_ACTIVE
    more = CheckState(exercised={rule: len(judged) - unknown}, unknown={rule: unknown} if unknown else {})
    for finding in _findings(campaign):
        more.add(finding)
    for leak in (attack.leak for attack in campaign.attacks if attack.leak):
        more.leaks.count(leak.user, sender=leak.other, token=leak.token)
    return state.merge(more)


def _findings(campaign: Campaign) -> Iterator[Finding]:
    of = Finding(Rule.ISOLATION_ACTIVE, "", campaign.attacker, conn=0, at_ns=0)
    for attack in campaign.attacks:
        if attack.outcome is Outcome.FAIL:
            if leak := attack.leak:
                yield _leak(attack, leak)
                continue
            witness = Witness(attack.at_ns, attack.answer, detail=attack.said or attack.sent, guilty=True)
            yield replace(of, problem=problem(attack), at_ns=attack.at_ns, witnesses=(witness,))
    ended_ns = max((attack.at_ns for attack in campaign.attacks), default=0)  # harm comes of what was done
    for harm in campaign.harm:
        yield replace(of, problem=harm, user=BYSTANDERS, at_ns=ended_ns)


def _leak(attack: Attacked, leak: Leaked) -> Finding:
    """A finding with both users, the canary, and the message that brought it."""
    witness = Witness(
        leak.at_ns, leak.kind, leak.run, leak.seq, leak.offset, leak.size, f"brings {leak.token}", guilty=True
    )
    return Finding(
        Rule.ISOLATION_ACTIVE, problem(attack), leak.user, conn=0, at_ns=leak.at_ns,
        run=leak.run, other=leak.other, token=leak.token, witnesses=(witness,),
    )  # fmt: skip


def suffered(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """The rules that are broken in the bystanders' streams, for a report that does not hold those streams."""
    return tuple(
        f"the bystanders' streams broke {verdict.rule} {_times(verdict.found)}"
        for verdict in verdicts
        if verdict.outcome is Outcome.FAIL
    )


def pointed(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """As `suffered`, for the report that has those findings: by their ids, for one cause is one finding."""
    ids = [f"{verdict.rule}-1" for verdict in verdicts if verdict.outcome is Outcome.FAIL]
    return (f"the bystanders' streams came to harm: see {', '.join(ids)}",) if ids else ()


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def problem(attack: Attacked) -> str:
    """What is wrong with an answer: that it is none of those stated, or the harm that it does."""
    stated = " or ".join(attack.stated)
    if attack.outcome is Outcome.UNKNOWN or not attack.answer:
        return f"{attack.name}: {attack.said}"
    if attack.leak or is_stated(attack.answer, attack.stated):  # then there was harm
        return f"{attack.name}: {attack.answer}, but {attack.said}"
    said = f" ({attack.said})" if attack.said else ""
    return f"{attack.name}: {attack.answer}, stated is {stated}{said}"
