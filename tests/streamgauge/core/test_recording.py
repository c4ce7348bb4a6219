import zlib
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.limit import run_limit
from streamgauge.core.observation import Asked, Makes, Malformed, Observation, Overheard, Unsent
from streamgauge.core.recording import SCHEMA, End, Header, Recording, RecordingError, block
from streamgauge.core.threshold import Level, parse
from tests.support.history import CLOCK, LIMITS, failed, heard, run, session, started, whole
from tests.support.stretches import plain

HEADER = Header("worker-1", "native", CLOCK, 12, LIMITS, ("echo", "complete"), "plan")
END = End(99, ("a worker died",))
ROWS: list[Observation] = [
    *session(run(*whole()), run(started(), failed("cancelled"), name="r2", request="q2", cancelled=True)),
    Unsent(1, 2**62, 2**62, "no connection"),
    Malformed(1, 2**62, 70_000, "larger than 65536 bytes", "sgcanaryx"),
    Overheard(1, 2**62, 28, "ping", "sgcanaryz"),
    heard(Event(Kind.OTHER, user="Zoë"), foreign="sgcanaryy"),
    *session(run(started(), name="r4", request="q4", spoken=True, makes=Makes(1, 2, 3)))[1:4],
    *plain(run(*whole(), name="r3", request="q3", user="Zoë"), 4).stretches,
]


def recorded(*blocks: list[Observation], end: End | None = END) -> bytes:
    return block(HEADER) + b"".join(map(block, blocks)) + (block(end) if end else b"")


def test_every_kind_of_row_comes_back_as_it_was() -> None:
    assert len({type(row) for row in ROWS}) == 10
    assert Recording.of(recorded(ROWS)) == Recording(HEADER, ROWS, END)


@pytest.mark.parametrize("recording", [Recording(HEADER, ROWS * 99, END), Recording(HEADER, [], None)])
def test_what_is_written_whole_is_read_again(recording: Recording) -> None:
    assert Recording.of(recording.data()) == recording


@given(st.lists(st.integers(0, len(ROWS)), max_size=5))
@settings(deadline=None, max_examples=30)
def test_where_blocks_begin_does_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(ROWS)]
    blocks = [ROWS[low:high] for low, high in pairwise(edges)]
    assert Recording.of(recorded(*blocks)) == Recording(HEADER, ROWS, END)


def test_a_recording_cut_off_at_any_byte_gives_what_came_before_and_no_end() -> None:
    data = recorded(ROWS[:9], ROWS[9:])
    head = len(block(HEADER))
    lengths = set()
    for cut in range(head, len(data)):
        recording = Recording.of(data[:cut])
        assert recording.end is None
        assert recording.rows == ROWS[: len(recording.rows)]
        lengths.add(len(recording.rows))
    assert lengths == {0, 9, len(ROWS)}


@pytest.mark.parametrize("cut", range(len(block(HEADER))))
def test_a_recording_cut_off_in_its_header_is_none(cut: int) -> None:
    with pytest.raises(RecordingError, match="header cannot be read"):
        Recording.of(recorded(ROWS)[:cut])


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\1x", block(ROWS), block(END)]
)
def test_other_bytes_are_no_recording(data: bytes) -> None:
    with pytest.raises(RecordingError, match="header cannot be read"):
        Recording.of(data)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_a_damaged_recording_is_refused_or_whole_and_never_crashes(data: st.DataObject) -> None:
    whole_bytes = bytearray(recorded(ROWS[:9], ROWS[9:]))
    whole_bytes[data.draw(st.integers(0, len(whole_bytes) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        recording = Recording.of(bytes(whole_bytes))
    except RecordingError:
        return
    assert recording.rows == ROWS[: len(recording.rows)]


def test_a_damaged_block_is_called_so() -> None:
    garbage = zlib.compress(b"\xc1")
    for broken in (b"\0\0\0\5abcde", len(garbage).to_bytes(4, "big") + garbage, block(HEADER)):
        with pytest.raises(RecordingError, match="damaged"):
            Recording.of(block(HEADER) + broken + block(END))


def test_another_schema_is_refused_by_its_number() -> None:
    with pytest.raises(RecordingError, match=f"schema {SCHEMA + 1}; this version reads {SCHEMA}"):
        Recording.of(block(replace(HEADER, schema=SCHEMA + 1)) + block(END))


def test_nothing_after_the_end_is_read() -> None:
    assert Recording.of(recorded(ROWS) + block(ROWS) + b"junk").rows == ROWS


def test_a_request_of_before_scripts_were_told_is_one_without_a_script() -> None:
    asked = run(makes=Makes(1)).asked
    *before, makes = msgspec.to_builtins(asked)
    assert tuple(makes) == (1, 0, 0)
    assert msgspec.convert(before, Asked) == replace(asked, makes=None)


def test_a_header_may_grow() -> None:
    grown = msgspec.to_builtins(HEADER) | {"weather": "fine"}
    packed = zlib.compress(msgspec.msgpack.encode(grown))
    data = len(packed).to_bytes(4, "big") + packed + block(END)
    assert Recording.of(data).header == HEADER


def test_the_header_holds_what_was_demanded_so_that_it_can_be_again() -> None:
    limits = replace(LIMITS, stall_ns=5, goodput=(run_limit("run < 30s"),))
    demanded = (parse("p99(delivery) < 50ms"), parse("rate(leaks) == 0", Level.WARN), parse("count(run) > 9"))
    header = replace(HEADER, limits=limits, thresholds=demanded)
    assert Recording.of(block(header) + block(END)).header == header


def test_a_header_from_before_there_were_thresholds_has_none() -> None:
    older = msgspec.to_builtins(HEADER)
    del (
        older["thresholds"],
        older["limits"]["stall_ns"],
        older["limits"]["goodput"],
        older["limits"]["digests"],
    )
    packed = zlib.compress(msgspec.msgpack.encode(older))
    data = len(packed).to_bytes(4, "big") + packed + block(END)
    assert Recording.of(data).header == HEADER


def test_a_recording_of_before_promises_were_written_promises_everything() -> None:
    header = msgspec.to_builtins(replace(HEADER, promises=("echo",)))
    assert header.pop("promises") == ("echo",)
    assert msgspec.convert(header, Header).promises == tuple(Rule)
