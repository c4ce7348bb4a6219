from streamgauge.cast import Cast, Part
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding
from streamgauge.study.recurrence import Attempt, Recurrence, conclude
from streamgauge.study.render_recurrence import attempt, beginning, verdict

LEAK = Finding(
    Rule.ISOLATION_CANARY, "another user's canary", "u1", 1, 5, other="u2", id="isolation-canary-3"
)
CAST = Cast((Part("u1"), Part("u2"), Part("u7")))


def of(*recurred: bool | None) -> Recurrence:
    return conclude(LEAK, "results/x", CAST, 9, [Attempt(one, same=8, of=9) for one in recurred])


def test_it_begins_with_what_and_who() -> None:
    said = beginning(of(), 10).splitlines()
    assert said == [
        "isolation-canary-3: u1 (connection 1) and u2: another user's canary",
        "u1 and u2 and 1 user beside: 9 requests, 10 times",
    ]


def test_each_replay_has_its_line() -> None:
    assert attempt(Attempt(False), 2, 10) == "replay 2 of 10  does not recur"
    assert attempt(Attempt(True, "here"), 2, 10) == "replay 2 of 10  recurs: here"
    assert attempt(Attempt(None, "no\nway"), 2, 10) == "replay 2 of 10  could not be driven: no\\nway"


def test_it_ends_with_how_often_and_within_what() -> None:
    said = verdict(of(*[True] * 7, *[False] * 3)).splitlines()
    assert said == ["requests as they were: 80 of 90", "recurs in 7 of 10 replays [35 %, 93 %]"]


def test_what_could_not_be_driven_is_no_replay() -> None:
    said = verdict(of(False, False, None)).splitlines()
    assert said[1:] == ["1 replay could not be driven", "recurs in 0 of 2 replays [0 %, 84 %]"]
    assert "recurs" not in verdict(of(None))
