"""What protocols of JSON messages share: why a message could not be decoded, told without quoting it."""

import re
from typing import Final

import msgspec
from msgspec import Struct

from streamgauge.core.event import Event, Kind
from streamgauge.protocol.dialect import Unreadable

UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _AnyType(Struct, gc=False):
    """Of a message that could not be decoded: what it says it is."""

    type: str


_decode_type: Final = msgspec.json.Decoder(_AnyType).decode


def unknown(message: bytes, error: Exception, known: frozenset[str]) -> Event:
    """A type that is not `known` is to be ignored; anything else is unreadable."""
    try:
        kind = _decode_type(message).type
    except UNDECODABLE:
        raise Unreadable("not a JSON object with a type") from error
    if kind not in known:
        return Event(Kind.OTHER)
    raise Unreadable(f"{kind}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What msgspec says, without the value that it quotes: a payload's text must reach no report."""
    if isinstance(error, UnicodeDecodeError):
        return "invalid UTF-8"
    text = str(error)
    quote = re.search("['\"]", text)
    if quote is None:
        return text
    _, at, path = text.rpartition(" - at `")
    return text[: quote.start()].rstrip() + (at and at + path)
