"""From a `start_agent` command to what the agent is asked, or to why it is refused."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw

from reference_server.command import Options, Refused, StartAgent
from reference_server.context import AgentRequest, Emission
from reference_server.redact import redact
from reference_server.script import BadScript, Step, read_script
from reference_server.settings import Settings

_context_decoder = msgspec.json.Decoder(dict[str, Any])
_emission_decoder = msgspec.json.Decoder(Emission)
_seed_decoder = msgspec.json.Decoder(int)


def read_request(command: StartAgent, settings: Settings) -> AgentRequest:
    """Judge and decode everything about a request before anything happens. Raises `Refused`."""
    try:
        controls = _controls(command.options, settings)
        shown = _shown(command.context)
    except Refused as refused:
        raise Refused(refused.code, refused.message, command.request_id) from None
    emission, script, seed = controls
    request = AgentRequest(
        agent_name=command.agent_name,
        text=command.user_request,
        echo=command.context.copy(),  # a view would keep the whole message alive as long as the run
        shown=shown,
        shown_text=msgspec.json.encode(shown).decode(),
        emission=emission,
        script=script,
        seed=seed,
    )
    size = encoded_size(request.about("")) + len(bytes(command.context))
    if size > settings.max_request_bytes:
        raise Refused(
            "too_large",
            f"user_request and context make {size} bytes in each event, at most {settings.max_request_bytes}",
            command.request_id,
        )
    return request


def encoded_size(text: str) -> int:
    """Bytes of a text in JSON: escapes make it up to six times as long."""
    return len(msgspec.json.encode(text))


def _controls(options: Options, settings: Settings) -> tuple[Emission, tuple[Step, ...] | None, int | None]:
    given = [name for name in ("emission", "script", "seed") if getattr(options, name) is not UNSET]
    if given and not settings.measure:
        raise Refused("not_allowed", f"options.{given[0]} needs a server that was started with --measure")
    emission: Emission = _option(_emission_decoder, "emission", options.emission, "on")
    seed: int | None = _option(_seed_decoder, "seed", options.seed, None)
    try:
        script = None if options.script is UNSET else read_script(options.script, settings.max_text_bytes)
    except BadScript as error:
        raise Refused("bad_script", str(error)) from None
    return emission, script, seed


def _option(
    decoder: "msgspec.json.Decoder[Any]", name: str, raw: Raw | msgspec.UnsetType, default: Any
) -> Any:
    if raw is UNSET:
        return default
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise Refused("bad_message", f"options.{name}: {error}") from None


def _shown(context: Raw) -> dict[str, Any]:
    try:
        shown, _ = redact(_context_decoder.decode(context))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Refused("bad_message", f"context: {error}") from None
    return shown
