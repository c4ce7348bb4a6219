"""The peer `locust`: Locust with websocket-client, as its users write it; one row of statistics a run.

locust -f bench/peers/clients/locust_websocket.py --headless -u 1000 -r 1000
"""

import json
import time
from itertools import count
from typing import Any, Final

import gevent
from locust import User, constant, events, task
from websocket import create_connection

from peers.clients.common import SECONDS, TARGET, login, request, say

NUMBERS: Final = count()


class Peer(User):
    """One socket of one user."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Connect, and be greeted; the first one greeted sets the end."""
        self.user = f"u0-{next(NUMBERS)}"
        self.number = 0
        self.socket = create_connection(TARGET, header=login(self.user))
        self.socket.recv()
        if not hasattr(self.environment, "ends"):
            self.environment.ends = gevent.spawn_later(SECONDS, self.environment.runner.quit)

    @task
    def one_run(self) -> None:
        """A request and its events."""
        self.number += 1
        began = time.perf_counter()
        size = 0
        self.socket.send(request(self.user, self.number))
        while True:
            text = self.socket.recv()
            size += len(text)
            if json.loads(text)["type"] == "agent_completed":
                break
        self.environment.events.request.fire(
            request_type="WS",
            name="run",
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=size,
            exception=None,
            context={},
        )


@events.quitting.add_listener
def say_at_the_end(environment: Any, **_: Any) -> None:
    """What Locust's own statistics say."""
    runs = environment.stats.get("run", "WS")
    say(runs.get_response_time_percentile(0.5), runs.get_response_time_percentile(0.99))
