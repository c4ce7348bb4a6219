"""What a row costs after its message was decoded; the times are shown, none is judged."""

import pytest
from msgspec.structs import replace
from pytest_benchmark.fixture import BenchmarkFixture

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.canary import foreign
from streamgauge.core.event import Event, Kind
from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.observation import Observation, Received, Stretch
from streamgauge.core.recording import End, Header, Recording, block
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    canary,
    completed,
    ended,
    idea,
    part,
    run,
    session,
    started,
    thought,
    tool,
)
from tests.support.stretches import gathered

pytestmark = pytest.mark.benchmark(max_time=0.2)

USERS, RUNS, EVENTS = 50, 4, 11
HEADER = Header("worker-1", "native", CLOCK, 0, LIMITS, ("echo",), "plan")


def told() -> tuple[Event, ...]:
    """A run of eleven events."""
    return (
        *(started(), thought(1), thought(2), tool("c"), idea(), ended("c")),
        *(part(0), part(1), part(2), thought(3), completed("sum", "sum")),
    )


def stamped(row: Observation, conn: int) -> Observation:
    """The row as it comes off a socket: users a little apart, with a kernel's stamp and a server's."""
    now = row.at_ns + conn * 100_003
    if isinstance(row, Received):
        event = replace(row.event, emitted_ns=now - 200_000 if row.event.seq else 0)
        return replace(row, at_ns=now, kernel_ns=now - 30_000, exact=True, event=event)
    return replace(row, at_ns=now)


@pytest.fixture(scope="module")
def rows() -> list[Observation]:
    """What `USERS` users saw of `RUNS` runs each, side by side."""
    rows: list[Observation] = []
    for conn in range(1, USERS + 1):
        names = [f"{conn}-{number}" for number in range(RUNS)]
        runs = [run(*told(), user=f"u{conn}", conn=conn, name=f"r{n}", request=f"q{n}") for n in names]
        rows.extend(stamped(row, conn) for row in session(*runs))
    rows.sort(key=lambda row: row.at_ns)
    assert sum(isinstance(row, Received) and row.event.seq > 0 for row in rows) == USERS * RUNS * EVENTS
    return rows


@pytest.fixture(scope="module")
def reads(rows: list[Observation]) -> list[Observation]:
    """The same where each run was read at once."""
    reads: list[Observation] = []
    open_reads: dict[int, list[Received]] = {}
    for row in rows:
        read = open_reads.setdefault(row.conn, [])
        if not isinstance(row, Received):
            reads.append(row)
            continue
        read.append(row)
        if row.event.kind == Kind.COMPLETED:
            moment = {"at_ns": row.at_ns, "kernel_ns": row.kernel_ns}
            reads.append(gathered([replace(each, **moment, exact=each is row) for each in read]))
            read.clear()
    assert sum(isinstance(row, Stretch) for row in reads) == USERS * RUNS
    return reads


def per_event(benchmark: BenchmarkFixture, count: int) -> None:
    """Leave the mean of one event beside the mean of all."""
    if benchmark.stats is not None:  # None where benchmarks are disabled
        benchmark.extra_info["events"] = count
        benchmark.extra_info["µs an event"] = benchmark.stats.stats.mean / count * 1e6


def test_analysis_of_2200_events(benchmark: BenchmarkFixture, rows: list[Observation]) -> None:
    def fold() -> AnalysisState:
        analysis = Analysis(LIMITS, CLOCK, 0)
        add = analysis.add
        for row in rows:
            add(row)
        return analysis.finish(60 * SECOND)

    state = benchmark(fold)
    per_event(benchmark, USERS * RUNS * EVENTS)
    assert state.counts["runs with the full sequence"] == USERS * RUNS
    assert not state.checks.found


def test_analysis_of_2200_events_in_200_reads(benchmark: BenchmarkFixture, reads: list[Observation]) -> None:
    def fold() -> AnalysisState:
        analysis = Analysis(LIMITS, CLOCK, 0)
        add = analysis.add
        for row in reads:
            add(row)
        return analysis.finish(60 * SECOND)

    state = benchmark(fold)
    per_event(benchmark, USERS * RUNS * EVENTS)
    assert state.counts["events"] == USERS * RUNS * EVENTS
    assert state.counts["runs with the full sequence"] == USERS * RUNS
    assert not state.checks.found


def test_merging_two_workers(benchmark: BenchmarkFixture, rows: list[Observation]) -> None:
    halves = []
    for half in (0, 1):
        analysis = Analysis(LIMITS, CLOCK, 0)
        for row in rows:
            if row.conn % 2 == half:
                analysis.add(row)
        halves.append(analysis.finish(60 * SECOND))
    merged = benchmark(halves[0].merge, halves[1])
    assert merged.counts["runs completed"] == USERS * RUNS


def test_a_block_of_512_rows(benchmark: BenchmarkFixture, rows: list[Observation]) -> None:
    packed = benchmark(block, rows[:512])
    per_event(benchmark, 512)
    assert len(packed) < 512 * 100


def test_reading_a_recording(benchmark: BenchmarkFixture, rows: list[Observation]) -> None:
    data = Recording(HEADER, rows, End(0)).data()
    recording = benchmark(Recording.of, data)
    per_event(benchmark, USERS * RUNS * EVENTS)
    assert recording.rows == rows


def test_histogram_add(benchmark: BenchmarkFixture) -> None:
    """The mean holds a share of the counting, which is done once for 8,192 values."""
    histogram = Histogram()
    benchmark(histogram.add, 1_234_567)
    assert histogram.distribution().n > 0


def test_histogram_quantile(benchmark: BenchmarkFixture) -> None:
    histogram = Histogram()
    for value in range(0, 10_000_000, 1_000):
        histogram.add(value)
    known: Distribution = histogram.distribution()
    assert benchmark(known.quantile, 0.99) == pytest.approx(9_900_000, rel=0.01)


@pytest.mark.parametrize("size", [220, 4_096])
@pytest.mark.parametrize("whose", ["nobody", "ann", "bob"])
def test_canary_scan(benchmark: BenchmarkFixture, whose: str, size: int) -> None:
    token = b"" if whose == "nobody" else canary(whose).encode()
    message = token.rjust(size, b"x")
    assert benchmark(foreign, message, canary("ann").encode()) == (canary("bob") if whose == "bob" else "")
