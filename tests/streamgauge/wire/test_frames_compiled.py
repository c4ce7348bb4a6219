"""The compiled reader of frames beside the one it stands for: any bytes, streams cut and broken anywhere."""

from collections.abc import Callable

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from streamgauge.wire import frames
from streamgauge.wire.message import Message
from tests.support.compiled import compiled

ReadTexts = Callable[[bytes, int, int, list[Message]], int]
LIMIT = 2**20
TEXT = frames.WHOLE_TEXT


@pytest.fixture(scope="module")
def read_texts() -> ReadTexts:
    reader: ReadTexts = compiled("streamgauge.wire._frames").read_texts
    return reader


def same(read_texts: ReadTexts, data: bytes, start: int = 0, max_size: int = LIMIT) -> int:
    """How many messages both find, having seen that they are the same and end at one place."""
    messages: list[Message] = []
    expected: list[Message] = []
    position = read_texts(data, start, max_size, messages)
    assert position == frames.read_texts(data, start, max_size, expected)
    assert messages == expected
    assert all(type(message) is bytes for message in messages)
    return len(messages)


def head(size: int, form: int, *, first: int = TEXT, masked: bool = False) -> bytes:
    """The beginning of a frame, its length in 7, 16 or 64 bits, whether or not it is the shortest form."""
    mask = 0x80 if masked else 0
    if form == 7:
        return bytes([first, mask | size & 0x7F])
    if form == 16:
        return bytes([first, mask | 126]) + (size & 0xFFFF).to_bytes(2)
    return bytes([first, mask | 127]) + size.to_bytes(8)


EDGES = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537]
payloads = st.one_of(
    st.text(max_size=140).map(str.encode),
    st.binary(max_size=140),  # mostly no UTF-8
    st.tuples(st.sampled_from(EDGES), st.sampled_from([b"x", "é".encode(), b"\x80"])).map(
        lambda drawn: (drawn[1] * drawn[0])[: drawn[0]]
    ),
)
announced = st.one_of(st.none(), st.sampled_from(EDGES), st.integers(0, 2**64 - 1))


@st.composite
def frame(draw: st.DrawFn) -> bytes:
    """Mostly as a server writes them, else with something at its beginning that is not."""
    payload = draw(payloads)
    if draw(st.integers(0, 3)):
        return Frame(Opcode.TEXT, payload).serialize(mask=False)
    said = draw(announced)
    first = draw(st.one_of(st.just(TEXT), st.integers(0, 255)))
    form, masked = draw(st.sampled_from([7, 16, 64])), draw(st.booleans())
    return head(len(payload) if said is None else said, form, first=first, masked=masked) + payload


@settings(deadline=None, max_examples=500)
@given(st.lists(frame(), max_size=8), st.data())
def test_streams_are_read_alike_wherever_they_are_cut(
    read_texts: ReadTexts, stream: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(stream)
    end = len(whole) if data.draw(st.booleans()) else data.draw(st.integers(0, len(whole)))
    start = data.draw(st.sampled_from([0, 0, *(len(b"".join(stream[:n])) for n in range(len(stream)))]))
    max_size = data.draw(st.sampled_from([LIMIT, LIMIT, 65535, 126, 125, 1, 0]))
    count = same(read_texts, whole[:end], start, max_size)
    event("everything" if count == len(stream) else "nothing" if count == 0 else "a part")


@settings(deadline=None, max_examples=500)
@given(st.lists(frame(), min_size=1, max_size=4), st.data())
def test_streams_are_read_alike_wherever_a_byte_is_another(
    read_texts: ReadTexts, stream: list[bytes], data: st.DataObject
) -> None:
    whole = bytearray().join(stream)
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, min(len(whole), 300) - 1))] = data.draw(st.integers(0, 255))
    same(read_texts, bytes(whole))


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=40), st.integers(0, 45), st.sampled_from([0, 1, 125, LIMIT]))
@example(b"\x81\x00", 0, 0)
@example(b"\x81\x01a", 0, 0)
@example(b"\x81\x01a\x81\x00\x81", 0, 1)
@example(b"", 0, LIMIT)
def test_any_bytes_are_read_alike(read_texts: ReadTexts, data: bytes, start: int, max_size: int) -> None:
    same(read_texts, data, start, max_size)
    same(read_texts, bytes([TEXT]) + data, 0, max_size)


@pytest.mark.parametrize("form", [7, 16, 64])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", EDGES)
def test_lengths_are_read_alike_in_every_form(
    read_texts: ReadTexts, size: int, form: int, masked: bool
) -> None:
    data = head(size, form, masked=masked) + b"x" * (size + 4) + head(1, 7) + b"y"
    for end in {*range(12), size + 1, size + 2, size + 3, size + 4, size + 10, len(data)}:
        same(read_texts, data[:end])


@pytest.mark.parametrize("size", [2**31, 2**32 + 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1])
def test_no_announced_length_is_too_great(read_texts: ReadTexts, size: int) -> None:
    assert same(read_texts, head(size, 64) + b"x" * 100) == 0
    assert same(read_texts, head(1, 7) + b"a" + head(size, 64) + b"x" * 100, max_size=2**63 - 1) == 1


@pytest.mark.parametrize("place", range(17))
@pytest.mark.parametrize("piece", [b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "é😀".encode()])
def test_utf_8_is_looked_for_at_every_place(read_texts: ReadTexts, place: int, piece: bytes) -> None:
    payload = b"x" * place + piece + b"x" * (16 - place)
    good = frames.is_utf8(payload)
    assert same(read_texts, head(len(payload), 7) + payload) == good


@pytest.mark.parametrize(
    ("data", "start", "messages", "why"),
    [
        (bytearray(b"\x81\x00"), 0, [], TypeError),
        (b"\x81\x00", 0, (), TypeError),
        (b"\x81\x00", None, [], TypeError),
        (b"\x81\x00", -1, [], ValueError),
    ],
)
def test_misuse_raises(
    read_texts: Callable[..., int], data: object, start: object, messages: object, why: type[Exception]
) -> None:
    with pytest.raises(why):
        read_texts(data, start, LIMIT, messages)
