"""What the Python peers share: who their users are, what they ask, and what they say at the end."""

import base64
import json
import os
from statistics import quantiles
from typing import Any, Final

TARGET: Final = os.environ.get("PEER_TARGET", "ws://127.0.0.1:8765/ws")
SOCKETS: Final = int(os.environ.get("PEER_SOCKETS", "100"))
SECONDS: Final = float(os.environ.get("PEER_SECONDS", "10"))
OPENING_AT_ONCE: Final = 50

# As long as what this suite sends: a prompt and a token that travels with it.
CANARY: Final = "peercanaryABCDEFGHIJKLMNOPQR"


def login(user: str) -> dict[str, str]:
    """The headers that say who a user is; the source reads the token and verifies nothing."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": user}).encode()).decode().rstrip("=")
    return {"Authorization": f"Bearer e30.{claims}.x"}


def request(user: str, number: int) -> str:
    """The user's next request, as a message."""
    nonce = f"{user}.0.{number}"
    payload: dict[str, Any] = {
        "user_request": f"Where does the money go this month? {CANARY}",
        "request_id": f"q-{nonce}",
        "thread_id": f"t-{nonce}",
        "agent_name": "scripted",
        "context": {"canary": CANARY, "nonce": nonce},
    }
    return json.dumps({"type": "start_agent", "payload": payload}, separators=(",", ":"))


def say(p50_ms: float | None, p99_ms: float | None, lag_ms: float | None = None) -> None:
    """The line that the comparison reads; `lag_ms` where a generator tells apart what it was late to read."""
    line = {"peer": True, "p50_ms": p50_ms, "p99_ms": p99_ms, "lag_ms": lag_ms}
    print(json.dumps(line), flush=True)  # noqa: T201


def say_of(times_s: list[float]) -> None:
    """The same, of the times of all runs."""
    if len(times_s) < 2:
        say(None, None)
        return
    cuts = quantiles(times_s, n=100)
    say(cuts[49] * 1e3, cuts[98] * 1e3)
