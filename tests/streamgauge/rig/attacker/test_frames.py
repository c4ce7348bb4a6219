import pytest
from websockets.frames import Close, Frame, Opcode

from streamgauge.rig.attacker.frames import close_code

CLOSE = Frame(Opcode.CLOSE, Close(1009, "too big").serialize()).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536])
def test_a_close_is_found_behind_messages_of_any_size(size: int) -> None:
    before = Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)
    assert close_code(before + CLOSE) == 1009


def test_without_a_close_there_is_no_code() -> None:
    assert close_code(b"") == 0
    assert close_code(Frame(Opcode.TEXT, b"\x88\x02").serialize(mask=False)) == 0
    assert close_code(Frame(Opcode.CLOSE, b"").serialize(mask=False)) == 0


def test_what_was_cut_off_is_no_close() -> None:
    assert close_code(CLOSE[:1]) == 0
