"""The head of a client's request, as a proxy hands it on: for the target's own name, and readable."""

import base64
import binascii
import re
from typing import Final

import jwt

END: Final = b"\r\n\r\n"
MOST: Final = 65_536
_OFFERS: Final = b"sec-websocket-extensions:"
_HOST: Final = b"host:"
_BEARER: Final = re.compile(rb"^authorization: *bearer +(\S+)", re.IGNORECASE | re.MULTILINE)
_SUBPROTOCOL: Final = re.compile(rb"^sec-websocket-protocol:.*\bjwt\.([\w-]+)", re.IGNORECASE | re.MULTILINE)


def rewritten(head: bytes, host: str, *, plain: bool) -> bytes:
    """The head with the target's `host` in it; `plain` offers no extension, as compression would be.

    Lines are kept as they are but for those two, and so is what follows the head.
    """
    head, end, rest = head.partition(END)
    first, *lines = head.split(b"\r\n")
    kept = [
        b"Host: " + host.encode() if line.lower().startswith(_HOST) else line
        for line in lines
        if not (plain and line.lower().startswith(_OFFERS))
    ]
    return b"\r\n".join([first, *kept]) + end + rest


def owner_of(head: bytes) -> str:
    """The user that a token in the head names (its `sub`, not verified); "" where nobody can tell."""
    token = b""
    if found := _BEARER.search(head):
        token = found[1]
    elif found := _SUBPROTOCOL.search(head):
        try:
            token = base64.urlsafe_b64decode(found[1] + b"=" * (-len(found[1]) % 4))
        except binascii.Error:
            return ""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("sub", ""))
