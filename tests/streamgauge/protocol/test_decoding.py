from collections.abc import Callable

import msgspec
import pytest

from streamgauge.core.event import Event, Kind
from streamgauge.protocol.decoding import UNDECODABLE, unknown
from streamgauge.protocol.dialect import Unreadable

KNOWN = frozenset({"greeting"})


class Greeting(msgspec.Struct, tag="greeting"):
    mood: str
    times: int = 0


def error_of(message: bytes) -> Exception:
    try:
        msgspec.json.decode(message, type=Greeting)
    except UNDECODABLE as error:
        return error
    raise AssertionError("it could be decoded")


def why(message: bytes) -> str:
    with pytest.raises(Unreadable) as unreadable:
        unknown(message, error_of(message), KNOWN)
    return str(unreadable.value)


def test_a_type_that_is_not_known_is_ignored() -> None:
    message = b'{"type": "farewell"}'
    assert unknown(message, error_of(message), KNOWN) == Event(Kind.OTHER)


@pytest.mark.parametrize("message", [b"", b"[1]", b'{"times": "secret"}', b'{"type": 5}', b'"\xff"'])
def test_what_has_no_type_is_no_message(message: bytes) -> None:
    assert why(message) == "not a JSON object with a type"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b'{"type": "greeting"}', "greeting: Object missing required field `mood`"),
        (b'{"type": "greeting", "mood": 5}', "greeting: Expected `str`, got `int` - at `$.mood`"),
    ],
)
def test_a_known_type_says_what_is_wrong_with_it(message: bytes, reason: str) -> None:
    assert why(message) == reason


@pytest.mark.parametrize(
    "error",
    [
        lambda: msgspec.ValidationError("Invalid enum value 'secret' - at `$.mood`"),
        lambda: msgspec.ValidationError('Invalid value "secret" - at `$.mood`'),
    ],
)
def test_a_value_is_never_quoted(error: Callable[[], Exception]) -> None:
    with pytest.raises(Unreadable) as unreadable:
        unknown(b'{"type": "greeting"}', error(), KNOWN)
    assert "secret" not in str(unreadable.value)
    assert str(unreadable.value).endswith(" - at `$.mood`")


def test_invalid_utf_8_is_called_that() -> None:
    with pytest.raises(Unreadable, match="greeting: invalid UTF-8"):
        unknown(b'{"type": "greeting"}', UnicodeDecodeError("utf-8", b"secret", 0, 1, "why"), KNOWN)
