"""Where a WebSocket address leads: ws://HOST:PORT/PATH, or wss:// over TLS (RFC 6455 section 3)."""

from urllib.parse import urlsplit

from msgspec import Struct


class Address(Struct, frozen=True):
    """A host to connect to, its port, and whether TLS is spoken there."""

    host: str
    port: int
    secure: bool


def address_of(target: str) -> Address:
    """Where `target` leads; ValueError where its port is none."""
    url = urlsplit(target)
    secure = url.scheme == "wss"
    return Address(url.hostname or "", url.port or (443 if secure else 80), secure)
