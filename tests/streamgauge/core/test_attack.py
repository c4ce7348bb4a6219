import pytest

from streamgauge.core.attack import ANSWER, ATTACKS, BY_NAME, Group, Leaked, Seen, Try, is_stated, judge
from streamgauge.core.finding import Outcome

NOT_MINE = BY_NAME["foreign run cancelled"]
STATED = NOT_MINE.answers


def outcome(*tries: Try, stated: tuple[str, ...] = STATED) -> Outcome | None:
    return judge(NOT_MINE, stated, Seen(tries)).outcome


def test_every_attack_has_a_name_of_its_own_and_states_what_can_be_answered() -> None:
    assert len(BY_NAME) == len(ATTACKS)
    assert {attack.group for attack in ATTACKS} == set(Group)
    assert all(ANSWER.fullmatch(answer) for attack in ATTACKS for answer in attack.answers)
    assert all(attack.answers for attack in ATTACKS)


def test_a_stated_answer_passes_and_any_other_fails() -> None:
    assert outcome(Try("error not_found")) is Outcome.PASS
    assert outcome(Try("error forbidden")) is Outcome.FAIL
    assert outcome(Try("correct")) is Outcome.FAIL


def test_one_wrong_answer_among_right_ones_fails_and_is_the_one_that_is_shown() -> None:
    judged = judge(NOT_MINE, STATED, Seen((Try("error not_found"), Try("correct", "ack"), Try("error x"))))
    assert (judged.outcome, judged.answer, judged.said) == (Outcome.FAIL, "correct", "ack")


def test_harm_fails_whatever_was_answered() -> None:
    judged = judge(
        NOT_MINE, STATED, Seen((Try("error not_found", "of none: error x", harm="it is told apart"),))
    )
    assert (judged.outcome, judged.said) == (Outcome.FAIL, "it is told apart; of none: error x")


def test_a_leak_fails_also_an_attack_that_could_not_be_carried_out() -> None:
    leak = Leaked("ann", "attacker", "sgcanaryA", "chunk", 9, 70)
    judged = judge(NOT_MINE, STATED, Seen(why="nobody was there", leak=leak))
    assert (judged.outcome, judged.answer, judged.leak) == (Outcome.FAIL, "", leak)


def test_what_could_not_be_carried_out_is_unknown_and_no_pass() -> None:
    judged = judge(NOT_MINE, STATED, Seen(why="nobody was there"))
    assert (judged.outcome, judged.answer, judged.said) == (Outcome.UNKNOWN, "", "nobody was there")


def test_what_is_not_offered_or_does_not_apply_does_not_count() -> None:
    assert judge(NOT_MINE, STATED, Seen(why="the server does not offer it", applies=False)).outcome is None
    assert judge(NOT_MINE, (), Seen((Try("correct"),))).outcome is None


def test_who_never_reads_may_be_given_up_because_it_answers_no_ping() -> None:
    stated = BY_NAME["never reads"].answers
    assert [code for code in (4408, 4413, 4410) if is_stated(f"close {code}", stated)] == [4408, 4413]


@pytest.mark.parametrize(
    ("answer", "stated", "holds"),
    [
        ("http 401", ("http 401",), True),
        ("http 401", ("http",), True),
        ("http 403", ("http 401",), False),
        ("http 4011", ("http 401",), False),
        ("error bad_message", ("error", "close 1007"), True),
        ("errors", ("error",), False),
        ("cut", ("close 4413", "cut"), True),
        ("kept", ("close 4413", "cut"), False),
        ("kept", (), False),
    ],
)
def test_fewer_words_hold_for_all_that_begin_with_them(
    answer: str, stated: tuple[str, ...], holds: bool
) -> None:
    assert is_stated(answer, stated) is holds
