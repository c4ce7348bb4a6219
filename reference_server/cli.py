"""The command line: flags become settings, settings a running server."""

import asyncio
import gc
import os
import secrets
import signal
import sys
import time
import warnings
from typing import Annotated, NoReturn

import msgspec
import structlog
import typer
import uvloop
from jwt import InsecureKeyLengthWarning

from reference_server.auth import issue
from reference_server.log import LogFormat, LogLevel, configure
from reference_server.server import CannotListenError, ReferenceServer
from reference_server.settings import Settings

log = structlog.get_logger(part="cli")

USAGE_ERROR = 2
HINT_HOURS = 12
GOOD_SECRET_BYTES = 32
# Every connection is many objects that stay: at Python's default of 700, a third of the time in which
# thousands connect went into looking for cycles among them.
YOUNG_OBJECTS = 50_000
GENERATED = "generated"

EXAMPLE = """Serve scripted AI agents over WebSockets (ws://HOST:PORT/ws, or wss:// with --tls-cert).

Example: streamgauge serve --port 0 --measure --secret "$(openssl rand -hex 32)"

The first line on standard output is JSON and says where the server listens. Health is at /healthz, Prometheus
metrics are at /metrics. SIGTERM and SIGINT drain: runs under way finish first; a second signal ends at once.
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
_DEFAULT = Settings(secret="-")  # noqa: S106 - only the other fields are read


class Listening(msgspec.Struct, frozen=True):
    """The first line on standard output."""

    listening: str
    port: int
    pid: int
    secret_source: str


@app.command(help=EXAMPLE)
def serve(  # noqa: PLR0913 - one argument a flag
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _DEFAULT.host,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = _DEFAULT.port,
    tls_cert: Annotated[
        str, typer.Option(help="Certificate chain (PEM): serve over TLS, at wss://.", show_default=False)
    ] = _DEFAULT.tls_cert,
    tls_key: Annotated[
        str, typer.Option(help="Its private key (PEM).", show_default=False)
    ] = _DEFAULT.tls_key,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="STREAMGAUGE_SECRET",
            show_default=False,
            help="Key of the tokens (HS256); made where none is given.",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Allowed Origin (repeatable); none given: all.", show_default=False),
    ] = None,
    heartbeat: Annotated[float, typer.Option(help="Seconds between heartbeats.")] = _DEFAULT.heartbeat_s,
    window: Annotated[
        float, typer.Option(min=0, help="Seconds a session and its runs outlive their connection.")
    ] = _DEFAULT.window_s,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds for runs to finish at the end.")
    ] = _DEFAULT.drain_s,
    run_timeout: Annotated[float, typer.Option(help="Seconds a run may take.")] = _DEFAULT.run_timeout_s,
    tool_timeout: Annotated[float, typer.Option(help="Seconds a tool may take.")] = _DEFAULT.tool_timeout_s,
    open_timeout: Annotated[
        float, typer.Option(help="Seconds a handshake may take.")
    ] = _DEFAULT.open_timeout_s,
    max_message_bytes: Annotated[
        int, typer.Option(min=1_024, help="Largest message taken, and made.")
    ] = _DEFAULT.max_message_bytes,
    outbox_messages: Annotated[
        int, typer.Option(min=1, help="Messages that may wait for one reader.")
    ] = _DEFAULT.outbox_messages,
    outbox_bytes: Annotated[
        int, typer.Option(min=1_024, help="Bytes that may wait for one reader.")
    ] = _DEFAULT.outbox_bytes,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Connections in all.")
    ] = _DEFAULT.max_connections,
    max_connections_per_user: Annotated[
        int, typer.Option(min=1, help="Connections of one user.")
    ] = _DEFAULT.max_connections_per_user,
    max_runs_per_session: Annotated[
        int, typer.Option(min=1, help="Runs under way of one connection.")
    ] = _DEFAULT.max_runs_per_session,
    rate: Annotated[float, typer.Option(help="Messages a second of one connection.")] = _DEFAULT.rate_per_s,
    rate_burst: Annotated[
        int, typer.Option(min=1, help="Messages of one connection at once.")
    ] = _DEFAULT.rate_burst,
    measure: Annotated[
        bool, typer.Option("--measure", help="Allow options.emission, .script and .seed; report each run.")
    ] = False,
    measure_on_public_address: Annotated[
        bool,
        typer.Option("--measure-on-public-address", help="Allow --measure on an address others can reach."),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="Commit this fault on purpose, NAME, NAME:RATE or, where it takes a time, NAME:RATE:TIME "
            "(silence:0.01:3s; repeatable).",
            show_default=False,
        ),
    ] = None,
    fault_seed: Annotated[int, typer.Option(help="Seed of where faults strike.")] = _DEFAULT.fault_seed,
    slow_events: Annotated[
        float, typer.Option(help="Burn this share more of processor time with the events; 0.2: a fifth.")
    ] = _DEFAULT.slow_events,
    log_level: Annotated[LogLevel, typer.Option(help="Least level that is logged.")] = LogLevel.WARNING,
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.LOGFMT,
) -> None:
    configure(log_level, log_format)
    try:
        settings = Settings(
            secret=secrets.token_urlsafe(GOOD_SECRET_BYTES) if secret is None else secret,
            host=host,
            port=port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            origins=tuple(origin or ()),
            heartbeat_s=heartbeat,
            window_s=window,
            drain_s=drain,
            run_timeout_s=run_timeout,
            tool_timeout_s=tool_timeout,
            open_timeout_s=open_timeout,
            max_message_bytes=max_message_bytes,
            outbox_messages=outbox_messages,
            outbox_bytes=outbox_bytes,
            max_connections=max_connections,
            max_connections_per_user=max_connections_per_user,
            max_runs_per_session=max_runs_per_session,
            rate_per_s=rate,
            rate_burst=rate_burst,
            measure=measure,
            measure_on_public_address=measure_on_public_address,
            faults=tuple(fault or ()),
            fault_seed=fault_seed,
            slow_events=slow_events,
        )
        server = ReferenceServer(settings)
    except ValueError as error:
        _give_up(str(error))
    source = _secret_source(context, settings)
    try:
        gc.set_threshold(YOUNG_OBJECTS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(server, source))
    except CannotListenError as error:
        _give_up(str(error))
    except asyncio.CancelledError:
        print("reference server: ended at once, without draining", file=sys.stderr)  # noqa: T201 - for the terminal
        raise typer.Exit(1) from None


def main() -> None:
    """Run the command line, by the name that it has where it is installed."""
    app(prog_name="streamgauge serve")


async def _run(server: ReferenceServer, secret_source: str) -> None:
    """Serve until a signal comes, then drain; a second signal ends at once."""
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    async with server:
        line = Listening(server.url, server.port, os.getpid(), secret_source)
        print(msgspec.json.encode(line).decode(), flush=True)  # noqa: T201 - it is the command's output
        if secret_source == GENERATED:
            _offer_token(server.settings)
        await signalled.wait()
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)


def _secret_source(context: typer.Context, settings: Settings) -> str:
    """Say where the secret came from, and warn where it is too short."""
    source = context.get_parameter_source("secret")
    if source is None or source.name == "DEFAULT":
        return GENERATED
    if len(settings.secret.encode()) < GOOD_SECRET_BYTES:
        # PyJWT would say so for every token.
        warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)
        log.warning("short_secret", advice=f"use at least {GOOD_SECRET_BYTES} random bytes outside of tests")
    return "environment" if source.name == "ENVIRONMENT" else "flag"


def _offer_token(settings: Settings) -> None:
    """Help a person to connect; only once the server listens, or the token would be good for nothing."""
    token = issue("demo", settings.secret, time.time() + HINT_HOURS * 3_600)
    print(  # noqa: T201 - a hint for the person who starts the server, no log
        f"No --secret: a random one holds until this server ends. "
        f"A token for user demo, good for {HINT_HOURS} hours:\n{token}",
        file=sys.stderr,
        flush=True,
    )


def _give_up(message: str) -> NoReturn:
    print(f"reference server: {message}", file=sys.stderr)  # noqa: T201 - an error for the person at the terminal
    raise typer.Exit(USAGE_ERROR)
