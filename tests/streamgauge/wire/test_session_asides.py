"""What a session hands out of bytes that are no message: of control frames, and of what it refuses."""

from collections.abc import Callable

import pytest
from websockets.frames import Close, Frame, Opcode

from streamgauge.core.canary import SIZE
from streamgauge.wire import Aside, ClientSession, State
from streamgauge.wire.message import Where

Opened = Callable[..., ClientSession]


def frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=False)


def text(payload: bytes, *, fin: bool = True) -> bytes:
    return frame(Opcode.TEXT, payload, fin=fin)


def closing(code: int, reason: str = "") -> bytes:
    return frame(Opcode.CLOSE, Close(code, reason).serialize())


LONG = b"c" * SIZE


@pytest.mark.parametrize(("opcode", "where"), [(Opcode.PING, "ping"), (Opcode.PONG, "pong")])
def test_a_control_frame_is_heard_where_a_canary_could_be_in_it(
    opened: Opened, opcode: Opcode, where: Where
) -> None:
    data = text(b"a") + frame(opcode, LONG[1:]) + frame(opcode, LONG) + text(b"b")
    session = opened()
    assert session.receive(data) == [b"a", Aside(where, LONG), b"b"]
    assert (session.fault, session.state, session.exact) == (None, State.OPEN, True)


def test_a_control_frame_within_a_message_is_heard_before_it(opened: Opened) -> None:
    data = text(b"a", fin=False) + frame(Opcode.PING, LONG) + frame(Opcode.CONT, b"b")
    assert opened().receive(data) == [Aside("ping", LONG), b"ab"]


def test_the_reason_of_a_close_is_heard_with_its_code(opened: Opened) -> None:
    session = opened()
    assert session.receive(closing(1001, LONG.decode()) + text(b"late")) == [
        Aside("close", b"\x03\xe9" + LONG)
    ]
    assert session.fault is None
    assert opened().receive(closing(1001, "going away")) == []


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(frame(Opcode.CLOSE, b"\x03\xe8\xff" + LONG), id="close that is not UTF-8"),
        pytest.param(frame(Opcode.CLOSE, b"\x03\xed" + LONG), id="close with a code nobody may send"),
        pytest.param(b"\x09" + frame(Opcode.PING, LONG)[1:], id="fragmented ping"),
        pytest.param(b"\xc1" + text(LONG)[1:], id="reserved bit"),
        pytest.param(frame(Opcode.CONT, LONG), id="continuation of nothing"),
    ],
)
def test_a_frame_that_is_refused_is_heard_as_it_came(opened: Opened, refused: bytes) -> None:
    session = opened()
    assert session.receive(text(b"a") + refused + text(b"late")) == [b"a", Aside("refused frame", refused)]
    assert session.fault is not None


def test_so_is_the_message_that_it_leaves_unfinished(opened: Opened) -> None:
    pieces = text(LONG[:9], fin=False) + frame(Opcode.CONT, LONG[9:], fin=False)
    assert opened().receive(pieces + text(LONG)) == [
        Aside("unfinished message", LONG),
        Aside("refused frame", text(LONG)),
    ]


def test_of_a_message_that_is_too_large_nothing_is_kept_but_its_first_pieces(opened: Opened) -> None:
    assert opened(max_size=1000).receive(text(b"c" * 1001)) == []
    together = text(b"c" * 600, fin=False) + frame(Opcode.CONT, b"c" * 401)
    assert opened(max_size=1000).receive(together) == [
        Aside("unfinished message", b"c" * 600),
        *[Aside("refused frame", frame(Opcode.CONT, b"c" * 401))],
    ]
