import gc
import logging
import tracemalloc
from collections.abc import Callable

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol

from streamgauge.wire import ClientSession, MisuseError, State, Unreadable

Opened = Callable[..., ClientSession]
Unmask = Callable[[bytes], list[tuple[Opcode, bytes]]]


def frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=False)


def text(payload: bytes, *, fin: bool = True) -> bytes:
    return frame(Opcode.TEXT, payload, fin=fin)


def closing(code: int, reason: str = "") -> bytes:
    return frame(Opcode.CLOSE, Close(code, reason).serialize())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_takes_any_kind_of_bytes_and_returns_bytes(opened: Opened, kind: Callable[[bytes], bytes]) -> None:
    (message,) = opened().receive(kind(text(b"{}")))
    assert message == b"{}"
    assert type(message) is bytes


def test_a_message_outlives_the_buffer_it_came_in(opened: Opened) -> None:
    scratch = bytearray(text(b"first"))
    session = opened()
    messages = session.receive(memoryview(scratch))
    scratch[:] = text(b"later")
    assert messages == [b"first"]


def test_a_ping_is_answered_once(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    assert session.receive(text(b"a") + frame(Opcode.PING, b"1") + text(b"b")) == [b"a", b"b"]
    assert session.receive(frame(Opcode.PING, b"2")) == []
    assert unmask(session.outgoing()) == [(Opcode.PONG, b"1"), (Opcode.PONG, b"2")]
    assert session.outgoing() == b""
    assert session.state is State.OPEN


def test_a_pong_is_nothing_to_speak_of(opened: Opened) -> None:
    session = opened()
    assert session.receive(frame(Opcode.PONG, b"?")) == []
    assert session.outgoing() == b""


def test_fragments_are_one_message_and_may_be_interrupted(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    euro = "€".encode()
    assert session.receive(text(euro[:1], fin=False)) == []
    assert session.receive(frame(Opcode.PING, b"!") + frame(Opcode.CONT, euro[1:2], fin=False)) == []
    assert unmask(session.outgoing()) == [(Opcode.PONG, b"!")]
    assert session.receive(frame(Opcode.CONT, euro[2:]) + text(b"next")) == [euro, b"next"]


def test_a_message_does_not_begin_inside_another_one_not_even_in_the_next_read(opened: Opened) -> None:
    session = opened()
    session.receive(text(b"a", fin=False))
    assert session.receive(text(b"b")) == []
    assert session.fault == "expected a continuation frame"


def test_a_binary_message_is_told_and_the_stream_goes_on(opened: Opened) -> None:
    session = opened()
    data = frame(Opcode.BINARY, b"\0" * 9) + text(b"next")
    assert session.receive(data) == [Unreadable("binary", 9, b"\0" * 9), b"next"]
    assert session.fault is None


def test_a_text_that_is_not_utf8_ends_the_connection(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    data = text(b"good") + text(b"ba\xff") + text(b"late") + frame(Opcode.PING, b"late")
    assert session.receive(data) == [b"good", Unreadable("invalid UTF-8", 3, b"ba\xff")]
    assert session.fault == "invalid start byte at position 2"
    assert unmask(session.outgoing()) == [
        (Opcode.CLOSE, b"\x03\xefinvalid start byte at position 2")  # 1007
    ]
    assert session.state is State.CLOSING
    assert session.receive(text(b"later still")) == []


def test_a_protocol_error_ends_the_connection(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    assert session.receive(text(b"good") + b"\x81\x81\0\0\0\0x" + text(b"late")) == [b"good"]
    assert session.fault == "incorrect masking"
    assert (session.state, session.close_code) == (State.CLOSING, None)
    assert unmask(session.outgoing()) == [(Opcode.CLOSE, b"\x03\xeaincorrect masking")]  # 1002
    session.receive_eof()
    assert (session.state, session.close_code, session.close_reason) == (State.CLOSED, 1006, "")


def test_a_message_that_is_too_large_is_not_waited_for(opened: Opened, unmask: Unmask) -> None:
    session = opened(max_size=1000)
    assert session.receive(text(b"x" * 1000)) == [b"x" * 1000]
    assert session.receive(text(b"x" * 1001)[:20]) == []
    assert session.fault == "frame with 1001 bytes exceeds limit of 1000 bytes"
    ((opcode, payload),) = unmask(session.outgoing())
    assert opcode is Opcode.CLOSE
    assert payload[:2] == b"\x03\xf1"  # 1009


def test_fragments_are_too_large_together(opened: Opened) -> None:
    session = opened(max_size=1000)
    session.receive(text(b"x" * 600, fin=False) + frame(Opcode.CONT, b"x" * 401))
    assert session.fault == "frame with 401 bytes after reading 600 bytes exceeds limit of 1000 bytes"


def test_the_servers_close_is_known_before_the_stream_ends(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    assert session.receive(text(b"last") + closing(4001, "enough") + text(b"late")) == [b"last"]
    assert (session.state, session.close_code, session.close_reason) == (State.CLOSING, 4001, "enough")
    assert unmask(session.outgoing()) == [(Opcode.CLOSE, b"\x0f\xa1enough")]
    assert session.fault is None
    session.receive_eof()
    session.receive_eof()
    assert (session.state, session.close_code, session.close_reason) == (State.CLOSED, 4001, "enough")
    assert session.receive(text(b"late")) == []


def test_a_close_without_a_code_is_1005(opened: Opened) -> None:
    session = opened()
    session.receive(frame(Opcode.CLOSE))
    assert (session.close_code, session.close_reason) == (1005, "")


def test_messages_arrive_until_the_server_answers_our_close(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    assert unmask(session.close(1001, "gone")) == [(Opcode.CLOSE, b"\x03\xe9gone")]
    assert session.state is State.CLOSING
    assert session.receive(text(b"on its way")) == [b"on its way"]
    assert session.receive(frame(Opcode.PING, b"?")) == []
    assert unmask(session.outgoing()) == [(Opcode.PONG, b"?")]
    assert session.receive(closing(1001) + text(b"late")) == []
    assert session.outgoing() == b""
    assert (session.state, session.close_code) == (State.CLOSING, 1001)


def test_we_may_close_inside_a_fragmented_message(opened: Opened) -> None:
    session = opened()
    session.receive(text(b"a", fin=False))
    session.close()
    assert session.receive(frame(Opcode.CONT, b"b") + text(b"c")) == [b"ab", b"c"]


@pytest.mark.parametrize("rest", [b"", b"\x81", text(b"cut")[:-1], text(b"part", fin=False)])
def test_a_stream_cut_anywhere_is_1006_and_no_fault(opened: Opened, rest: bytes) -> None:
    session = opened()
    assert session.receive(text(b"whole") + rest) == [b"whole"]
    session.receive_eof()
    assert (session.state, session.close_code, session.close_reason) == (State.CLOSED, 1006, "")
    assert session.fault is None


def test_what_a_broken_stream_ended_with_is_still_judged(opened: Opened) -> None:
    session = opened()
    session.receive(b"\x81\xfe\x00")  # a mask bit, then the middle of a length
    session.receive_eof()
    assert session.fault == "incorrect masking"


def test_the_end_of_a_frame_is_not_taken_for_a_frame(opened: Opened) -> None:
    session = opened()
    data = text("Á\x01a".encode())  # ends with 81 01 61
    assert session.receive(data[:-3]) == []
    assert session.receive(data[-3:]) == ["Á\x01a".encode()]


def test_exact_says_whether_the_last_message_ends_with_the_last_byte(opened: Opened) -> None:
    session = opened()
    one, two, ping = text(b"1"), text(b"2"), frame(Opcode.PING)
    steps = [
        (one, True),
        (one + two, True),
        (one + two[:1], False),
        (two[1:], True),
        (one + ping, False),
        (ping + one, True),
        (one + ping + two + ping[:1], False),
        (ping[1:] + one, True),
        (frame(Opcode.BINARY, b"b"), True),
        (one + text(b"f", fin=False), False),
        (frame(Opcode.CONT, b"g"), True),
        (one + closing(1000), False),
    ]
    for data, exact in steps:
        session.receive(data)
        assert session.exact is exact, data


def test_what_is_sent_is_masked_anew_each_time(opened: Opened, unmask: Unmask) -> None:
    session = opened()
    sent = [session.send_text(b"same"), session.send_text(b"same")]
    assert sent[0] != sent[1]
    assert unmask(b"".join(sent)) == [(Opcode.TEXT, b"same")] * 2
    assert unmask(session.send_ping(b"i") + session.send_pong(b"o")) == [
        (Opcode.PING, b"i"),
        (Opcode.PONG, b"o"),
    ]


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_text_may_be_masked_by_the_caller(opened: Opened, unmask: Unmask, size: int) -> None:
    session, payload, mask = opened(), b"x" * size, b"mask"
    sent = session.send_text(payload, mask)
    assert unmask(sent) == [(Opcode.TEXT, payload)]
    assert sent == session.send_text(payload, mask), "it is the caller's, and no other"
    assert mask in sent[:14]
    assert len(sent) == len(session.send_text(payload))


SENDERS: list[Callable[[ClientSession], bytes]] = [
    lambda session: session.send_text(b""),
    lambda session: session.send_text(b"", b"mask"),
    lambda session: session.send_ping(),
    lambda session: session.send_pong(),
    lambda session: session.close(),
]


@pytest.mark.parametrize("send", SENDERS)
def test_only_an_open_session_sends(opened: Opened, send: Callable[[ClientSession], bytes]) -> None:
    with pytest.raises(MisuseError, match="the session is connecting"):
        send(ClientSession("ws://example.test/"))
    session = opened()
    session.receive(closing(1000))
    with pytest.raises(MisuseError, match="the session is closing"):
        send(session)
    session.receive_eof()
    with pytest.raises(MisuseError, match="the session is closed"):
        send(session)


def test_misuse_changes_nothing(opened: Opened) -> None:
    session = opened()
    with pytest.raises(MisuseError, match="control frame too long"):
        session.send_ping(b"x" * 126)
    with pytest.raises(MisuseError, match="invalid status code"):
        session.close(1006)
    with pytest.raises(MisuseError, match="control frame too long"):
        session.close(1000, "x" * 124)
    assert session.state is State.OPEN
    assert session.receive(text(b"still here")) == [b"still here"]


def test_an_idle_session_is_small_also_after_a_ping(opened: Opened) -> None:
    def used() -> ClientSession:
        session = opened()
        session.receive(text(b"x" * 300)[:100])
        session.receive(text(b"x" * 300)[100:] + frame(Opcode.PING, b"?"))
        session.outgoing()
        return session

    used()  # what is made once for all is not counted
    tracemalloc.start()
    try:
        sessions = [used() for _ in range(200)]
        gc.collect()  # the server's side
        current, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert current / len(sessions) < 1024


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(frame(Opcode.PING), id="ping"),
        pytest.param(closing(1000), id="close"),
        pytest.param(text(b"a", fin=False), id="cut inside a fragmented message"),
    ],
)
def test_nothing_waits_for_the_garbage_collector(
    accept: Callable[[ClientSession], bytes], ending: bytes
) -> None:
    def living() -> int:
        return sum(type(thing) in {Protocol, ClientProtocol} for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = living()
        session = ClientSession("ws://example.test/")
        session.receive(accept(session) + ending)
        session.receive_eof()
        assert living() == before
    finally:
        gc.enable()


def test_no_token_and_no_payload_reaches_a_log(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        session = opened()
        session.receive(frame(Opcode.PING, b"?") + text(b"secret", fin=False))
        session.close()
        session.receive_eof()
    clients = [record for record in caplog.records if record.name != "websockets.server"]
    assert clients == []
