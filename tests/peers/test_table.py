from msgspec import structs

from peers.counting import Memory, Said, Sample
from peers.table import Outcome, spread, table


def sample(events: int, cpu_s: float, p99_ms: float | None = 9.0) -> Sample:
    memory = Memory(one_socket=1_000_000, open=3_000_000, busy=5_000_000)
    return Sample(101, 10.0, events, cpu_s, 1.0, memory, Said(4.0, p99_ms))


OURS = Outcome("ours", "all checked", [sample(100_000, 1.0)])


def cells(outcomes: list[Outcome], row: int) -> list[str]:
    return [cell.strip() for cell in list(table(outcomes, "ours"))[2 + row].strip("|").split("|")]


def test_a_row_says_throughput_cost_ratio_memory_and_times() -> None:
    peer = Outcome("peer", "plain", [sample(10_000, 0.2), sample(30_000, 0.4), sample(20_000, 0.5)])
    assert cells([OURS, peer], 1) == [
        "peer: plain",
        "2,000 [1,000–3,000]",
        "50,000 [40,000–75,000]",
        "2.00",
        "20.0 / 40.0",
        "4.0 / 9.0",
        "505.0",
        "0.04 / 0.10",
    ]


def test_every_row_has_the_columns_of_the_head() -> None:
    lines = list(
        table([OURS, Outcome("gone", "not here", trouble="not installed: no npm in the PATH")], "ours")
    )
    assert {line.count("|") for line in lines} == {9}


def test_what_could_not_be_had_says_why() -> None:
    gone = Outcome("gone", "not here", trouble="not installed: no npm in the PATH")
    assert cells([OURS, gone], 1)[1] == "not installed: no npm in the PATH"


def test_reasons_cannot_break_the_table() -> None:
    gone = Outcome("gone", "not here", trouble="failed: a | b\nc")
    assert len(cells([OURS, gone], 1)) == 8


def test_launches_that_failed_are_told_beside_those_that_did_not() -> None:
    half = Outcome("half", "now and then", [sample(10_000, 0.2)], "failed: 3 of 101 sockets")
    assert cells([OURS, half], 1)[0] == "half: now and then (of 1 launches; failed: 3 of 101 sockets)"


def test_without_ours_there_is_no_ratio() -> None:
    assert cells([Outcome("peer", "plain", [sample(10_000, 0.2)])], 0)[3] == "–"


def test_what_a_generator_does_not_say_is_left_out() -> None:
    assert cells([Outcome("peer", "plain", [sample(10_000, 0.2, p99_ms=None)])], 0)[5] == "4.0 / –"


def test_a_lag_that_is_told_apart_stands_beside_the_times() -> None:
    one = sample(10_000, 0.2)
    told = structs.replace(one, said=Said(4.0, 9.0, 500.0))
    assert cells([Outcome("peer", "plain", [told, told])], 0)[5] == "4.0 / 9.0, and lag 500.0"
    assert cells([Outcome("peer", "plain", [one, one])], 0)[5] == "4.0 / 9.0"


def test_a_spread_is_median_least_and_most() -> None:
    assert spread([3.0, 1_000.0, 20.0]) == "20 [3–1,000]"
