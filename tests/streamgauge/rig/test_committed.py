import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from streamgauge.report.model import Fault
from streamgauge.rig.committed import committed

SAID = b"""# TYPE streamgauge_server_fault_strikes_total counter
streamgauge_server_fault_strikes_total{fault="oracle"} 3.0
# TYPE streamgauge_server_fault_opportunities_total counter
streamgauge_server_fault_opportunities_total{fault="oracle"} 7.0
"""


@contextmanager
def saying(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/metrics"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"ws://127.0.0.1:{server.server_port}/ws"
        thread.join()


def test_strikes_and_chances_are_the_server_s_own_count() -> None:
    with saying(SAID) as target:
        faults = [*committed(target, ["oracle:0.5", "alg-none"])]
    assert faults == [Fault("oracle:0.5", 3, 7), Fault("alg-none", 0, 0)]


def test_who_says_nothing_is_not_said_to_have_done_nothing() -> None:
    assert [*committed("ws://127.0.0.1:9/ws", ["oracle"])] == [Fault("oracle", None)]
    with saying(b"<html>") as target:
        assert [*committed(target, ["oracle"])] == [Fault("oracle", None)]
