"""When bytes leave a proxy, and how it ends: time and chance are arguments."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.rig.toxics import NEVER, Dose, Ending, Flow, Recipe, Toxics, draw_toxics

MS = 1_000_000
SECOND = 1_000 * MS


def flow(**toxics: object) -> Flow:
    return Flow(Toxics(**toxics), random.Random(7))  # type: ignore[arg-type] # as named by a test


def arrivals(of: Flow) -> list[tuple[int, bytes | Ending]]:
    """All that comes of it, and when."""
    told = []
    while (next_ns := of.next_ns) is not None:
        assert of.due(next_ns - 1) is None
        piece = of.due(next_ns)
        assert piece is not None
        told.append((next_ns, piece))
    return told


def test_without_toxics_all_goes_through_at_once() -> None:
    plain = flow()
    plain.take(b"one", 5)
    plain.take(b"two", 5)
    plain.take_eof(6)
    assert arrivals(plain) == [(5, b"onetwo"), (6, Ending.CLOSE)]


def test_latency_delays_all_that_comes_and_the_end_too() -> None:
    slow = flow(latency_ns=50 * MS)
    slow.take(b"one", 0)
    slow.take(b"two", 10 * MS)
    slow.take_eof(11 * MS)
    assert arrivals(slow) == [(50 * MS, b"one"), (60 * MS, b"two"), (60 * MS, Ending.CLOSE)]


def test_jitter_differs_from_piece_to_piece_and_keeps_their_order() -> None:
    rough = flow(jitter_ns=50 * MS)
    for number in range(20):
        rough.take(bytes([number]), number * MS)
    told = arrivals(rough)
    assert b"".join(piece for _, piece in told if isinstance(piece, bytes)) == bytes(range(20))
    assert len({when for when, _ in told}) > 3
    assert told[-1][0] <= (19 + 50) * MS


def test_bandwidth_lets_so_many_bytes_through_in_a_second() -> None:
    narrow = flow(bandwidth=1_000)
    narrow.take(b"x" * 500, 0)
    narrow.take(b"y" * 500, 0)
    told = arrivals(narrow)
    assert told[-1][0] == SECOND
    assert len(told) > 10  # not all at the end
    assert narrow.size == 0


@pytest.mark.parametrize("ending", Ending)
def test_an_end_comes_after_exactly_so_many_bytes(ending: Ending) -> None:
    cut = flow(ends_at=5, ending=ending)
    cut.take(b"abc", 1)
    assert not cut.is_struck
    cut.take(b"defgh", 2)
    cut.take(b"never", 3)
    cut.take_eof(4)
    assert cut.is_struck
    assert arrivals(cut) == [(1, b"abc"), (2, b"de"), (2, ending)]


def test_a_stream_that_ends_before_its_place_is_not_struck() -> None:
    whole = flow(ends_at=5, ending=Ending.RESET)
    whole.take(b"abc", 1)
    whole.take_eof(2)
    assert not whole.is_struck
    assert arrivals(whole) == [(1, b"abc"), (2, Ending.CLOSE)]


def test_a_slow_close_delays_the_end_alone() -> None:
    slow = flow(slow_close_ns=SECOND)
    slow.take(b"abc", 1)
    slow.take_eof(2)
    assert arrivals(slow) == [(1, b"abc"), (2 + SECOND, Ending.CLOSE)]


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(0, 300))
def test_any_chunking_is_cut_at_the_same_byte(chunks: list[bytes], place: int) -> None:
    cut = flow(ends_at=place, bandwidth=10_000)
    for chunk in chunks:
        cut.take(chunk, 0)
    cut.take_eof(0)
    told = b"".join(piece for _, piece in arrivals(cut) if isinstance(piece, bytes))
    assert told == b"".join(chunks)[:place]


def test_rates_are_shares_of_the_connections_and_places_lie_between() -> None:
    rng = random.Random(3)
    drawn = [draw_toxics(Recipe(cut=Dose(100, 200, 0.25)), rng).ends_at for _ in range(2_000)]
    struck = [place for place in drawn if place != NEVER]
    assert 0.2 < len(struck) / len(drawn) < 0.3
    assert all(100 <= place <= 200 for place in struck)
    assert len(set(struck)) > 50


def test_of_several_ends_it_is_the_earliest() -> None:
    toxics = draw_toxics(Recipe(cut=Dose(9, 9), reset=Dose(7, 7), blackhole=Dose(8, 8)), random.Random(1))
    assert (toxics.ends_at, toxics.ending) == (7, Ending.RESET)


def test_the_same_seed_draws_the_same_and_one_rate_moves_no_other_place() -> None:
    def places(rate: float) -> list[int]:
        rng = random.Random(5)
        recipe = Recipe(latency=Dose(1, 2, rate), cut=Dose(0, 10_000))
        return [draw_toxics(recipe, rng).ends_at for _ in range(50)]

    assert places(0.1) == places(0.9)


def test_what_a_connection_suffers_from_is_named() -> None:
    recipe = Recipe(latency=Dose(0.05, 0.05), bandwidth=Dose(1_000, 1_000), slow_close=Dose(1, 1))
    assert draw_toxics(recipe, random.Random(1)).names == ("latency", "bandwidth", "slow_close")
    assert draw_toxics(Recipe(), random.Random(1)).names == ()
