"""A run is invalid unless a leak, a loss and a swap were seeded, and each was caught by its own rule."""

import pytest
from msgspec.structs import replace

from streamgauge.core.contract import EVERY_RULE, Rule
from streamgauge.core.control import Control, control_of, expected, invalid
from streamgauge.core.finding import VERDICT, Finding, Outcome, Verdict
from streamgauge.core.strike import Fault, Strike
from streamgauge.protocol import PROTOCOLS

CANARY = "9c7b8aba"
LEAK = Strike(Fault.TRANSPLANT, 1, 1, "r1", "thinking", 2, to=2, canary=CANARY)
LOSS = Strike(Fault.DROP, 2, 2, "r2", "partial", 8)
SWAP = Strike(Fault.SWAP, 3, 3, "r3", "partial", 7)
ALL = [LEAK, LOSS, SWAP]
AG_UI = PROTOCOLS["ag-ui"].promises


def found(rule: Rule, run: str, token: str = "") -> Finding:
    return Finding(rule, "a problem", "ben", 1, 1, run, token=token)


def verdicts(*findings: Finding) -> list[Verdict]:
    by_rule: dict[Rule, tuple[Finding, ...]] = {}
    for one in findings:
        by_rule[one.rule] = (*by_rule.get(one.rule, ()), one)
    return [
        Verdict(rule, Outcome.FAIL, required=True, exercised=9, unknown=0, found=len(of), findings=of)
        for rule, of in by_rule.items()
    ]


SEEN = (
    found(Rule.ISOLATION_CANARY, "r1", CANARY),
    found(Rule.SEQ_CONTIGUOUS, "r2"),
    found(Rule.SEQ_CONTIGUOUS, "r3"),
)


def caught(control: Control) -> dict[str, Rule | None]:
    return {one.name: one.caught for one in control.seeded}


def test_what_is_caught_is_caught_by_its_own_rule() -> None:
    control = control_of(ALL, verdicts(*SEEN), EVERY_RULE)
    assert caught(control) == {
        "leak": Rule.ISOLATION_CANARY,
        "loss": Rule.SEQ_CONTIGUOUS,
        "swap": Rule.SEQ_CONTIGUOUS,
    }
    assert invalid(control) is None


@pytest.mark.parametrize(("blind", "name"), [(0, "leak"), (1, "loss"), (2, "swap")])
def test_a_checker_that_is_blind_to_one_makes_the_run_invalid(blind: int, name: str) -> None:
    control = control_of(ALL, verdicts(*SEEN[:blind], *SEEN[blind + 1 :]), EVERY_RULE)
    doubt = invalid(control)
    assert doubt is not None
    assert (doubt.name, doubt.voids) == ("control", VERDICT)
    assert doubt.value == f"INVALID, the {name} was not caught"


@pytest.mark.parametrize(
    "instead",
    [
        replace(SEEN[0], token="another"),
        replace(SEEN[0], token=""),
        replace(SEEN[0], rule=Rule.ISOLATION_ENVELOPE),
    ],
    ids=["another canary", "no canary", "another rule"],
)
def test_a_leak_is_caught_by_its_canary_alone(instead: Finding) -> None:
    assert caught(control_of(ALL, verdicts(instead, *SEEN[1:]), EVERY_RULE))["leak"] is None


def test_a_leak_without_a_canary_is_caught_by_nothing() -> None:
    bare = [replace(LEAK, canary=""), LOSS, SWAP]
    nameless = replace(SEEN[0], token="")
    assert caught(control_of(bare, verdicts(nameless, *SEEN[1:]), EVERY_RULE))["leak"] is None


@pytest.mark.parametrize(
    "instead",
    [replace(SEEN[1], run="r9"), replace(SEEN[1], rule=Rule.COMPLETE)],
    ids=["another run", "another rule"],
)
def test_a_loss_is_caught_in_its_own_run(instead: Finding) -> None:
    assert caught(control_of(ALL, verdicts(SEEN[0], instead, SEEN[2]), EVERY_RULE))["loss"] is None


def test_what_was_not_seeded_is_no_pass() -> None:
    control = control_of([LEAK, SWAP], verdicts(*SEEN), EVERY_RULE)
    doubt = invalid(control)
    assert doubt is not None
    assert doubt.value == "INVALID, the loss was not seeded"


def test_a_proxy_that_seeds_nothing_proves_nothing() -> None:
    for control in (control_of([], verdicts(*SEEN), EVERY_RULE), Control(), Control(problem="it fell")):
        assert invalid(control) is not None


def test_a_protocol_without_numbers_shows_a_loss_by_what_goes_on_without_it() -> None:
    assert expected("leak", AG_UI) == (Rule.ISOLATION_CANARY,)
    assert expected("loss", AG_UI) == expected("swap", AG_UI) == (Rule.TOOL_PAIRING, Rule.PROTOCOL)
    seen = (SEEN[0], found(Rule.PROTOCOL, "r2"), found(Rule.TOOL_PAIRING, "r3"))
    assert invalid(control_of(ALL, verdicts(*seen), AG_UI)) is None


def test_a_protocol_that_promises_no_rule_for_it_makes_it_unknown() -> None:
    promises = EVERY_RULE - {Rule.ISOLATION_CANARY}
    doubt = invalid(control_of(ALL, verdicts(*SEEN), promises))
    assert doubt is not None
    assert doubt.value == "INVALID, the protocol promises no rule that shows a leak"
