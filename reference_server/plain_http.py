"""Plain HTTP beside the WebSocket: health and metrics."""

from http import HTTPStatus

import msgspec
from msgspec import Struct
from websockets.datastructures import Headers
from websockets.http11 import Response


class Health(Struct, frozen=True):
    """What /healthz says."""

    status: str
    server_id: str
    connections: int
    sessions: int
    runs: int


def health(state: Health) -> Response:
    """200 while the server takes connections, 503 while it drains."""
    status = HTTPStatus.OK if state.status == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return _response(status, "application/json", msgspec.json.encode(state))


def metrics(exposition: bytes) -> Response:
    return _response(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", exposition)


def text(status: HTTPStatus, body: str) -> Response:
    return _response(status, "text/plain; charset=utf-8", f"{body}\n".encode())


def _response(status: HTTPStatus, content_type: str, body: bytes) -> Response:
    headers = Headers(
        [("Connection", "close"), ("Content-Length", str(len(body))), ("Content-Type", content_type)]
    )
    return Response(status.value, status.phrase, headers, body)
