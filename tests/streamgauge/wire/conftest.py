"""websockets as the server of a session, without a socket."""

from collections.abc import Callable

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from streamgauge.wire import ClientSession

Accept = Callable[[ClientSession], bytes]
Unmask = Callable[[bytes], list[tuple[Opcode, bytes]]]


@pytest.fixture(scope="session")
def accept() -> Accept:
    """The bytes with which a server accepts the session's request."""

    def answer(session: ClientSession) -> bytes:
        server = ServerProtocol()
        server.receive_data(session.open())
        (request,) = server.events_received()
        assert isinstance(request, Request)
        server.send_response(server.accept(request))
        return b"".join(server.data_to_send())

    return answer


@pytest.fixture(scope="session")
def opened(accept: Accept) -> Callable[..., ClientSession]:
    """A session after its handshake."""

    def session(max_size: int = 2**20) -> ClientSession:
        session = ClientSession("ws://example.test/", max_size=max_size)
        assert session.receive(accept(session)) == []
        return session

    return session


@pytest.fixture(scope="session")
def unmask() -> Unmask:
    """What a client's bytes say, whatever their random masks."""

    def frames(sent: bytes) -> list[tuple[Opcode, bytes]]:
        reader = StreamReader()
        reader.feed_data(sent)
        found = []
        while reader.buffer:
            parser = Frame.parse(reader.read_exact, mask=True)
            with pytest.raises(StopIteration) as end:
                next(parser)
            frame = end.value.value
            found.append((frame.opcode, bytes(frame.data)))
        return found

    return frames
