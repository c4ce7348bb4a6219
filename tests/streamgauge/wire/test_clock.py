import socket
import struct
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.wire.clock import (
    SO_TIMESTAMPNS,
    SOL_SOCKET,
    ClockOffset,
    bracket,
    narrowest,
    receive_stamp,
    step_ns,
)

NS = st.integers(-(2**62), 2**62)
SHORT_NS = st.integers(0, 10**9)


def test_a_bracket_puts_the_other_clock_in_its_middle() -> None:
    offset = bracket(100, 1_000_150, 200)
    assert offset == ClockOffset(offset_ns=1_000_000, bound_ns=50)
    assert offset.to_own(1_000_150) == 150


def test_a_bracket_of_one_instant_is_exact() -> None:
    assert bracket(7, 5, 7) == ClockOffset(offset_ns=-2, bound_ns=0)


def test_a_bracket_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        bracket(2, 0, 1)


@settings(deadline=None, max_examples=200)
@given(before=NS, ahead=NS, outward=SHORT_NS, homeward=SHORT_NS)
def test_the_bound_holds_whatever_the_two_ways_took(
    before: int, ahead: int, outward: int, homeward: int
) -> None:
    offset = bracket(before, before + outward + ahead, before + outward + homeward)
    assert abs(offset.offset_ns - ahead) <= offset.bound_ns
    assert offset.bound_ns <= (outward + homeward + 1) // 2


def test_the_least_delayed_exchange_wins_however_many_others_there_are() -> None:
    queued = [bracket(0, 5_900, 1_000)] * 3
    quick = bracket(10_000, 15_010, 10_020)
    assert narrowest([*queued, quick, *queued]) == ClockOffset(offset_ns=5_000, bound_ns=10)


def test_of_equally_narrow_offsets_the_first_is_chosen() -> None:
    assert narrowest([ClockOffset(1, 5), ClockOffset(2, 5)]) == ClockOffset(1, 5)


def test_no_exchange_gives_no_offset() -> None:
    with pytest.raises(ValueError, match="empty"):
        narrowest([])


@pytest.mark.parametrize(
    ("earlier", "later", "step"),
    [
        (ClockOffset(1_000, 10), ClockOffset(1_000, 10), 0),
        (ClockOffset(1_000, 10), ClockOffset(1_030, 20), 0),
        (ClockOffset(1_000, 10), ClockOffset(1_031, 20), 31),
        (ClockOffset(1_000, 10), ClockOffset(970, 20), 0),
        (ClockOffset(1_000, 10), ClockOffset(969, 20), -31),
        (ClockOffset(0, 0), ClockOffset(3_600_000_000_000, 150), 3_600_000_000_000),
    ],
)
def test_a_step_is_a_change_that_the_bounds_do_not_explain(
    earlier: ClockOffset, later: ClockOffset, step: int
) -> None:
    assert step_ns(earlier, later) == step


def test_the_receive_stamp_is_a_timespec_among_other_messages() -> None:
    stamp = struct.pack("=qq", 1_800_000_000, 123_456_789)
    rights = (SOL_SOCKET, 1, b"\0" * 4)
    assert receive_stamp([rights, (SOL_SOCKET, SO_TIMESTAMPNS, stamp)]) == 1_800_000_000_123_456_789


@pytest.mark.parametrize(
    "ancillary",
    [
        pytest.param([], id="stamping not yet switched on"),
        pytest.param([(SOL_SOCKET, 29, bytes(16))], id="SO_TIMESTAMP, in microseconds"),
        pytest.param([(6, SO_TIMESTAMPNS, bytes(16))], id="another level"),
        pytest.param([(SOL_SOCKET, SO_TIMESTAMPNS, bytes(8))], id="cut short"),
    ],
)
def test_a_missing_stamp_is_none(ancillary: list[tuple[int, int, bytes]]) -> None:
    assert receive_stamp(ancillary) is None


@pytest.mark.skipif(sys.platform != "linux", reason="SO_TIMESTAMPNS is Linux's")
def test_the_kernels_stamp_falls_between_send_and_receive_of_our_own_clock() -> None:
    offset = narrowest(bracket(time.monotonic_ns(), time.time_ns(), time.monotonic_ns()) for _ in range(100))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        client.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        stamp = None
        deadline = time.monotonic() + 10
        while stamp is None and time.monotonic() < deadline:  # stamping starts asynchronously
            sent = time.monotonic_ns()
            server.sendall(b"x")
            _, ancillary, _, _ = client.recvmsg(1, 64)
            received = time.monotonic_ns()
            stamp = receive_stamp(ancillary)
    assert stamp is not None
    assert sent - offset.bound_ns <= offset.to_own(stamp) <= received + offset.bound_ns
