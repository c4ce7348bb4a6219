"""Whom one may put under load: this machine, and who is named."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from streamgauge.cli.errors import UsageProblem


def require_allowed(target: str, allowed: Collection[str]) -> None:
    """Raise `UsageProblem` where `target` is neither on loopback nor among the hosts `allowed`."""
    host = urlsplit(target).hostname or ""
    if not is_loopback(host) and host not in allowed:
        raise UsageProblem(
            f"{host} is not this machine: it needs --allow-target {host} (or allow_target in the plan)"
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name could lead anywhere
