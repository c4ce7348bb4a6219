from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from streamgauge.wire import frames
from streamgauge.wire.frames import frame_need, masked_text
from streamgauge.wire.message import Message
from tests.support.compiled import compiled

ReadTexts = Callable[[bytes, int, int, list[Message]], int]
LIMIT = 2**20
SIZES = [0, 1, 125, 126, 127, 255, 256, 65535, 65536, 70000]


@pytest.fixture(params=["pure", "compiled"], scope="module")
def read_texts(request: pytest.FixtureRequest) -> ReadTexts:
    if request.param == "pure":
        return frames.read_texts
    reader: ReadTexts = compiled("streamgauge.wire._frames").read_texts
    return reader


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


@pytest.mark.parametrize("size", SIZES)
def test_reads_a_text_of_every_length_encoding(read_texts: ReadTexts, size: int) -> None:
    messages: list[Message] = []
    data = text(b"x" * size)
    assert read_texts(data, 0, LIMIT, messages) == len(data)
    assert messages == [b"x" * size]


@pytest.mark.parametrize("size", SIZES)
def test_a_text_without_its_last_byte_stays_where_it_is(read_texts: ReadTexts, size: int) -> None:
    messages: list[Message] = []
    assert read_texts(text(b"x" * size)[:-1], 0, LIMIT, messages) == 0
    assert messages == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=200).map(str.encode), max_size=6), st.data())
def test_stops_behind_the_last_whole_frame(
    read_texts: ReadTexts, payloads: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(map(text, payloads))
    cut = data.draw(st.integers(0, len(stream)))
    messages: list[Message] = []
    position = read_texts(stream[:cut], 0, LIMIT, messages)
    assert messages == payloads[: len(messages)]
    assert position == len(b"".join(map(text, payloads[: len(messages)])))
    if len(messages) < len(payloads):
        assert cut < position + len(text(payloads[len(messages)]))


def test_starts_where_it_is_told_to_and_keeps_the_messages_before(read_texts: ReadTexts) -> None:
    messages: list[Message] = [b"earlier"]
    data = b"\x81\xff" + text(b"one") + text(b"two")
    assert read_texts(data, 2, LIMIT, messages) == len(data)
    assert messages == [b"earlier", b"one", b"two"]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x01\x01a", id="first fragment"),
        pytest.param(b"\x80\x01a", id="last fragment"),
        pytest.param(b"\x82\x01a", id="binary"),
        pytest.param(b"\x88\x00", id="close"),
        pytest.param(b"\x89\x01a", id="ping"),
        pytest.param(b"\x8a\x01a", id="pong"),
        pytest.param(b"\xc1\x01a", id="reserved bit 1"),
        pytest.param(b"\xa1\x01a", id="reserved bit 2"),
        pytest.param(b"\x91\x01a", id="reserved bit 3"),
        pytest.param(b"\x83\x01a", id="unknown opcode"),
        pytest.param(b"\x81\x81\0\0\0\0a", id="masked"),
        pytest.param(b"\x81\xfe\x00\x80\0\0\0\0" + b"a" * 128, id="masked, 16 bits of length"),
        pytest.param(b"\x81\xff" + bytes(5) + b"\x01\0\0" + bytes(4) + b"a" * 65536, id="masked, 64 bits"),
        pytest.param(b"\x81\x7e\x00\x7d" + b"a" * 125, id="16 bits for a length of 7"),
        pytest.param(b"\x81\x7f" + bytes(6) + b"\xff\xff" + b"a" * 65535, id="64 bits for a length of 16"),
        pytest.param(b"\x81\x7f\xff" + b"\xff" * 7 + b"a", id="longest length of all"),
        pytest.param(b"\x81\x01\xff", id="not UTF-8"),
        pytest.param(b"\x81\x02\xc3\x28", id="broken UTF-8"),
        pytest.param(b"\x81\x03\xed\xa0\x80", id="surrogate in UTF-8"),
    ],
)
def test_leaves_everything_else_alone(read_texts: ReadTexts, frame: bytes) -> None:
    messages: list[Message] = []
    before = text("é".encode())
    assert read_texts(before + frame + before, 0, LIMIT, messages) == len(before)
    assert messages == ["é".encode()]


@pytest.mark.parametrize("size", [100, 1000, 70000])
def test_the_greatest_size_is_still_read_and_one_more_is_not(read_texts: ReadTexts, size: int) -> None:
    data = text(b"x" * size)
    assert read_texts(data, 0, size, []) == len(data)
    assert read_texts(data, 0, size - 1, []) == 0


@pytest.mark.parametrize(("size", "header"), [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY, Opcode.CONT])
def test_says_how_many_bytes_a_frame_needs(size: int, header: int, opcode: Opcode) -> None:
    frame = Frame(opcode, b"x" * size, fin=False).serialize(mask=False)
    needed = [frame_need(b"xyz" + frame[:available], 3, LIMIT) for available in range(header + 1)]
    assert needed == [2, 2] + [header] * (header - 2) + [header + size]


@pytest.mark.parametrize(("size", "header"), [(101, 2), (126, 4), (65536, 10)])
def test_the_header_of_a_frame_that_is_too_large_is_enough(size: int, header: int) -> None:
    frame = text(b"x" * size)
    assert frame_need(frame[:header], 0, size - 1) == header
    assert frame_need(frame[:header], 0, size) == header + size


def test_a_mask_bit_is_no_part_of_the_length() -> None:
    assert frame_need(b"\x81\x85", 0, LIMIT) == 2 + 5


@pytest.mark.parametrize(("size", "header"), [(0, 2), (1, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)])
def test_a_masked_text_is_what_websockets_would_have_sent(size: int, header: int) -> None:
    payload = bytes(n % 251 for n in range(size))
    frame = Frame(Opcode.TEXT, payload).serialize(mask=True)
    mask = frame[header : header + 4]
    assert masked_text(payload, mask) == frame
    assert len(frame) == header + 4 + size


def test_a_mask_of_zeros_hides_nothing() -> None:
    assert masked_text(b"plain", bytes(4)) == b"\x81\x85\0\0\0\0plain"
    assert masked_text(b"plain", b"\1\2\3\4")[6:] == bytes(
        letter ^ mask for letter, mask in zip(b"plain", b"\1\2\3\4\1", strict=True)
    )
