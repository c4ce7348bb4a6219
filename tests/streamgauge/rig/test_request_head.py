import base64

import pytest

from streamgauge.protocol.login import Login, headers, mint_token, subprotocols
from streamgauge.rig.request_head import owner_of, rewritten

HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
    b"X-Host: kept\r\n\r\nearly bytes\r\nHost: of the body"
)


def test_the_head_goes_to_the_targets_own_name() -> None:
    assert rewritten(HEAD, "[::1]:80", plain=False) == HEAD.replace(b"127.0.0.1:1", b"[::1]:80")


def test_who_must_read_messages_offers_no_compression() -> None:
    assert b"Extensions" not in rewritten(HEAD, "h:1", plain=True)
    assert b"Extensions" in rewritten(HEAD, "h:1", plain=False)


@pytest.mark.parametrize("kind", ["bearer", "subprotocol"])
def test_the_owner_is_whom_the_token_names(kind: str) -> None:
    login = Login(kind=kind)  # type: ignore[arg-type] # one of its kinds
    token = mint_token("ann", "a-secret", 2e9, login)
    said = dict(headers(login, token))
    if offered := subprotocols(login, token):
        said["Sec-WebSocket-Protocol"] = ", ".join(offered)
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    assert owner_of(f"GET / HTTP/1.1\r\n{lines}\r\n".encode()) == "ann"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Authorization: Bearer none-of-ours\r\n",
        "Sec-WebSocket-Protocol: jwt-auth, jwt.x\r\n",
        f"Sec-WebSocket-Protocol: jwt.{base64.urlsafe_b64encode(b'no token').decode()}\r\n",
    ],
)
def test_without_a_token_nobody_can_tell(line: str) -> None:
    assert owner_of(f"GET / HTTP/1.1\r\n{line}\r\n".encode()) == ""
