import pytest
from msgspec.structs import replace

from streamgauge.core.checks.problem import Problem
from streamgauge.core.checks.timing import complete, longest_silence, no_silence
from streamgauge.core.contract import Rule
from streamgauge.core.history import End, History
from streamgauge.core.observation import Received, arrival_ns
from tests.support.history import LIMITS, PACE, SECOND, completed, failed, run, started, thought, wait, whole

NOBODY_ASKED = "cancelled, and its user had not asked for it"


def arrivals(events: list[Received]) -> list[int]:
    return list(map(arrival_ns, events))


@pytest.mark.parametrize(
    "history",
    [
        run(*whole()),
        run(started(), failed()),
        run(failed("overflow")),
        run(started(), failed("cancelled"), cancelled=True),
        run(*whole(), cancelled=True),  # another end came first
        run(started(), failed("cancelled"), cancelled=True, end=End.ABANDONED),
        run(end=End.REFUSED),
    ],
)
def test_a_request_may_be_settled_like_this(history: History) -> None:
    assert complete(history) is None


@pytest.mark.parametrize(
    ("history", "text", "places"),
    [
        (run(), "never began", ()),
        (run(started(), thought(1)), "never ended", (1,)),
        (run(started(), thought(1), cancelled=True), "never ended", (1,)),
        (run(started(), failed("cancelled")), NOBODY_ASKED, (1,)),
        (run(failed("cancelled")), NOBODY_ASKED, (0,)),
        (run(failed("cancelled"), completed()), NOBODY_ASKED, (0,)),
    ],
)
def test_a_request_may_not_be_left_like_this(history: History, text: str, places: tuple[int, ...]) -> None:
    assert complete(history) == Problem(Rule.COMPLETE, text, places)


@pytest.mark.parametrize(
    "history",
    [
        run(),
        run(started()),
        run(wait(10), started(), wait(10), thought(1)),  # the limit itself is none too many
        run(started(), wait(12), thought(1), pause=2),  # the script's own pause
        run(started(), wait(30)),  # nothing ended it: that is for `complete` to say
    ],
)
def test_nobody_waits_too_long(history: History) -> None:
    assert no_silence(history.asked, arrivals(history.events), LIMITS) is None


@pytest.mark.parametrize(
    ("history", "lasted_ns", "place"),
    [
        (run(wait(10.1), started()), 10_100_000_000, 0),
        (run(started(), wait(11), thought(1), wait(10.5), thought(2)), 11_000_000_000, 1),
        (run(started(), wait(10.5), thought(1), wait(20), thought(2)), 20_000_000_000, 2),
        (run(started(), wait(12.1), thought(1), pause=2), 12_100_000_000, 1),
        (run(started(), thought(1), wait(15), failed()), 15_000_000_000, 2),
    ],
)
def test_somebody_waits_too_long(history: History, lasted_ns: int, place: int) -> None:
    assert no_silence(history.asked, arrivals(history.events), LIMITS) == Problem(
        Rule.NO_SILENCE, "silent", (place,), lasted_ns=lasted_ns
    )


def test_a_silence_ends_when_the_kernel_has_the_event() -> None:
    history = run(started(), wait(12), thought(1))
    slow_reader = [
        replace(received, kernel_ns=received.at_ns - 5 * SECOND) for received in history.events[1:]
    ]
    assert no_silence(history.asked, arrivals([history.events[0], *slow_reader]), LIMITS) is None


def test_the_longest_silence_counts_from_the_request() -> None:
    history = run(wait(3), started(), wait(2), thought(1))
    assert longest_silence(history.asked.at_ns, arrivals(history.events)) == (3 * SECOND, 0)
    assert longest_silence(2 * SECOND, arrivals(history.events)) == (2 * SECOND, 1)
    assert longest_silence(0, arrivals(run(started(), thought(1)).events)) == (PACE, 0)
    assert longest_silence(0, []) == (0, -1)
