"""The control of a run: what was seeded into traffic set apart, and whether the checker saw it.

A checker that is blind passes everything. So one leak, one loss and one swap are made
beside the run; unless each is caught, by its own rule, the run is invalid.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from streamgauge.core.contract import Rule
from streamgauge.core.finding import VERDICT, Doubt, Verdict
from streamgauge.core.strike import Fault, Strike

SEEDS: Final[dict[str, Fault]] = {"leak": Fault.TRANSPLANT, "loss": Fault.DROP, "swap": Fault.SWAP}
# A loss and a swap are told by numbers; where a protocol has none, by what goes on without having begun.
_NUMBERED: Final = frozenset({Rule.SEQ_CONTIGUOUS})
_UNNUMBERED: Final = frozenset({Rule.PROTOCOL, Rule.TOOL_PAIRING})


class Seeded(Struct, frozen=True):
    """One fault of the control: what was struck, None where nothing could be, and by which rule it shows.

    `caught` is the rule that saw it, None where none did.
    """

    name: str  # of `SEEDS`
    strike: Strike | None
    expected: tuple[Rule, ...]
    caught: Rule | None = None


class Control(Struct, frozen=True):
    """What the control of a run came to; `problem` is why it could not be made, "" where it was."""

    seeded: tuple[Seeded, ...] = ()
    problem: str = ""


def expected(name: str, promises: Collection[Rule]) -> tuple[Rule, ...]:
    """The rules by which a seed shows in a protocol of these promises."""
    if name == "leak":
        rules = frozenset({Rule.ISOLATION_CANARY})
    else:
        rules = _NUMBERED if Rule.SEQ_CONTIGUOUS in promises else _UNNUMBERED
    return tuple(rule for rule in Rule if rule in rules and rule in promises)


def control_of(strikes: Sequence[Strike], verdicts: Iterable[Verdict], promises: Collection[Rule]) -> Control:
    """Hold what the proxy struck against what the checker said of the struck traffic."""
    said = {verdict.rule: verdict for verdict in verdicts}
    seeded = []
    for name, fault in SEEDS.items():
        rules = expected(name, promises)
        strike = next((strike for strike in strikes if strike.fault is fault), None)
        caught = None
        if strike is not None:
            caught = next((rule for rule in rules if rule in said and _shows(strike, said[rule])), None)
        seeded.append(Seeded(name, strike, rules, caught))
    return Control(tuple(seeded))


def _shows(strike: Strike, verdict: Verdict) -> bool:
    """Whether one of the findings is of that strike: its canary at another user, or else its run."""
    if strike.fault is Fault.TRANSPLANT:
        return any(strike.canary == found.token != "" for found in verdict.findings)
    return any(found.run == strike.run for found in verdict.findings)


def invalid(control: Control) -> Doubt | None:
    """Why a run of that control proves nothing; None where all was caught."""
    if control.problem:
        value = control.problem
    else:
        missed = [one for one in control.seeded if one.caught is None]
        if not missed and len(control.seeded) == len(SEEDS):
            return None
        value = ", ".join(map(_missed, missed)) or "nothing was seeded"
    return Doubt(
        "control",
        f"INVALID, {value}",
        "a leak, a loss and a swap, each seeded and caught",
        "what this checker passes is not proven: look into control/ of the results",
        VERDICT,
    )


def _missed(one: Seeded) -> str:
    if not one.expected:
        return f"the protocol promises no rule that shows a {one.name}"
    return f"the {one.name} was not {'seeded' if one.strike is None else 'caught'}"
