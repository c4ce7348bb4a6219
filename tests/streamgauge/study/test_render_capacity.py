import pytest
from msgspec.structs import replace

from streamgauge.core.finding import Outcome
from streamgauge.core.threshold import ThresholdResult, parse
from streamgauge.study.capacity import Result, Search, Step, conclude
from streamgauge.study.capacity_forecast import forecast, model
from streamgauge.study.render_capacity import Study, render_markdown, render_text, size, verdict

SEARCH = Search(100, 1_000, retests=1)
SLOW = "p99(first_event) < 500ms"


def step(users: int, result: Result = Result.KEPT, why: str = "") -> Step:
    outcome = Outcome.FAIL if result is Result.TARGET else Outcome.PASS
    value = ThresholdResult(parse(SLOW), outcome, users * 1_000_000, None, None, 500, 299)
    return Step(
        users,
        result,
        why,
        connected=users,
        events_per_s=10.0 * users,
        server_cpu=0.001 * users,
        server_rss_bytes=50_000_000,
        generator_cpu=0.1 + 0.0005 * users,
        thresholds=(value,),
    )


def failed(users: int) -> Step:
    return step(users, Result.TARGET, f"{SLOW}: {users} ms, n = 500")


def study(*steps: Step, wished: int = 0, ended: str = "") -> Study:
    found, costs = conclude(SEARCH, steps), model(steps)
    return Study(
        scenario="steady",
        command="streamgauge capacity --slo slo.toml",
        search=SEARCH,
        steps=steps,
        purposes=("climb",) * len(steps),
        capacity=found,
        ended=ended,
        model=costs,
        forecast=forecast(costs, found, wished) if wished else None,
    )


SHARP = study(step(100), step(500), step(500), failed(550), failed(550), wished=2_200)


def said(*steps: Step, ended: str = "") -> str:
    return verdict(study(*steps, ended=ended))


def test_a_capacity_is_an_interval_and_what_limits_it() -> None:
    assert verdict(SHARP) == (
        "CAPACITY 500 to 550 users  500 were kept 2 times, 550 were not 2 times; "
        f"the target limits it ({SLOW}: 550 ms, n = 500)"
    )


def test_an_end_that_was_seen_too_seldom_is_said() -> None:
    assert said(step(500), step(500), failed(550), ended="the time is over") == (
        "NOT CONFIRMED 500 to 550 users  500 were kept 2 times, 550 were not once, too few to be believed; "
        f"the target limits it ({SLOW}: 550 ms, n = 500); the time is over"
    )


def test_bounds_are_bounds() -> None:
    assert said(step(1_000), step(1_000)) == (
        "AT LEAST 1,000 users  1,000 were kept 2 times; no more were to be tried (--to)"
    )
    assert said(failed(100), failed(100)).startswith(
        "BELOW 100 users  100 were not 2 times; the target limits"
    )
    assert said(failed(100), failed(100)).endswith("; no fewer were to be tried (--from)")


def test_a_generator_that_gave_out_is_named_and_the_target_cleared() -> None:
    lag = step(550, Result.GENERATOR, "generator lag: p99 120 ms")
    assert said(step(500), step(500), lag, lag) == (
        "AT LEAST 500 users  500 were kept 2 times, the generator gave out at 550; "
        "the generator limits it, not the target (generator lag: p99 120 ms)"
    )


def test_a_contradicted_number_is_named() -> None:
    flapping = said(step(500), step(500), failed(550), step(550), failed(600), failed(600))
    assert flapping.startswith("CAPACITY 500 to 600 users")
    assert "550 came out now so, now so" in flapping


def test_nothing_known_says_why() -> None:
    unmeasured = step(100, Result.UNMEASURED, "p99(run) < 1s: n = 20, needs 299")
    assert said(unmeasured) == ("UNKNOWN  nothing is known of the capacity; p99(run) < 1s: n = 20, needs 299")


def test_the_text_has_every_step_the_costs_the_wish_and_the_verdict_last() -> None:
    lines = render_text(SHARP, path="results/x/report.md").splitlines()
    assert lines[0].split("  ")[0] == "step"
    assert lines[1].split() == ["1", "100", "climb", "kept", "1,000", "100", "ms", "0.10", "0.15"]
    assert lines[4].split()[:8] == ["4", "550", "climb", "target", "5,500", "550", "ms", "!"]
    assert "      550  − −" in lines
    assert any(
        line.startswith("The cost of a user and that of its events cannot be told apart") for line in lines
    )
    assert "2,200 users: 4.0 × beyond what was measured (at most 550 users)" in lines
    assert lines[-2:] == ["report  results/x/report.md", verdict(SHARP)]


def test_a_number_within_what_was_measured_is_said_to_be() -> None:
    within = study(*SHARP.steps, wished=300)
    assert "300 users: within what was measured (at most 550 users)" in render_text(within)


def test_markdown_begins_with_the_verdict_and_escapes_what_a_server_said() -> None:
    tricky = replace(SHARP, steps=(*SHARP.steps[:3], failed(550), step(550, Result.TARGET, "<b>|")))
    text = render_markdown(tricky)
    assert text.startswith("# CAPACITY 500 to 550 users")
    assert "- step 5: &lt;b&gt;\\|" in text
    assert "| 2 | 500 | climb | kept | 5,000 | 500 ms | 0.50 | 0.35 |" in text


@pytest.mark.parametrize(("amount", "written"), [(512, "512.0 B"), (20_500, "20.5 KB"), (1.8e9, "1.8 GB")])
def test_sizes(amount: float, written: str) -> None:
    assert size(amount) == written
