"""Everything that can be set, validated once before the first socket opens."""

import ipaddress

from msgspec import Struct

ABOVE_ZERO = {
    "heartbeat_s": "--heartbeat",
    "run_timeout_s": "--run-timeout",
    "tool_timeout_s": "--tool-timeout",
    "open_timeout_s": "--open-timeout",
    "rate_per_s": "--rate",
}


class Settings(Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes unless a field says otherwise."""

    secret: str
    host: str = "127.0.0.1"
    port: int = 8765
    tls_cert: str = ""
    tls_key: str = ""
    origins: tuple[str, ...] = ()
    heartbeat_s: float = 20.0
    window_s: float = 60.0
    drain_s: float = 10.0
    run_timeout_s: float = 300.0
    tool_timeout_s: float = 60.0
    open_timeout_s: float = 10.0
    max_message_bytes: int = 65_536
    outbox_messages: int = 1_024
    outbox_bytes: int = 2_097_152
    max_connections: int = 10_000
    max_connections_per_user: int = 8
    max_runs_per_session: int = 256
    rate_per_s: float = 1_000.0
    rate_burst: int = 10_000
    measure: bool = False
    measure_on_public_address: bool = False
    faults: tuple[str, ...] = ()
    fault_seed: int = 0
    slow_events: float = 0.0

    def __post_init__(self) -> None:
        if not self.secret:
            raise ValueError("--secret is empty: give one, or leave it out to have one made")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("--tls-cert and --tls-key belong together: give both, or neither")
        if self.measure and not self.measure_on_public_address and not is_loopback(self.host):
            raise ValueError(
                f"--measure on {self.host}: whoever can reach this address could steer the server; "
                "bind 127.0.0.1, or add --measure-on-public-address"
            )
        if self.faults and not self.measure:
            raise ValueError("--fault needs --measure: faults are for measuring only")
        if self.slow_events < 0:
            raise ValueError("--slow-events is a share, 0.2 for a fifth more; it must not be negative")
        if self.slow_events and not self.measure:
            raise ValueError("--slow-events needs --measure: it is for measuring only")
        for field, flag in ABOVE_ZERO.items():
            if getattr(self, field) <= 0:
                raise ValueError(f"{flag} must be above 0")

    def __repr__(self) -> str:
        """Name the address only: a secret must not reach a log by way of a traceback."""
        return f"Settings(host={self.host!r}, port={self.port})"

    @property
    def max_request_bytes(self) -> int:
        """For a request's text and context together: events repeat them and must fit themselves."""
        return self.max_message_bytes // 4

    @property
    def max_text_bytes(self) -> int:
        """For one text that a script makes."""
        return self.max_message_bytes // 2


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`; unknown names may be anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
