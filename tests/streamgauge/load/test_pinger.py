from typing import TYPE_CHECKING

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from gevent import sleep

    from streamgauge.load.pinger import Pinger


class Socket:
    """A connection that counts its pings, and closes after so many."""

    def __init__(self, closes_after: int = 1_000, *, broken: bool = False) -> None:
        self.pings = 0
        self.broken = broken
        self._closes_after = closes_after

    @property
    def open(self) -> bool:
        return self.pings < self._closes_after

    def ping(self) -> None:
        if self.broken:
            raise ValueError("broken")
        self.pings += 1


def pinged(*sockets: Socket, until: Socket) -> list[str]:
    """Have them pinged until one has been five times; what went wrong."""
    troubles: list[str] = []
    pinger = Pinger(troubles.append)
    for socket in sockets:
        pinger.add(socket)
    while until.pings < 5 and not troubles:
        sleep(0.01)
    pinger.stop()
    return troubles


def test_all_connections_take_their_turns() -> None:
    one, two = Socket(), Socket()
    assert pinged(one, two, until=two) == []
    assert one.pings in {5, 6}


def test_a_connection_that_is_closed_is_left() -> None:
    gone, here = Socket(closes_after=2), Socket()
    assert pinged(gone, here, until=here) == []
    assert gone.pings == 2


def test_nobody_is_pinged_after_the_end() -> None:
    socket = Socket()
    pinged(socket, until=socket)
    sleep(0.15)
    assert socket.pings == 5


def test_what_goes_wrong_is_said() -> None:
    socket = Socket(broken=True)
    assert pinged(socket, until=socket) == ["ValueError between pings: broken"]
