import math
import random

import pytest

from streamgauge.core.compare import Comparison, Design, Gate, compare, decide
from streamgauge.core.finding import Outcome

CPU = Gate("cpu", 0.05)
RATE = Gate("rate", 0.10, falling=True)
TAIL = Gate("p99")
APART, PAIRED = Design.APART, Design.PAIRED
STEADY = [100.0, 101.0, 99.0, 100.5, 99.5, 100.0]


def one(base: list[float], head: list[float], gate: Gate = CPU, design: Design = APART) -> Comparison:
    (found,) = compare([gate], {gate.name: base}, {gate.name: head}, design)
    return found


def times(factor: float, values: list[float] = STEADY) -> list[float]:
    return [value * factor for value in values]


# The interval, with numbers worked out by hand


def test_apart_the_interval_is_welchs() -> None:
    found = one([100, 110], [120, 132])  # both sides: mean of logs ± 0.0477, so that s² = 0.00454
    half = math.log(1.1) / 2
    error = math.sqrt((half * half * 2 + 0.008**2 / 12) / 2 * 2)
    assert found.ratio == pytest.approx(1.2)
    assert found.base == pytest.approx(math.sqrt(11_000))
    assert found.low == pytest.approx(1.2 * math.exp(-2.9200 * error), rel=1e-4)  # t of 2 degrees, 95 %
    assert found.high == pytest.approx(1.2 * math.exp(2.9200 * error), rel=1e-4)
    assert found.limit == pytest.approx(1.05)


def test_side_by_side_only_the_differences_within_pairs_count() -> None:
    base = [100.0, 150.0, 80.0, 300.0]
    found = one(base, times(1.2, base), design=PAIRED)
    assert found.outcome is Outcome.FAIL
    assert found.low is not None
    assert found.low > 1.19
    assert one(base, times(1.2, base)).outcome is Outcome.UNKNOWN


def test_a_pair_that_lacks_one_is_left_out_and_apart_only_what_lacks() -> None:
    lacking: list[float | None] = [100.0, None, 101.0, 0.0]
    whole: list[float | None] = [100.0, 101.0, 99.0, 100.0]
    for design, launches in ((PAIRED, (2, 2)), (APART, (2, 4))):
        (found,) = compare([CPU], {"cpu": lacking}, {"cpu": whole}, design)
        assert found.launches == launches


# The three outcomes


@pytest.mark.parametrize(
    ("factor", "outcome"),
    [
        (0.5, Outcome.PASS),
        (1.0, Outcome.PASS),
        (1.02, Outcome.PASS),
        (1.05, Outcome.UNKNOWN),
        (1.2, Outcome.FAIL),
    ],
)
def test_the_whole_interval_must_lie_on_one_side_of_the_limit(factor: float, outcome: Outcome) -> None:
    assert one(STEADY, times(factor)).outcome is outcome


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.3, Outcome.PASS), (0.98, Outcome.PASS), (0.7, Outcome.FAIL)]
)
def test_of_some_less_is_worse(factor: float, outcome: Outcome) -> None:
    found = one(STEADY, times(factor), RATE)
    assert found.outcome is outcome
    assert found.ratio == pytest.approx(factor)
    assert found.low is not None
    assert found.high is not None
    assert found.low < factor < found.high
    assert found.limit == pytest.approx(1 / 1.1)
    assert found.detectable is not None
    assert found.detectable < 1 / 1.1


def test_one_launch_a_side_is_never_more_than_unknown() -> None:
    found = one([100], [300])
    assert found.outcome is Outcome.UNKNOWN
    assert found.ratio == pytest.approx(3)
    assert (found.low, found.high, found.detectable, found.needs) == (None, None, None, None)


def test_nothing_on_one_side() -> None:
    found = one([], [100, 100])
    assert (found.launches, found.base, found.ratio, found.outcome) == ((0, 2), None, None, Outcome.UNKNOWN)


def test_equal_figures_are_no_certainty() -> None:
    found = one([100.0, 100.0], [100.0, 100.0])
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1 < found.high


def test_what_is_only_shown_has_an_interval_and_decides_nothing() -> None:
    shown = one(STEADY, times(9), TAIL)
    assert shown.low is not None
    assert (shown.limit, shown.outcome, shown.detectable) == (None, Outcome.UNKNOWN, None)
    assert decide([shown, one(STEADY, STEADY)]) is Outcome.PASS
    assert decide([shown]) is Outcome.UNKNOWN


def test_fail_outranks_unknown_and_unknown_pass() -> None:
    good, bad, open_ = one(STEADY, STEADY), one(STEADY, times(2)), one([1], [1])
    assert decide([good, open_, bad]) is Outcome.FAIL
    assert decide([good, open_]) is Outcome.UNKNOWN
    assert decide([good, good]) is Outcome.PASS


# Several metrics


def test_the_more_metrics_the_surer_a_fail_must_be() -> None:
    slightly = times(1.0625)
    assert one(STEADY, slightly).outcome is Outcome.FAIL
    gates = [Gate(f"m{number}", 0.05) for number in range(5)]
    base = {gate.name: STEADY for gate in gates}
    head = {gate.name: times(0.9) for gate in gates} | {"m2": slightly}
    outcomes = [found.outcome for found in compare(gates, base, head, APART)]
    assert outcomes == [Outcome.PASS, Outcome.PASS, Outcome.UNKNOWN, Outcome.PASS, Outcome.PASS]


def test_holm_is_less_strict_when_others_have_failed() -> None:
    slightly, gates = times(1.0625), [Gate(f"m{number}", 0.05) for number in range(5)]
    base = {gate.name: STEADY for gate in gates}
    head = {gate.name: times(2) for gate in gates} | {"m2": slightly}
    assert all(found.outcome is Outcome.FAIL for found in compare(gates, base, head, APART))


def test_an_end_above_the_limit_and_a_fail_are_one() -> None:
    rng = random.Random(5)
    gates = [Gate(f"m{number}", 0.05) for number in range(4)]
    for _ in range(300):
        base = {gate.name: [rng.gauss(100, 4) for _ in range(5)] for gate in gates}
        head = {gate.name: [rng.gauss(110, 4) for _ in range(5)] for gate in gates}
        for found in compare(gates, base, head, APART):
            assert found.low is not None
            assert (found.outcome is Outcome.FAIL) == (found.low > 1.05)


# How often it is right, by simulation: a dozen launches a side


def rate(outcome: Outcome, change: float, spread: float, *, gates: int = 1, design: Design = PAIRED) -> float:
    """How often `gates` metrics together come to `outcome` where head costs `change` times base."""
    rng, runs = random.Random(20261123), 400
    named = [Gate(f"m{number}", 0.05) for number in range(gates)]

    def side(factor: float) -> dict[str, list[float]]:
        return {
            gate.name: [100 * factor * math.exp(rng.gauss(0, spread)) for _ in range(12)] for gate in named
        }

    hits = sum(decide(compare(named, side(1), side(change), design)) is outcome for _ in range(runs))
    return hits / runs


@pytest.mark.parametrize("design", list(Design))
def test_a_change_that_is_just_allowed_fails_in_a_twentieth(design: Design) -> None:
    assert 0.02 < rate(Outcome.FAIL, 1.05, 0.03, design=design) < 0.085
    assert 0.02 < rate(Outcome.PASS, 1.05, 0.03, design=design) < 0.085


def test_of_four_metrics_one_fails_wrongly_in_a_twentieth() -> None:
    assert rate(Outcome.FAIL, 1.05, 0.03, gates=4) < 0.085
    assert rate(Outcome.FAIL, 1.00, 0.03, gates=4) == 0


def test_a_fifth_more_is_found_and_no_change_passes() -> None:
    assert rate(Outcome.FAIL, 1.2, 0.05) > 0.97
    assert rate(Outcome.PASS, 1.0, 0.025) > 0.97


def test_the_smallest_detectable_change_is_found_in_four_of_five() -> None:
    rng = random.Random(1)
    pairs = [[100 * math.exp(rng.gauss(0, 0.03)) for _ in range(12)] for _ in range(200)]
    detectable = [
        one(base, head, design=PAIRED).detectable for base, head in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    middle = sorted(value for value in detectable if value)[50]
    assert 0.7 < rate(Outcome.FAIL, middle, 0.03) < 0.9


def test_so_many_launches_as_it_says_are_enough_in_four_of_five() -> None:
    rng = random.Random(2)
    needs = []
    for _ in range(100):
        base, head = ([100 * math.exp(rng.gauss(0, 0.04)) for _ in range(12)] for _ in range(2))
        needs.append(one(base, head, design=PAIRED).needs or 0)
    assert 9 <= sorted(needs)[50] <= 11  # at 10 the half width and a lucky tenth reach 4.9 %
    assert one([1, 9], [1, 9]).needs is None or one([1, 9], [1, 9]).needs > 100  # type: ignore[operator]
