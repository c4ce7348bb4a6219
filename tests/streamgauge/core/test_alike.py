import pytest
from msgspec.structs import replace

from streamgauge.core import alike as alike_module
from streamgauge.core.alike import Likeness, arrivals_ns, likeness
from streamgauge.core.checks.fold import Settled
from streamgauge.core.event import Event, Kind
from streamgauge.core.history import End, History
from tests.support.history import (
    PACE,
    SECOND,
    Said,
    accepted,
    completed,
    failed,
    idea,
    part,
    run,
    started,
    thought,
    twice,
    wait,
    whole,
)
from tests.support.settling import alike
from tests.support.stretches import plain

GOOD = Settled(clean=True, whole=True)
BEGUN = (started(), thought(1), thought(2))


def of(history: History, worth: Settled = GOOD) -> Likeness:
    return likeness(history, worth)


def good(*said: Said) -> History:
    """A run that was accepted, and that was read event by event."""
    return plain(replace(run(*said), accepted=accepted(at=0.005)))


# What runs have in common


def test_a_whole_run_is_like_this() -> None:
    kinds = bytes([1, 2, 2, 3, 2, 4, 5, 5, 2, 6])
    ending = "completed"
    assert of(replace(run(*whole()), accepted=accepted())) == Likeness(
        kinds, ending, accepted=True, expected=True, finished=True, thinks=True, whole=True, clean=True
    )


@pytest.mark.parametrize("history", [good(*whole()), good(*BEGUN, part(0), completed()), good(started())])
def test_a_run_in_stretches_is_like_one_in_rows(history: History) -> None:
    rows = replace(history, stretches=list(history.stretches))
    rows.unfold()
    assert rows.events
    assert of(history) == of(rows) == of(history)
    assert arrivals_ns(history) == arrivals_ns(rows)


@pytest.mark.parametrize("place", [1, 4, 9])
def test_wherever_it_was_cut(place: int) -> None:
    history = replace(run(*whole()), accepted=accepted())
    assert of(plain(history, place)) == of(plain(history))
    first, last = plain(history, place).stretches
    times = [first.at_ns] * place + [last.at_ns] * (10 - place)
    assert arrivals_ns(plain(history, place)) == times


@pytest.mark.parametrize(
    ("history", "field", "value"),
    [
        (run(*whole()), "accepted", False),
        (run(*whole(), cancelled=True), "expected", False),
        (run(*BEGUN, end=End.ABANDONED), "expected", False),
        (run(*BEGUN, end=End.ABANDONED), "ending", "abandoned"),
        (run(end=End.REFUSED), "ending", "refused"),
        (run(*BEGUN), "ending", "never settled"),
        (run(*BEGUN, failed("overflow")), "ending", "ended in overflow"),
        (run(*BEGUN, failed("")), "ending", "ended in error"),
        (run(*BEGUN, failed(), completed()), "finished", False),
        (run(*BEGUN, completed()), "thinks", False),
        (run(started(), idea(1), idea(2), idea(3), completed()), "thinks", False),
        (run(started(), part(0), twice(part(1))), "kinds", bytes([1, 5, 5, 0])),
    ],
)
@pytest.mark.parametrize("accepting", [True, False])
def test_what_departs_from_that_is_not_like_it(
    history: History, field: str, value: object, accepting: bool
) -> None:
    history = replace(history, accepted=accepted() if accepting and field != "accepted" else None)
    assert getattr(of(history), field) == value


@pytest.mark.parametrize(
    ("asked", "field", "value"),
    [
        ({"fails": True}, "expected", False),
        ({"silent": True}, "expected", False),
        ({"silent": True}, "ending", "silent"),
    ],
)
def test_what_was_asked_for_makes_a_difference(asked: dict[str, bool], field: str, value: object) -> None:
    of(good(*whole()))  # is remembered
    history = good(*whole())
    history.asked = replace(history.asked, **asked)
    assert getattr(of(history), field) == value


@pytest.mark.parametrize("change", ["cancelled", "abandoned", "unaccepted"])
def test_what_is_remembered_of_forms_is_for_plain_runs_alone(change: str) -> None:
    one = of(good(*whole()))
    other = good(*whole())
    other.cancelled = change == "cancelled"
    other.end = End.ABANDONED if change == "abandoned" else other.end
    other.accepted = None if change == "unaccepted" else other.accepted
    assert of(other) != one


@pytest.mark.parametrize("worth", [Settled(clean=False, whole=True), Settled(clean=False, whole=False)])
def test_what_the_checks_say_is_part_of_it(worth: Settled) -> None:
    of(good(*whole()))
    for history in (good(*whole()), run(*whole())):
        like = of(history, worth)
        assert (like.clean, like.whole) == worth


def test_forms_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike_module, "_KNOWN", {})
    monkeypatch.setattr(alike_module, "_MOST_KNOWN", 3)
    for n in range(10):
        like = of(good(started(), *(idea() for _ in range(n)), completed()))
        assert len(like.kinds) == n + 2
        assert 0 < len(alike_module._KNOWN) <= 3


def test_parts_without_numbers_are_all_parts() -> None:
    history = run(started(), part(0), part(1))
    history.events = [replace(r, event=replace(r.event, seq=0)) for r in history.events]
    assert of(history).kinds == bytes([1, 5, 5])


# Their columns


def test_a_batch_holds_the_times_of_each_run() -> None:
    slow = replace(good(wait(2), *whole()), accepted=accepted(at=1))
    slow.asked = replace(slow.asked, due_ns=-5, at_ns=3, pause_ns=9)
    batch = alike(good(*whole()), slow)
    assert batch.n == 2
    assert batch.due_ns.tolist() == [0, -5]
    assert batch.asked_ns.tolist() == [0, 3]
    assert batch.pause_ns.tolist() == [0, 9]
    assert batch.accepted_ns.tolist() == [SECOND // 200, SECOND]
    first = [place * PACE for place in range(1, 11)]
    assert batch.arrivals_ns.tolist() == [first, [2 * SECOND - PACE + at for at in first]]
    thoughts = batch.first_ns(Kind.THINKING)
    assert thoughts is not None
    assert thoughts.tolist() == [2 * PACE, 2 * SECOND + PACE]
    assert batch.chunks_ns().tolist()[0] == [7 * PACE, 8 * PACE]


def test_what_did_not_come_has_no_time() -> None:
    batch = alike(run(started()), run(started(), name="r2"))
    assert batch.first_ns(Kind.COMPLETED) is None
    assert batch.chunks_ns().shape == (2, 0)
    assert alike(run()).arrivals_ns.shape == (1, 0)


def test_an_acceptance_and_an_event_arrive_when_the_kernel_has_them() -> None:
    acceptance = replace(accepted(at=1), kernel_ns=7)
    history = replace(run(started()), accepted=acceptance)
    history.events = [replace(history.events[0], kernel_ns=8)]
    assert alike(history).accepted_ns.tolist() == [7]
    assert alike(history).arrivals_ns.tolist() == alike(plain(history)).arrivals_ns.tolist() == [[8]]


def test_a_stretch_that_brought_the_acceptance_is_when_it_came() -> None:
    history = plain(run(*whole()), 9)
    history.accepted = replace(history.stretches[0], kernel_ns=4)
    assert alike(history).accepted_ns.tolist() == [4]


def test_a_word_of_no_kind_does_not_count_as_a_part() -> None:
    history = run(started(), part(0))
    history.events.append(replace(history.events[-1], event=Event(Kind.WORK, seq=3)))
    assert alike(history).chunks_ns().tolist() == [[2 * PACE]]
