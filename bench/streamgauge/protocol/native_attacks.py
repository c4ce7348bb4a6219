"""What an attacker says that no user would: more of the native protocol, and requests that are spoiled."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

_encode: Final = msgspec.json.Encoder().encode
_HOLE: Final = "a hole to be filled"
_FAILED: Final = "resume_failed"


class Offer(Struct, frozen=True):
    """A session, and whether the server says that it can be resumed."""

    id: str = ""
    resume: bool = False


class Greeting(Struct, frozen=True):
    """What of a greeting an attacker makes use of; 0 and "" where the server does not say."""

    max_message_bytes: Annotated[int, Meta(ge=0)] = 0
    session: Offer = Offer()


class _Message(Struct, frozen=True):
    type: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"{}")


def read_greeting(message: bytes) -> Greeting:
    """What a first message says of itself; nothing where it is no greeting."""
    try:
        return msgspec.json.decode(msgspec.json.decode(message, type=_Message).payload, type=Greeting)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Greeting()


def subscribe(thread: str) -> bytes:
    """Follow a thread from this connection too."""
    return _encode({"type": "subscribe", "payload": {"thread_id": thread}})


def resume(session: str) -> bytes:
    """Take up a session from its beginning."""
    return _encode({"type": "resume", "payload": {"session_id": session, "offset": 0}})


def is_resume_failed(message: bytes) -> bool:
    """Whether it is the answer to what cannot be resumed."""
    try:
        return msgspec.json.decode(message, type=_Message).type == _FAILED
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def claiming(request: bytes, user: str) -> bytes:
    """The same request, that says whose it is: at its top, and in its payload where it has one."""
    said: dict[str, Any] = msgspec.json.decode(request)
    said["user_id"] = user
    if isinstance(inner := said.get("payload"), dict):
        inner["user_id"] = user
    return _encode(said)


def with_hole(context: dict[str, str]) -> dict[str, str]:
    """A request's context with a place for what JSON libraries do not write."""
    return {**context, "more": _HOLE}


def filled(request: bytes, what: bytes) -> bytes:
    """The request with that in the place."""
    return request.replace(b'"' + _HOLE.encode() + b'"', what)


def nested(request: bytes, most: int) -> bytes:
    """The request with arrays in arrays, as many as `most` bytes hold."""
    depth = (most - len(request)) // 2
    return filled(request, b"[" * depth + b"]" * depth)
