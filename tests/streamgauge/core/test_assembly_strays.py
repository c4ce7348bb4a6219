"""What belongs to no run, or comes too late for its own: a stray, or nothing at all."""

import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.history import End
from streamgauge.core.observation import Malformed, Observation
from tests.support.history import SECOND, accepted, failed, heard, opened, run, session, started, whole
from tests.support.settling import FOREVER, Timely, asked, closed, event, settled


@pytest.mark.parametrize("strange", [event(1), event(9), event(0, name="r9", request="q9")])
def test_an_event_that_nobody_asked_for_is_a_stray(strange: Event) -> None:
    assembler = Timely()
    for row in (opened(), asked(), heard(strange)):
        assembler.add(row)
    (stray,) = assembler.strays
    assert (stray.user, stray.received.event, stray.late, stray.silent_ns) == ("ann", strange, False, 0)


def test_another_users_event_is_none_and_opens_no_run() -> None:
    assembler = Timely()
    for row in (opened("ben"), asked(), heard(event(0)), heard(event(1))):
        assembler.add(row)
    (history,) = assembler.finish(FOREVER)
    assert (history.run, history.events, list(assembler.strays)) == ("", [], [])


def test_another_users_words_are_a_leak_and_no_stray() -> None:
    assembler = Timely()
    for row in (opened(), heard(event(1), foreign="sgcanary")):
        assembler.add(row)
    assert list(assembler.strays) == []


@pytest.mark.parametrize("at", [1.2, 30, 62, 130, 9_000])
def test_an_event_of_a_settled_run_is_late_however_late_it_is(at: float) -> None:
    assembler = Timely()
    others = [run(started(), failed(), name=f"r{n}", request=f"q{n}") for n in (2, 3)]
    rows = [*session(run(*whole()), leaves=False), asked("q2", at=60), accepted("r2", "q2", at=60)]
    rows += [replace(received, at_ns=received.at_ns + 60 * SECOND) for received in others[0].events]
    rows += [asked("q3", at=120), accepted("r3", "q3", at=120)]
    rows += [replace(received, at_ns=received.at_ns + 120 * SECOND) for received in others[1].events]
    for row in sorted([*rows, heard(event(1), at=at)], key=lambda row: row.at_ns):
        assembler.add(row)
    (stray,) = assembler.strays
    assert stray.late


def test_what_comes_after_the_deadline_is_part_of_that_finding() -> None:
    assembler = Timely()
    for row in (opened(), asked(), accepted(), heard(event(0), at=55), heard(event(9), at=61)):
        assembler.add(row)
    assert list(assembler.strays) == []


def test_so_is_an_acceptance_that_comes_after_it_and_all_that_follows() -> None:
    late = (opened(), asked(deadline=1), accepted(at=2), heard(event(0), at=2), heard(event(1), at=3))
    assert settled(*late) == [("q1", End.DEADLINE, 0)]
    assembler = Timely()
    for row in late:
        assembler.add(row)
    assert not list(assembler.strays)


def test_other_messages_belong_to_no_run() -> None:
    other = [heard(Event(kind)) for kind in Kind if kind > Kind.REFUSED]
    greeting, refusal = heard(Event(Kind.GREETING, user="ann")), heard(Event(Kind.REFUSED, request="q9"))
    rows: list[Observation] = [
        opened(),
        asked(),
        accepted(),
        *other,
        greeting,
        refusal,
        Malformed(1, 0, 9, "why"),
    ]
    assert settled(*rows) == [("r1", End.DEADLINE, 0)]


def test_a_socket_is_its_users_from_greeting_to_end() -> None:
    assembler = Timely()
    assert assembler.add(heard(event(1))) == []
    assembler.add(opened())
    assembler.add(closed())
    assert assembler.add(heard(event(1))) == assembler.add(closed()) == []
    assert list(assembler.strays) == []


def test_a_run_that_is_under_way_is_not_the_late_answer_to_another_request() -> None:
    assembler = Timely()
    for row in (
        opened(),
        asked("q9", deadline=1),
        asked("q1"),
        accepted("r1", "q1"),
        accepted("r1", "q9", at=2),
    ):
        assembler.add(row)
    (stray,) = assembler.strays
    assert (stray.received.event.request, stray.late) == ("q9", False)


@pytest.mark.parametrize(("at", "silences"), [((20.0,), []), ((20.001,), [20.001]), ((30, 45, 70), [30])])
def test_a_silence_after_the_deadline_is_told_once(at: tuple[float, ...], silences: list[float]) -> None:
    assembler = Timely()
    patient = replace(asked(deadline=5), pause_ns=10 * SECOND)  # so much more than the limit
    rows: list[Observation] = [opened(), patient, accepted(), *(heard(event(1), at=when) for when in at)]
    for row in rows:
        assembler.add(row)
    assert [stray.silent_ns for stray in assembler.strays] == [int(silent * SECOND) for silent in silences]


def strays(*rows: Observation) -> list[tuple[str, str, int]]:
    """What belongs to no run: the run that it names, its kind, and when it came, in seconds."""
    assembler = Timely()
    for row in rows:
        assembler.add(row)
    return [
        (stray.received.event.run, Kind(stray.received.event.kind).name, stray.received.at_ns // SECOND)
        for stray in assembler.strays
    ]


ASKED = opened(), asked(), accepted(at=1)


@pytest.mark.parametrize(
    ("later", "found"),
    [
        ((), []),
        ((accepted(at=2),), [2]),
        ((heard(event(0), at=2), accepted(at=3)), [3]),
        ((accepted(at=2), heard(event(0), at=3), accepted(at=4), accepted(at=5)), [2]),  # one a run
        ((asked(at=2), accepted(at=3)), []),  # the answer to what was asked again
        ((asked(at=2), accepted(at=3), accepted(at=4)), [4]),
        ((asked(at=2), asked(at=3), accepted(at=4), accepted(at=5)), []),
        ((asked(at=2), asked(at=3), accepted(at=4), accepted(at=5), accepted(at=6)), [6]),
        ((asked("q2", at=2), accepted("r2", "q2", at=3), accepted("r2", "q2", at=4)), [4]),
    ],
)
def test_a_run_under_way_is_accepted_as_often_as_it_was_asked_for(
    later: tuple[Observation, ...], found: list[int]
) -> None:
    assert [at for _, _, at in strays(*ASKED, *later)] == found


@pytest.mark.parametrize(("times", "found"), [(1, []), (2, []), (3, []), (4, [5])])
def test_so_it_is_where_it_was_asked_for_again_before_its_first_answer(times: int, found: list[int]) -> None:
    asks = opened(), asked(), asked(at=0.5), asked(at=0.6)
    assert [at for _, _, at in strays(*asks, *(accepted(at=n + 2) for n in range(times)))] == found


def test_that_it_began_without_is_the_finding_where_it_is_accepted_later() -> None:
    assert strays(opened(), asked(), heard(event(0), at=1), accepted(at=2), accepted(at=3)) == []


def test_an_acceptance_stands_for_the_events_before_and_after_it() -> None:
    early, late = heard(event(1), at=1), heard(event(2), at=3)
    assert strays(opened(), early, accepted(at=2), late) == [("r1", "ACCEPTED", 2)]
