import pytest

from peers.counting import (
    Count,
    Memory,
    Said,
    Sample,
    between,
    family,
    kilobytes_per_socket,
    on_cpu_ns,
    parent_of,
    resident_pages,
    said_in,
    totals,
)

MEMORY = Memory(one_socket=50_000_000, open=60_000_000, busy=70_000_000)


def sample(**fields: float) -> Sample:
    values = {"events": 200_000, "generator_cpu_s": 8.0, "source_cpu_s": 2.0, **fields}
    return Sample(
        1000,
        10.0,
        int(values["events"]),
        values["generator_cpu_s"],
        values["source_cpu_s"],
        MEMORY,
        Said(40.0, 90.0),
    )


def test_a_sample_is_what_lies_between_two_counts() -> None:
    first = Count(at_ns=5_000_000_000, events=1_000, generator_cpu_ns=3_000_000_000, source_cpu_s=0.5)
    last = Count(at_ns=15_000_000_000, events=201_000, generator_cpu_ns=11_000_000_000, source_cpu_s=2.5)
    assert between(first, last, 1000, MEMORY, Said(40.0, 90.0)) == sample()


def test_what_comes_through_and_what_it_costs_are_two_figures() -> None:
    assert sample().events_per_s == 20_000
    assert sample().events_per_cpu_s == 25_000
    assert sample().generator_busy == 0.8
    assert sample().source_busy == 0.2


def test_the_true_cycle_follows_from_throughput_alone() -> None:
    # 1,000 sockets, 2,000 runs a second: each waits half a second, whatever the generator says of it
    assert sample().cycle_ms == 500
    assert sample(events=400_000).cycle_ms == 250


def test_memory_is_that_of_one_socket_more() -> None:
    assert kilobytes_per_socket(60_000_000, 50_000_000, 1001) == 10


def test_a_process_counts_with_all_its_descendants() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 13: 12, 20: 1}
    assert family(parents, 10) == {10, 11, 12, 13}
    assert family(parents, 20) == {20}
    assert family(parents, 99) == {99}


@pytest.mark.parametrize("name", ["k6", "a b", "(sd-pam)", ") S 99 ("])
def test_a_process_may_have_any_name(name: str) -> None:
    assert parent_of(f"4711 ({name}) S 17 4711 4711 0 -1") == 17


def test_cpu_time_is_summed_over_threads() -> None:
    assert on_cpu_ns(["1500 3 7\n", "500 0 1\n"]) == 2000


def test_resident_memory_is_the_second_field() -> None:
    assert resident_pages("9000 1234 800 1 0 500 0\n") == 1234


def test_a_source_says_its_totals() -> None:
    text = "# TYPE a_total counter\na_total 12\n# TYPE b gauge\nb 0.25\n"
    assert totals(text) == {"a_total": 12, "b": 0.25}


def test_what_a_generator_says_is_found_among_its_other_words() -> None:
    output = '{"p50_ms": 9}\nType  Name\n{"peer": true, "p50_ms": 1.5, "p99_ms": null}\nbye\n'
    assert said_in(output) == Said(1.5, None)
    assert said_in("Traceback\n") is None
