"""Steady load: users arrive, ask open-loop at their own pace, and every event is verified.

    streamgauge run --scenario steady --users 1000 --duration 30s
    locust -f scenarios/steady.py --host ws://127.0.0.1:8765/ws

Each user keeps its own schedule: a request is due whether or not the last answer came.
"""

from streamgauge.load import AgentUser, scenario, task

scenario(__file__)


class Steady(AgentUser):
    """A user who asks, one request after another, on a thread of its own each."""

    @task
    def ask_what_is_due(self) -> None:
        """Send every request that is due by now."""
        for due_ns in self.due():
            self.ask(due_ns)
