import errno
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.dialer import Dialer, why_not
    from streamgauge.plan import Plan


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def target(listener: socket.socket) -> str:
    return f"ws://127.0.0.1:{listener.getsockname()[1]}/ws"


def come_from(listener: socket.socket, plan: "Plan", count: int = 6) -> list[str]:
    """The addresses that so many sockets of that plan come from."""
    dialer = Dialer(plan)
    found = []
    for number in range(count):
        with dialer.dial(number).socket as sock:
            client, (address, port) = listener.accept()
            client.close()
            assert (address, port) == sock.getsockname()
            found.append(address)
    return found


def test_one_address_is_enough_for_a_few(listener: socket.socket) -> None:
    assert come_from(listener, Plan(target=target(listener))) == ["127.0.0.1"] * 6


def test_so_many_sockets_to_this_machine_come_from_several_addresses_in_turn(
    listener: socket.socket,
) -> None:
    assert come_from(listener, Plan(target=target(listener), users=50_000, spawn_rate=50_000)) == [
        *("127.0.0.2", "127.0.0.3", "127.0.0.4") * 2
    ]


def test_a_plan_names_its_addresses(listener: socket.socket) -> None:
    plan = Plan(target=target(listener), sources=("127.0.0.9", "127.1.2.3"))
    assert come_from(listener, plan, 4) == ["127.0.0.9", "127.1.2.3"] * 2


def test_of_several_machines_addresses_each_takes_its_own(listener: socket.socket) -> None:
    plan = Plan(target=target(listener), sources=("192.0.2.7", "127.0.0.9"))
    assert come_from(listener, plan, 2) == ["127.0.0.9"] * 2


def test_an_address_of_another_kind_reaches_nobody(listener: socket.socket) -> None:
    dialer = Dialer(Plan(target=target(listener), sources=("::1",)))
    with pytest.raises(OSError, match=r"sources: none can reach 127\.0\.0\.1; name one of its kind"):
        dialer.dial(1)


def test_the_port_is_chosen_when_the_socket_connects(listener: socket.socket) -> None:
    """So that it is taken from the sockets to this target alone: IP_BIND_ADDRESS_NO_PORT."""
    dialer = Dialer(Plan(target=target(listener), sources=("127.0.0.9",)))
    with dialer.dial(1).socket as sock:
        assert sock.getsockopt(socket.IPPROTO_IP, 24) == 1


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        dialer = Dialer(Plan(target=f"ws://127.0.0.1:{sock.getsockname()[1]}/"))
        with pytest.raises(ConnectionRefusedError, match="Connection refused"):
            dialer.dial(1)


def test_where_no_port_is_left_it_says_what_to_do() -> None:
    for source, whence in (("127.0.0.2", "from 127.0.0.2"), ("", "from one local address")):
        said = why_not(errno.EADDRNOTAVAIL, source)
        assert whence in said
        assert "net.ipv4.ip_local_port_range" in said
        assert "sources in the plan" in said
    assert why_not(errno.ECONNREFUSED, "127.0.0.2") == "Connection refused"
