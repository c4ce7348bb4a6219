from streamgauge.core.clock_map import ClockMap, Mapping

S = 1_000_000_000
US = 1_000


def mapped(*exchanges: tuple[int, int, int], at_ns: int) -> Mapping | None:
    """How clock `there` maps at `at_ns`, after exchanges of offset, bound and end."""
    clocks = ClockMap()
    for offset_ns, bound_ns, taken_ns in exchanges:
        clocks.add("there", offset_ns, bound_ns, taken_ns)
    return clocks.at("there", at_ns)


def test_a_clock_without_an_exchange_is_not_mapped() -> None:
    assert mapped(at_ns=5 * S) is None
    clocks = ClockMap()
    clocks.add("there", 7, 1, 0)
    assert clocks.at("elsewhere", 5 * S) is None


def test_the_first_second_only_collects() -> None:
    exchange = (7 * S, 80 * US, 10 * S)
    assert mapped(exchange, at_ns=11 * S - 1) is None
    assert mapped(exchange, at_ns=11 * S) == Mapping(7 * S, 95 * US)


def test_the_quickest_exchange_is_the_one_to_go_by() -> None:
    slow, quick, slower = (100, 500 * US, 0), (200, 50 * US, 1), (300, 900 * US, 2)
    found = mapped(slow, quick, slower, at_ns=S + 1)
    assert found == Mapping(200, 65 * US)


def test_its_bound_grows_by_15_ppm_until_a_newer_one_says_more() -> None:
    quick, newer = (200, 50 * US, 0), (999, 60 * US, 2 * S)
    assert mapped(quick, at_ns=2 * S) == Mapping(200, 80 * US)
    assert mapped(quick, newer, at_ns=2 * S) == Mapping(999, 60 * US)


def test_a_newer_one_that_says_less_is_left() -> None:
    quick, newer = (200, 50 * US, 0), (999, 81 * US, 2 * S)
    assert mapped(quick, newer, at_ns=2 * S) == Mapping(200, 80 * US)


def test_every_clock_has_a_mapping_of_its_own() -> None:
    clocks = ClockMap()
    clocks.add("a", 1, 0, 0)
    clocks.add("b", 2, 0, 0)
    assert [mapping and mapping.offset_ns for mapping in (clocks.at("a", S), clocks.at("b", S))] == [1, 2]
