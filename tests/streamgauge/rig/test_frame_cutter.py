"""A server's stream is cut into its messages, and every byte of it is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from streamgauge.rig.frame_cutter import FrameCutter, Unit
from tests.support.server_stream import SIZES, SWITCHED, chunked, compressed, frame

MOST = 1_000
PING = frame(b"p", Opcode.PING)
HEAD = frame(b"one ", fin=False)
TAIL = frame(b"two", Opcode.CONT)


def cut(*pieces: bytes, most: int = MOST) -> list[Unit]:
    cutter = FrameCutter(most)
    units = [unit for piece in pieces for unit in cutter.cut(piece)]
    return [*units, *([Unit(rest)] if (rest := cutter.rest()) else [])]


def texts(units: list[Unit]) -> list[bytes]:
    return [unit.text for unit in units if unit.text is not None]


def test_messages_and_what_stands_beside_them() -> None:
    assert cut(SWITCHED + frame(b"hello") + PING) == [
        Unit(SWITCHED),
        Unit(frame(b"hello"), b"hello", frame(b"hello")),
        Unit(PING),
    ]


def test_a_message_in_fragments_is_one_with_the_control_frames_in_it_apart() -> None:
    (_, message) = cut(SWITCHED, HEAD, PING, TAIL)
    assert message == Unit(HEAD + PING + TAIL, b"one two", HEAD + TAIL, PING)


@pytest.mark.parametrize(
    "unread",
    [
        frame(b"\0\1", Opcode.BINARY),
        compressed(b"squeezed"),
        frame(b"x" * MOST),
        frame(b"x" * 600, fin=False) + PING + frame(b"x" * 600, Opcode.CONT),
        frame(b"x" * MOST, fin=False) + PING + TAIL,
    ],
    ids=["binary", "compressed", "too large", "too large in fragments", "a fragment too large"],
)
def test_what_is_no_text_goes_through_and_the_next_message_is_read(unread: bytes) -> None:
    units = cut(SWITCHED, unread[:500], unread[500:], frame(b"next"))
    assert texts(units) == [b"next"]
    assert b"".join(unit.raw for unit in units) == SWITCHED + unread + frame(b"next")


@pytest.mark.parametrize(
    "stream",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + frame(b"hello"),
        SWITCHED + Frame(Opcode.TEXT, b"masked").serialize(mask=True) + frame(b"hello"),
        SWITCHED + TAIL + frame(b"hello"),
        SWITCHED + HEAD + frame(b"hello"),
        b"x" * 100_000 + frame(b"hello"),
    ],
    ids=["no WebSocket", "masked", "no beginning", "no end", "no head"],
)
def test_what_no_server_may_say_goes_through_and_nothing_after_it_is_read(stream: bytes) -> None:
    units = cut(stream)
    assert texts(units) == []
    assert b"".join(unit.raw for unit in units) == stream


def test_between_messages_is_where_another_can_be_put() -> None:
    cutter = FrameCutter(MOST)
    states = []
    for piece in (b"", SWITCHED, HEAD, TAIL, frame(b"x" * MOST)[:700], frame(b"x" * MOST)[700:]):
        cutter.cut(piece)
        states.append(cutter.is_between)
    # what is kept of a message has not gone anywhere yet
    assert states == [False, True, True, True, False, True]


@given(
    st.lists(
        st.sampled_from(
            [
                frame(b"hello"),
                frame(b""),
                HEAD + PING + TAIL,
                PING,
                frame(b"\0", Opcode.BINARY),
                frame(b"y" * 300),
                frame(b"x" * 70_000),
                HEAD + frame(b"x" * 1_200, Opcode.CONT, fin=False) + PING + TAIL,
            ]
        ),
        max_size=12,
    ),
    SIZES,
)
def test_any_chunking_gives_the_same_messages_and_all_bytes(frames: list[bytes], sizes: list[int]) -> None:
    stream = SWITCHED + b"".join(frames)
    whole, pieces = cut(stream), cut(*chunked(stream, sizes))
    assert b"".join(unit.raw for unit in pieces) == stream
    assert [unit for unit in pieces if unit.data] == [unit for unit in whole if unit.data]
    assert texts(pieces) == texts(whole)


def test_what_is_kept_is_bounded_however_large_a_message_is() -> None:
    cutter = FrameCutter(MOST)
    cutter.cut(SWITCHED)
    cutter.cut(frame(b"x" * 10_000_000)[:10])
    assert sum(len(unit.raw) for unit in cutter.cut(b"x" * 5_000_000)) == 5_000_000
