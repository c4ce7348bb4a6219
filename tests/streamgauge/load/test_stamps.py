import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamgauge.wire.clock import ClockOffset
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load import stamps
    from streamgauge.load.stamps import ANCILLARY_BYTES, KernelClock, clock_name, own_clock

SECOND = 1_000_000_000
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="SO_TIMESTAMPNS is Linux's")


@only_linux
def test_a_stamp_lies_between_send_and_read_on_our_own_clock() -> None:
    clock = KernelClock()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        clock.stamp(client)
        spans: list[tuple[int, int, int]] = []
        deadline = time.monotonic() + 10
        while len(spans) < 20 and time.monotonic() < deadline:  # stamping starts asynchronously
            sent = time.monotonic_ns()
            server.sendall(b"x")
            _, ancillary, _, _ = client.recvmsg(1, ANCILLARY_BYTES)
            read = time.monotonic_ns()
            if arrived := clock.arrival_ns(ancillary, read):
                spans.append((sent, arrived, read))
    bound = clock._offset.bound_ns
    clock.close()
    assert len(spans) == 20
    assert all(sent - bound <= arrived <= read + bound for sent, arrived, read in spans)
    assert bound < 100_000


def test_without_a_stamp_there_is_no_arrival() -> None:
    clock = KernelClock()
    assert clock.arrival_ns([], time.monotonic_ns()) == 0
    clock.close()


def test_a_clock_that_is_set_is_counted_and_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = KernelClock()
    now = time.monotonic_ns()
    for ahead, steps in [(0, 0), (0, 0), (3_600, 1), (3_600, 1), (0, 2)]:
        offset = ClockOffset(clock_offset() + ahead * SECOND, 50_000)
        monkeypatch.setattr(clock, "_read", lambda offset=offset: offset)
        now += 2 * SECOND
        clock.arrival_ns([], now)
        assert (clock.steps, clock._offset) == (steps, offset)
    clock.close()


def test_the_offset_is_kept_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = KernelClock()
    monkeypatch.setattr(clock, "_read", lambda: pytest.fail("it was read again"))
    clock.arrival_ns([], time.monotonic_ns() + SECOND // 2)
    clock.close()


def test_elsewhere_than_on_linux_no_socket_is_asked_for_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(stamps, "SO_TIMESTAMPNS", -1)  # would be refused
    clock = KernelClock()
    assert not clock.available
    clock.close()


@only_linux
def test_the_boot_names_the_clock() -> None:
    assert own_clock() == Path("/proc/sys/kernel/random/boot_id").read_text().strip() != ""


def test_a_clock_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert own_clock() == ""


def clock_offset() -> int:
    return time.time_ns() - time.monotonic_ns()


@pytest.mark.parametrize(
    ("seconds", "nanoseconds", "name"),
    [(0, 0, "b1"), (86400, 0, "b1+86400.000000000"), (-3, 7, "b1-3.000000007")],
)
def test_a_time_namespace_makes_another_clock(seconds: int, nanoseconds: int, name: str) -> None:
    offsets = f"monotonic {seconds:10} {nanoseconds:9}\nboottime           5         0\n"
    assert clock_name("b1", offsets) == name
