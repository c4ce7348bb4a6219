import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from locust.env import Environment

    from streamgauge.load.locust_stats import METHOD, Finished, tell

NOW = 1_790_000_000.25

# name, milliseconds, error: what may become of runs
SOME = (
    *(("guide", took_ms, "") for took_ms in (12.0, 0.4, 147.2, 3_432.9, 58_760.0, 12.4)),
    *(("scout", took_ms, "") for took_ms in (7.0, 7.0)),
    ("scout", 250.0, "busy"),
    ("guide", 99.6, ""),
)


class Listener:
    """Hears `request` events as Locust's own runner does, and keeps them."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, float, str]] = []

    def __call__(self, request_type: str, name: str, response_time: float, **fields: Any) -> None:
        error = fields["exception"]
        self.heard.append((request_type, name, response_time, "" if error is None else str(error)))


@pytest.fixture(autouse=True)
def _at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust counts by the second, and remembers when."""
    monkeypatch.setattr(time, "time", lambda: NOW)


def environment(*listeners: Listener) -> "Environment":
    """Locust as it is when a run is under way."""
    made = Environment()
    made.create_local_runner()
    for listener in listeners:
        made.events.request.add_listener(listener)  # type: ignore[no-untyped-call] # Locust's
    return made


def told(*runs: tuple[str, float, str], of: "Environment | None" = None) -> "Environment":
    """Locust, when it was told of runs that finished."""
    made = of or environment()
    finished = deque(Finished(*run) for run in runs)
    tell(made, finished)
    assert not finished, "they are told once"
    return made


def fired(runs: Sequence[tuple[str, float, str]]) -> "Environment":
    """Locust, when each run was an event."""
    made = environment()
    for name, took_ms, error in runs:
        made.events.request.fire(  # type: ignore[no-untyped-call] # Locust's
            request_type=METHOD,
            name=name,
            response_time=took_ms,
            response_length=0,
            exception=RuntimeError(error) if error else None,
            context={},
        )
    return made


def known(made: "Environment") -> dict[str, Any]:
    """All that its statistics hold, field by field."""
    stats = made.stats
    entries = {"total": stats.total} | {str(key): entry for key, entry in stats.entries.items()}
    return {
        "entries": {name: entry.serialize() for name, entry in entries.items()},
        "errors": stats.serialize_errors(),
        "median": {name: entry.median_response_time for name, entry in entries.items()},
        "per second": {name: entry.total_rps for name, entry in entries.items()},
    }


@pytest.mark.parametrize(
    "runs",
    [SOME, SOME[:1], SOME[:6], SOME[6:8], SOME[8:9], tuple(reversed(SOME)), ()],
    ids=["all", "one", "one name", "equal", "an error", "reversed", "none"],
)
def test_the_statistics_are_what_an_event_a_run_would_have_made_of_them(
    runs: Sequence[tuple[str, float, str]],
) -> None:
    assert known(told(*runs)) == known(fired(runs))


def test_what_is_told_in_several_batches_adds_up() -> None:
    made = environment()
    for runs in (SOME[:3], SOME[3:4], SOME[4:]):
        told(*runs, of=made)
    assert known(made) == known(fired(SOME))


def test_the_property_above_is_about_numbers() -> None:
    stats = told(*SOME).stats
    assert (stats.num_requests, stats.num_failures) == (len(SOME), 1)
    assert stats.get("guide", METHOD).num_requests == 7
    assert stats.get("guide", METHOD).response_times == {0: 1, 12: 2, 150: 1, 3_400: 1, 59_000: 1, 100: 1}


def test_another_listener_is_told_of_every_run_in_their_order() -> None:
    listener = Listener()
    made = told(*SOME, of=environment(listener))
    assert listener.heard == [(METHOD, *run) for run in SOME]
    assert known(made) == known(fired(SOME)), "and the statistics are the same"


def test_an_error_is_an_event_of_its_own() -> None:
    stats = told(*SOME).stats
    ((error,),) = [tuple(stats.errors.values())]
    assert (error.method, error.name, error.occurrences) == (METHOD, "scout", 1)
    assert "busy" in str(error.error)


def test_what_the_last_seconds_were_like_is_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust's page shows that; it comes from a memory of its own, of every second."""
    made = environment()
    for second in range(60):
        monkeypatch.setattr(time, "time", lambda at=second: NOW + at)
        told(*[("guide", 900.0 if second < 30 else 12.0, "")] * 5, of=made)
    assert made.stats.total.get_current_response_time_percentile(0.5) == 12
    assert made.stats.total.get_response_time_percentile(0.9) == 900
