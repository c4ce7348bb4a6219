"""Locust with websocket-client: a task is a run, which fails where a kind of event is missing.

locust -f bench/peers/natural/locust_users.py --headless -u 10 -r 10 -t 12s
"""

import json
import os
import time
from itertools import count
from pathlib import Path
from typing import Any, Final

from locust import User, constant, events, task
from websocket import create_connection

KINDS: Final = {"agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"}
USERS: Final = Path(os.environ["PEER_USERS"]).read_text().split()
NUMBERS: Final = count()
PATIENCE_S: Final = 5


class Chatter(User):
    """One socket of one user."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Connect, and be greeted."""
        _, token, _ = USERS[next(NUMBERS) % len(USERS)].split(",")
        header = {"Authorization": f"Bearer {token}"}
        self.socket = create_connection(os.environ["PEER_TARGET"], header=header, timeout=PATIENCE_S)
        self.socket.recv()
        self.number = 0

    @task
    def one_run(self) -> None:
        """Ask, and read to the end."""
        self.number += 1
        payload = {
            "user_request": "Where does the money go?",
            "request_id": f"q-{self.number}",
            "agent_name": "scripted",
        }
        began = time.perf_counter()
        seen: set[str] = set()
        failure: Exception | None = None
        try:
            self.socket.send(json.dumps({"type": "start_agent", "payload": payload}))
            while "agent_completed" not in seen:
                seen.add(json.loads(self.socket.recv())["type"])
            if missing := KINDS - seen:
                failure = AssertionError(f"missing: {sorted(missing)}")
        except Exception as error:  # noqa: BLE001 - whatever happens is this run's failure
            failure = error
        self.environment.events.request.fire(
            request_type="WS",
            name="run",
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=failure,
            context={},
        )


@events.quitting.add_listener
def say_counts(environment: Any, **_: Any) -> None:
    """What Locust's own statistics count."""
    total = environment.stats.total
    told = {"passed": total.num_requests - total.num_failures, "failed": total.num_failures}
    print(json.dumps(told), flush=True)  # noqa: T201
