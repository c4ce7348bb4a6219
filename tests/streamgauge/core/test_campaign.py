from streamgauge.core.attack import BY_NAME, Attacked, Leaked, Seen, Try, judge
from streamgauge.core.campaign import Campaign, exercise, pointed, problem, suffered
from streamgauge.core.checks.state import CheckState
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Outcome, Verdict

R = Rule.ISOLATION_ACTIVE


def attacked(name: str, *tries: Try, applies: bool = True, leak: Leaked | None = None) -> Attacked:
    return judge(BY_NAME[name], BY_NAME[name].answers, Seen(tries, "why not", applies, leak), at_ns=7)


def verdict(*attacks: Attacked, harm: tuple[str, ...] = ()) -> Verdict:
    state = exercise(CheckState(), Campaign("attacker", attacks, bystanders=3, runs=9, harm=harm))
    return {verdict.rule: verdict for verdict in conclude(state, [R])}[R]


RIGHT = attacked("no token", Try("http 401"))
WRONG = attacked("alg none", Try("accepted"))
NOT_DONE = attacked("NaN")
NOT_OFFERED = attacked("compressed bomb", applies=False)


def test_answers_as_stated_pass_and_what_does_not_apply_is_not_counted() -> None:
    passed = verdict(RIGHT, NOT_OFFERED)
    assert (passed.outcome, passed.exercised, passed.unknown, passed.found) == (Outcome.PASS, 1, 0, 0)


def test_a_wrong_answer_is_a_finding_with_what_was_sent() -> None:
    failed = verdict(RIGHT, WRONG)
    assert (failed.outcome, failed.exercised, failed.found) == (Outcome.FAIL, 2, 1)
    (finding,) = failed.findings
    assert (finding.user, finding.problem) == ("attacker", "alg none: accepted, stated is http 401")
    assert [(w.at_ns, w.kind, w.guilty) for w in finding.witnesses] == [(7, "accepted", True)]


def test_a_leak_to_the_attacker_is_of_two_users_and_in_the_matrix() -> None:
    leak = Leaked("ann", "attacker", "sgcanaryA", "chunk", 9, 70, "r", 3, 4)
    leaking = attacked("chosen ids", Try("own"), leak=leak)
    (finding,) = verdict(leaking).findings
    assert (finding.user, finding.other, finding.token, finding.run) == ("attacker", "ann", "sgcanaryA", "r")
    (witness,) = finding.witnesses
    whose = "another user's canary arrived, ann's, in chunk (70 bytes) on the socket of attacker"
    assert finding.problem == f"chosen ids: own, but {whose}"
    assert (witness.at_ns, witness.kind, witness.seq, witness.offset, witness.size) == (9, "chunk", 3, 4, 70)
    state = exercise(CheckState(), Campaign("attacker", (RIGHT, leaking), bystanders=3, runs=9))
    assert state.leaks.named == {"attacker": {"ann": 1}}


def test_what_could_not_be_carried_out_makes_it_unknown() -> None:
    unsure = verdict(RIGHT, NOT_DONE)
    assert (unsure.outcome, unsure.exercised, unsure.unknown) == (Outcome.UNKNOWN, 1, 1)


def test_nothing_that_applies_is_not_exercised() -> None:
    assert verdict(NOT_OFFERED).outcome is Outcome.UNKNOWN


def test_harm_to_bystanders_fails_though_every_answer_is_right() -> None:
    failed = verdict(RIGHT, harm=("the connection of bystander-1 was ended: 1011",))
    assert (failed.outcome, failed.found) == (Outcome.FAIL, 1)
    assert failed.findings[0].user == "bystanders"


def test_broken_rules_of_the_bystanders_are_harm() -> None:
    broken = Verdict(Rule.COMPLETE, Outcome.FAIL, True, 9, 0, 2)
    fine = Verdict(Rule.ECHO, Outcome.PASS, True, 9, 0, 0)
    unsure = Verdict(Rule.TOOL_PAIRING, Outcome.UNKNOWN, True, 0, 0, 0)
    once = Verdict(Rule.TOOL_PAIRING, Outcome.FAIL, True, 9, 0, 1)
    assert suffered([broken, fine, unsure, once]) == (
        "the bystanders' streams broke complete 2 times",
        "the bystanders' streams broke tool-pairing once",
    )
    assert pointed([broken, fine, unsure, once]) == (
        "the bystanders' streams came to harm: see complete-1, tool-pairing-1",
    )
    assert pointed([fine, unsure]) == ()


def test_a_stated_answer_that_did_harm_says_which() -> None:
    leaking = attacked("chosen ids", Try("own", harm="another user's canary arrived"))
    assert problem(leaking) == "chosen ids: own, but another user's canary arrived"
    apart = attacked("foreign run cancelled", Try("error forbidden", harm="it is told apart"))
    assert problem(apart).endswith(": error forbidden, stated is error not_found (it is told apart)")
    assert problem(NOT_DONE) == "NaN: why not"
