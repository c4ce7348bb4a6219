import pytest

from streamgauge.core.cost_model import PER_EVENT
from streamgauge.study.capacity import Capacity, End, Result, Step
from streamgauge.study.capacity_forecast import Forecast, forecast, model

NOTHING = Capacity(None, None)


def step(users: int, result: Result = Result.KEPT, *, each: float = 10, server: bool = True) -> Step:
    """`each` events a second from every user; 1 ms a user and 100 µs an event cost the server CPU."""
    events = each * users
    return Step(
        users,
        result,
        connected=users,
        events_per_s=events,
        server_cpu=0.001 * users + 0.0001 * events if server else None,
        server_rss_bytes=50_000_000 + 20_000 * users if server else None,
        generator_cpu=0.1 + 0.0001 * events,
        busiest_worker=0.5,
    )


STEPS = [step(100), step(200), step(400), step(420, Result.TARGET)]
QUIET = [step(400, each=2.5), step(200, each=2.5)]


def of(users: int, steps: list[Step] = STEPS, capacity: Capacity = NOTHING) -> Forecast:
    found = forecast(model(steps), capacity, users)
    assert found is not None
    return found


def test_a_wished_number_takes_its_processor_time_at_seven_tenths_of_a_core() -> None:
    found = of(4_200)
    assert found.events_per_s == pytest.approx(42_000)
    assert found.server_cpu is not None
    assert found.server_cpu.value == pytest.approx(8.4)
    assert found.server is not None
    assert found.server.processes == 12
    assert found.workers is not None
    assert found.workers.processes == 7  # 0.1 and 4.2 cores


def test_how_far_that_is_beyond_is_by_the_largest_step() -> None:
    assert of(4_200).beyond == pytest.approx(10)
    assert of(210).beyond == pytest.approx(0.5)


def test_one_process_holds_no_more_users_than_it_kept() -> None:
    limited = Capacity(End(100, 3, confirmed=True), End(110, 3, confirmed=True), Result.REFUSALS)
    need = of(450, capacity=limited).server
    assert need is not None
    assert (need.processes, need.why) == (5, "one kept the thresholds with 100 users, not more")


def test_what_the_generator_could_not_do_asks_for_no_server() -> None:
    limited = Capacity(End(100, 3, confirmed=True), None, Result.GENERATOR)
    need = of(450, capacity=limited).server
    assert need is not None
    assert need.processes == 2  # 0.9 cores


def test_no_more_events_get_through_one_process_than_the_law_says() -> None:
    law = [100, 200, 400, 800]
    bent = [
        Step(
            n,
            Result.TARGET if n > 200 else Result.KEPT,
            connected=n,
            events_per_s=10 * n / (1 + 0.01 * (n - 1)),
        )
        for n in law
    ]
    need = of(2_000, bent).server
    assert need is not None
    assert "events/s get through one" in need.why
    assert need.processes > 5


def test_memory_is_that_of_all_server_processes() -> None:
    found = of(4_200)
    assert found.memory_bytes is not None
    assert found.memory_bytes.value == pytest.approx(12 * 50_000_000 + 4_200 * 20_000)


def test_quiet_steps_tell_a_users_cost_from_its_events() -> None:
    assert model(STEPS).server is not None
    assert not model(STEPS).server.apart  # type: ignore[union-attr]
    costs = model(STEPS, QUIET).server
    assert costs is not None
    assert costs.coefficients[PER_EVENT] == pytest.approx(0.0001)


def test_quiet_steps_do_not_change_what_a_user_brings() -> None:
    assert model(STEPS, QUIET).events_per_user == pytest.approx(10)


def test_a_server_that_tells_nothing_has_no_forecast() -> None:
    found = of(1_000, [step(n, server=False) for n in (100, 200)])
    assert (found.server_cpu, found.server, found.memory_bytes) == (None, None, None)
    assert found.workers is not None


def test_without_load_there_is_no_forecast() -> None:
    assert forecast(model([Step(100, Result.GENERATOR)]), NOTHING, 1_000) is None
