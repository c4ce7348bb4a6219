"""A server that is probed once."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.probed import Behaviour, Serve


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that treats its one client so; its address."""
    threads: list[threading.Thread] = []
    broken: list[BaseException] = []

    def serve(behaviour: Behaviour) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def run() -> None:
            try:
                with closing(listener):
                    client, _ = listener.accept()
                with client:
                    behaviour(client)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must know
                broken.append(error)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"ws://127.0.0.1:{port}/ws"

    yield serve
    for thread in threads:
        thread.join(10)
    assert not broken
