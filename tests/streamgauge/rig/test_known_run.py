import random
from itertools import pairwise

from streamgauge.rig.known_run import LEAST_DELAY_S, MOST_DELAY_S, Planned, Start, plan_run

NOW = 1_000_000_000
ASKED = Start(user_request="Which?", request_id="q-1")


def planned(seed: int) -> list[Planned]:
    return plan_run(ASKED, NOW, random.Random(seed))


def delays(seeds: range) -> list[int]:
    return sorted(event.due_ns - event.emitted_ns for seed in seeds for event in planned(seed))


def test_the_first_event_is_emitted_at_once_and_the_last_ends_the_run() -> None:
    events = planned(1)
    assert events[0].emitted_ns == NOW
    assert (events[0].type, events[-1].type) == ("agent_started", "agent_completed")


def test_an_event_is_sent_before_the_next_one_is_emitted() -> None:
    for seed in range(50):
        for event, following in pairwise(planned(seed)):
            assert event.due_ns <= following.emitted_ns


def test_delays_are_drawn_and_kept_within_bounds() -> None:
    drawn = delays(range(500))
    assert drawn[0] >= LEAST_DELAY_S * 1e9
    assert drawn[-1] <= MOST_DELAY_S * 1e9
    assert 2.8e6 < drawn[len(drawn) // 2] < 3.2e6
    assert 9e6 < drawn[len(drawn) * 99 // 100] < 10.3e6


def test_equal_seeds_draw_equal_delays() -> None:
    assert planned(7) == planned(7)
    assert [event.due_ns for event in planned(7)] != [event.due_ns for event in planned(8)]
