import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from streamgauge.core.abort import NAMES
from streamgauge.core.contract import ATTACKED
from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Closed, Malformed, Observation, Opened, Received
from streamgauge.core.recording import Recording
from streamgauge.plan import digest
from tests.support.apart import INSIDE
from tests.support.history import run, started, thought
from tests.support.stretches import gathered

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.bench import Bench, Share, share_of

Make = Callable[..., "Bench"]
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")


def rows() -> list[Observation]:
    now = time.monotonic_ns()
    greeting = Event(Kind.GREETING, user="ann")
    return [
        Opened(1, now, "ann", "sgcanaryx", now),
        Received(1, now, 0, exact=False, size=100, event=greeting),
        Closed(1, now, 1000, ours=True),
    ]


def test_a_share_and_a_recording_hold_what_was_recorded(make_bench: Make) -> None:
    bench = make_bench()
    for row in (given := rows()):
        bench.record(row)
    share = bench.finish()
    assert (share.worker, share.state.counts["connections"], share.troubles) == ("worker-1", 1, ())
    assert share.cpu_s > 0
    recording = Recording.of(Path(share.recording).read_bytes())
    assert recording.rows == given
    assert recording.header.plan == digest(bench.plan)
    assert recording.header.limits == bench.plan.limits
    assert recording.end is not None
    assert share.state.began_ns <= share.state.ended_ns <= recording.end.at_ns


def test_what_one_read_brought_is_recorded_as_it_came_and_counted_event_by_event(make_bench: Make) -> None:
    bench = make_bench()
    first, _, _ = rows()
    stretch = gathered([replace(row, at_ns=first.at_ns) for row in run(started(), thought(1)).events])
    for row in (first, run().asked):
        bench.record(replace(row, at_ns=first.at_ns))
    bench.read([stretch, stretch])
    assert bench.snapshot().events == 4
    bench.read([])
    share = bench.finish()
    assert share.state.counts["received thinking"] == share.state.counts["received started"] == 2
    assert Recording.of(Path(share.recording).read_bytes()).rows[2:] == [stretch, stretch]


def test_a_share_travels(make_bench: Make) -> None:
    share = make_bench().finish()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(share), type=Share) == share


def test_troubles_and_missing_connections_are_counted_by_their_reason(make_bench: Make) -> None:
    bench = make_bench()
    for what in ("one", "other", "one"):
        bench.trouble(what)
        bench.unconnected(what)
    share = bench.finish()
    assert share.troubles == ("2 × one", "1 × other")
    assert share.unconnected == {"one": 2, "other": 1}


def test_no_token_is_in_a_share_or_a_recording_and_nothing_without_end(make_bench: Make) -> None:
    bench = make_bench()
    bench.trouble(f"KeyError in a callback: {TOKEN}")
    bench.unconnected(f"HTTP 401 Bearer {TOKEN}")
    bench.trouble("x" * 100_000)
    share = bench.finish()
    recording = Recording.of(Path(share.recording).read_bytes())
    assert recording.end is not None
    said = repr((share, recording.end))
    assert "KeyError in a callback" in said
    assert "HTTP 401" in said
    assert TOKEN[:20] not in said
    assert len(said) < 10_000


@needs_a_full_disk
def test_a_recording_that_stopped_is_a_trouble(make_bench: Make, tmp_path: Path) -> None:
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording" / "worker-0.sgr").symlink_to("/dev/full")
    bench = make_bench()
    for row in rows():
        bench.record(row)
    share = bench.finish()
    assert share.troubles == ("1 × the recording stopped: No space left on device",)
    assert share.state.counts["connections"] == 1


def test_how_far_it_is(make_bench: Make) -> None:
    bench = make_bench()
    for row in rows():
        bench.record(row)
    bench.runs = 2
    snapshot = bench.snapshot()
    assert (snapshot.users, snapshot.findings, snapshot.runs) == (0, 0, 2)
    assert snapshot.events == 0  # what there is are a greeting and an end
    bench.read([Received(2, time.monotonic_ns(), 0, exact=False, size=9, event=Event(Kind.STARTED, run="r"))])
    assert bench.snapshot().events == 1


def test_a_recording_says_what_its_protocol_promises(make_bench: Make) -> None:
    bench = make_bench(protocol="ag-ui")
    header = Recording.of(Path(bench.finish().recording).read_bytes()).header
    assert set(header.promises) == bench.dialect.promises
    assert set(header.required) == bench.dialect.promises - ATTACKED


# How many runs may be asked for


@pytest.mark.parametrize(("total", "of"), [(50, 1), (50, 3), (2, 3), (3, 3)])
def test_the_shares_of_a_cap_are_the_cap(total: int, of: int) -> None:
    shares = [share_of(total, index, of) for index in range(of)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1
    assert share_of(total, of, of) == 0  # who came late


def test_no_more_is_asked_than_the_plan_allows(make_bench: Make) -> None:
    bench = make_bench(most_runs=2)
    assert [bench.take() for _ in range(3)] == [True, True, False]
    assert bench.exhausted
    assert bench.snapshot().asked == 2


def test_without_a_cap_there_is_always_one_more(make_bench: Make) -> None:
    bench = make_bench()
    assert all(bench.take() for _ in range(100))
    assert not bench.exhausted


def test_what_conditions_speak_of_is_counted_in_mid_run(make_bench: Make) -> None:
    bench = make_bench()
    bench.record(Malformed(1, time.monotonic_ns(), 5, "no JSON"))
    counted = (bench.snapshot() + bench.snapshot()).counted()
    assert counted["malformed"] == 2
    assert set(bench.snapshot().counted()) == set(NAMES)
