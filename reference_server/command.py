"""What a client may say, and how its text becomes a command."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Id = Annotated[str, Meta(min_length=1, max_length=256)]


class Options(Struct, frozen=True):
    """Measuring controls, undecoded: whether they are allowed is asked before what they mean."""

    emission: Raw | UnsetType = UNSET
    script: Raw | UnsetType = UNSET
    seed: Raw | UnsetType = UNSET


class StartAgent(Struct, frozen=True, kw_only=True):
    user_request: str
    request_id: Id
    agent_name: Id = "scripted"
    thread_id: Id | None = None
    context: Raw = Raw(b"{}")
    options: Options = Options()


class UserMessage(Struct, frozen=True):
    run_id: str
    text: str


class CancelRun(Struct, frozen=True):
    run_id: str


class Subscribe(Struct, frozen=True):
    thread_id: str


class Resume(Struct, frozen=True):
    session_id: str
    offset: int


class Ping(Struct, frozen=True):
    client_ns: int


Command = StartAgent | UserMessage | CancelRun | Subscribe | Resume | Ping

COMMAND_TYPES: dict[str, type[Command]] = {
    "start_agent": StartAgent,
    "user_message": UserMessage,
    "cancel_run": CancelRun,
    "subscribe": Subscribe,
    "resume": Resume,
    "ping": Ping,
}


class NotJson(ValueError):
    """The text is no JSON: the connection cannot go on."""


class Refused(Exception):
    """The command cannot be done; the client is told `code` and `message`, and nothing else happens."""

    def __init__(self, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.request_id = request_id


class _Envelope(Struct, frozen=True):
    type: str
    payload: Raw


class _AnyRequest(Struct, frozen=True):
    request_id: str | None = None


_envelope = msgspec.json.Decoder(_Envelope)
_any_request = msgspec.json.Decoder(_AnyRequest)
_decoders: dict[str, msgspec.json.Decoder[Command]] = {
    name: msgspec.json.Decoder(kind) for name, kind in COMMAND_TYPES.items()
}


def read_command(text: str) -> Command:
    """Decode one client message.

    Raises `NotJson` where the text is no JSON, and `Refused` where it is no command.
    """
    envelope = _decode(_envelope, text)
    decoder = _decoders.get(envelope.type)
    if decoder is None:
        known = ", ".join(COMMAND_TYPES)
        raise Refused("unknown_type", f"type {envelope.type[:64]!r} is not known; known are {known}")
    try:
        command: Command = _decode(decoder, envelope.payload)
    except Refused as refused:
        request_id = request_id_of(envelope.payload)
        raise Refused(refused.code, f"{envelope.type}: {refused.message}", request_id) from None
    return command


def request_id_of(payload: Raw) -> str | None:
    """Find the request that a faulty command meant, so that its error can name it."""
    try:
        return _any_request.decode(payload).request_id
    except msgspec.DecodeError:
        return None


def _decode(decoder: "msgspec.json.Decoder[Any]", text: str | Raw) -> Any:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise Refused("bad_message", str(error)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotJson(str(error)) from None
