import pytest

from streamgauge.attack_plan import AttackPlan
from streamgauge.core.attack import BY_NAME
from streamgauge.plan import PlanError, load_plan


def test_without_a_word_the_native_answers_are_stated() -> None:
    assert all(AttackPlan().stated(name) == attack.answers for name, attack in BY_NAME.items())


def test_what_a_plan_states_takes_their_place() -> None:
    stated = 'answers = { "no token" = ["close 4401", "http 403"], "wrong origin" = [] }'
    plan = load_plan(f"[attack]\n{stated}", "plan.toml").attack
    assert plan.stated("no token") == ("close 4401", "http 403")
    assert plan.stated("wrong origin") == ()
    assert plan.stated("NaN") == ("close 1007",)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('answers = { "nan" = [] }', "there is no attack 'nan'; known are no token, "),
        ('answers = { "NaN" = ["1007"] }', "NaN: '1007' is no answer: docs/attack.md"),
        ('answers = { "NaN" = ["close me"] }', "'close me' is no answer"),
        ("pairs = -1", "pairs"),
        ("patience = 0", "patience"),
        ("allowed = []", "allowed"),
    ],
)
def test_what_cannot_be_is_refused(table: str, why: str) -> None:
    with pytest.raises(PlanError, match="attack") as refused:
        load_plan(f"[attack]\n{table}", "plan.toml")
    assert why in str(refused.value)
