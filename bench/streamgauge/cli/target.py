"""Whom one may put under load: this machine, and who is named; and how a certificate is verified."""

import ipaddress
from collections.abc import Collection
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from streamgauge.cli.errors import UsageProblem

CaFile = Annotated[
    Path | None, typer.Option(help="CAs (PEM) that a wss:// target is verified by (default: the system's).")
]


def trusting(ca_file: Path | None) -> dict[str, object]:
    """What the flag changes in a plan, which may be read elsewhere."""
    return {} if ca_file is None else {"ca_file": str(ca_file.absolute())}


def require_allowed(target: str, allowed: Collection[str]) -> None:
    """Raise `UsageProblem` where `target` is neither on loopback nor among the hosts `allowed`."""
    host = urlsplit(target).hostname or ""
    if not is_loopback(host) and host not in allowed:
        raise UsageProblem(
            f"{host} is not this machine: it needs --allow-target {host} (or allow_target in the plan)"
        )


def require_attackable(target: str, allowed: Collection[str]) -> None:
    """Raise `UsageProblem` where the host of `target` is not `allowed` by name, on loopback or not."""
    host = urlsplit(target).hostname or ""
    if host not in allowed:
        raise UsageProblem(
            f"{host} may not be attacked: what is sent breaks protocols and floods; where that is what you "
            f"want, and the server is yours, add --allow-attack {host} (or attack.allow in the plan)"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name could lead anywhere
