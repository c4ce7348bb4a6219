from streamgauge.core.event import Account, Event, Kind
from streamgauge.core.observation import Gauged, Observation, Received
from streamgauge.core.slices import Slice, Slices


def border(cpu_ns: int, arm: str = "", block: int = 0, runs: int = 0) -> Gauged:
    return Gauged(0, 0, cpu_ns, arm, block, runs)


def report(execution_ns: int = 900, emission_ns: int = 30, events: int = 11) -> Received:
    event = Event(Kind.REPORT, run="r", account=Account(execution_ns, emission_ns, events))
    return Received(1, 0, 0, exact=False, size=9, event=event)


def other() -> Received:
    return Received(1, 0, 0, exact=False, size=9, event=Event(Kind.STARTED, run="r"))


def done(*rows: Observation) -> tuple[Slice, ...]:
    slices = Slices()
    for row in rows:
        slices.add(row)
    return slices.done()


def test_what_lies_between_two_borders_is_one_slice() -> None:
    reports = report(900, 30, 11), report(800, 20, 10), report(9_000, 400, 11)
    (only,) = done(border(1_000, "on", 3, 3), other(), *reports, border(1_700))
    assert only == Slice(3, "on", 3, 3, 700, 10_700, 450, 32, 900, 30)
    assert only.whole


def test_every_border_ends_one_and_begins_another() -> None:
    slices = done(
        *(border(0, "off", 0, 1), report()),
        border(5, "idle"),
        *(border(7, "on", 0, 2), report(), report()),
        border(20),
    )
    assert [(one.arm, one.reported, one.cpu_ns) for one in slices] == [
        ("off", 1, 5),
        ("idle", 0, 2),
        ("on", 2, 13),
    ]


def test_what_comes_outside_of_slices_counts_nowhere() -> None:
    assert done(report(), border(0), report(), border(3, "on", 0, 1), report(), border(9), report()) == (
        Slice(0, "on", 1, 1, 6, 900, 30, 11, 900, 30),
    )


def test_a_slice_that_has_no_end_is_none() -> None:
    assert done(border(0, "on", 0, 1), report()) == ()


def test_a_slice_that_lacks_an_account_is_not_whole() -> None:
    (only,) = done(border(0, "on", 0, 2), report(), border(1))
    assert not only.whole


def test_where_the_server_does_not_say_its_time_there_is_none() -> None:
    assert [one.cpu_ns for one in done(border(-1, "on"), border(5, "off"), border(-1))] == [None, None]
