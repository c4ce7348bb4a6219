"""How the power study mutates, judges and counts: what it catches, `check` would catch."""

import math
from random import Random

import pytest
from msgspec.structs import replace

from streamgauge.checker import check
from streamgauge.core.contract import EVERY_RULE
from streamgauge.core.observation import Opened
from streamgauge.core.recording import End, Header, Recording
from streamgauge.study.mutation import Mutation
from streamgauge.study.power import MUST, Judge, Point, binomial, failing, least_caught, part, rates
from streamgauge.study.rejudge import rejudge
from tests.support.analysed import UNTIL
from tests.support.generated import START, recording
from tests.support.history import CLOCK, LIMITS


def recorded(users: int = 12, runs: int = 4, seed: int = 3) -> Recording:
    rows = recording(users, runs, seed)
    header = Header("w1", "native", CLOCK, START, LIMITS, tuple(EVERY_RULE), "plan")
    return Recording(header, rows, End(UNTIL))


JUDGE = Judge(recorded())


@pytest.mark.parametrize("mutation", Mutation)
@pytest.mark.parametrize("seed", range(10))
def test_it_is_judged_as_the_whole_recording_would_be(mutation: Mutation, seed: int) -> None:
    """Judging only the changed connections, and merging, gives what judging all rows in one gives."""
    mutated = JUDGE.original.mutated(mutation, 3, Random(seed))
    sockets = [mutated.rows.get(n, socket.rows) for n, socket in enumerate(JUDGE.original.sockets)]
    rows = sorted((row for each in sockets for row in each), key=lambda row: row.at_ns)
    whole = check([replace(recorded(), rows=rows)])
    failed, struck = JUDGE.failing(mutation, 3, Random(seed))
    assert failed == {verdict.rule for verdict in whole.verdicts if verdict.outcome == "fail"}
    assert struck == mutated.struck
    assert (MUST[mutation] in failed) == (struck > 0)


def test_what_was_not_mutated_does_not_fail() -> None:
    assert JUDGE.failing(Mutation.LOSS, 0, Random(1)) == (frozenset(), 0)
    assert failing(rejudge(recorded()).checks, recorded().header) == frozenset()


def test_a_recording_that_is_wrong_already_is_refused() -> None:
    mutated = JUDGE.original.mutated(Mutation.LOSS, 1, Random(1))
    sockets = [mutated.rows.get(n, socket.rows) for n, socket in enumerate(JUDGE.original.sockets)]
    rows = sorted((row for each in sockets for row in each), key=lambda row: row.at_ns)
    with pytest.raises(ValueError, match="not correct as it stands"):
        Judge(replace(recorded(), rows=rows))


def test_a_point_counts_what_was_struck_and_caught() -> None:
    sure = JUDGE.point(Mutation.REPEAT, 0.5, 5)
    assert (sure.struck, sure.caught, sure.elsewhere, sure.outcome) == (5, 5, 0, "pass")
    rare = JUDGE.point(Mutation.REPEAT, 0.001, 40)
    assert 0 < rare.caught == rare.struck < 40
    assert JUDGE.point(Mutation.REPEAT, 0.001, 40) == rare  # it can be repeated


def test_a_struck_recording_that_is_not_caught_is_a_miss() -> None:
    point = Point(Mutation.LOSS, 0.01, 1_000, 100, struck=90, caught=89)
    assert point.outcome == "fail"
    assert replace(point, caught=90).outcome == "pass"
    assert replace(point, caught=90, elsewhere=1).outcome == "fail"


def test_a_part_keeps_whole_connections() -> None:
    whole = recorded()
    half = part(whole, 0.5)
    conns = {row.conn for row in whole.rows if isinstance(row, Opened)}
    kept = {row.conn for row in half.rows}
    assert len(kept) == math.ceil(len(conns) / 2)
    assert half.rows == [row for row in whole.rows if row.conn in kept]


@pytest.mark.parametrize(("n", "p"), [(1_000, 0.3), (100_000, 0.001), (50, 0.02)])
def test_strikes_are_as_many_as_chance_has_it(n: int, p: float) -> None:
    rng = Random(5)
    drawn = [binomial(n, p, rng) for _ in range(2_000)]
    mean, spread = n * p, math.sqrt(n * p * (1 - p))
    assert abs(sum(drawn) / len(drawn) - mean) < 5 * spread / math.sqrt(len(drawn))
    assert binomial(n, 0, rng) == 0


def test_rates_lie_around_what_a_size_can_tell() -> None:
    assert rates(400_000) == [1e-6, 2e-6, 5e-6, 1e-5, 2e-5]
    assert rates(4_000) == [1e-4, 2e-4, 5e-4, 1e-3, 2e-3]


def test_the_least_rate_is_the_one_from_which_on_enough_is_caught() -> None:
    def point(rate: float, caught: int) -> Point:
        return Point(Mutation.LOSS, rate, 1_000, 100, caught, caught)

    assert least_caught([point(1e-4, 60), point(1e-3, 95), point(1e-2, 100)]) == 1e-3
    assert least_caught([point(1e-4, 99), point(1e-3, 94), point(1e-2, 100)]) == 1e-2
    assert least_caught([point(1e-2, 94)]) is None
