import pytest

from streamgauge.core.finding import kind_of


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("gap: seq 4, 7–9 never came", "gap"),
        ("repeat of seq 3, 5", "repeat of seq …"),
        ("step back to offset 12", "step back to offset …"),
        ("silent for 12.3 s", "silent for … s"),
        ("index 3 where 2 was due", "index … where … was due"),
        ("another user's canary", "another user's canary"),
    ],
)
def test_breaches_of_one_kind_are_told_by_what_they_have_in_common(problem: str, kind: str) -> None:
    assert kind_of(problem) == kind
