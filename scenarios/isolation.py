"""Isolation: users who are as alike as they can be, so that whatever mixes them up is provoked.

    streamgauge run --scenario isolation
    locust -f scenarios/isolation.py --host ws://127.0.0.1:8765/ws

All ask in lockstep, with equal prompts and equal ids, two runs of one user at once, whose
tools wait for a slow backend and work in threads; some cancel within a few round trips,
some only listen, and all change their socket now and then, closing the older one while
the newer works.
"""

from streamgauge.load import AgentUser, scenario, task

scenario(__file__)


class Isolation(AgentUser):
    """A user whose words and ids are everybody's; only the canary in its context is its own."""

    def on_start(self) -> None:
        """Connect; some will never speak: what such a witness receives is somebody else's."""
        super().on_start()
        self.silent = self.random.random() < self.plan.witness_share

    @task
    def ask_in_lockstep(self) -> None:
        """At every tick ask twice at once, in words and with ids that all users choose alike."""
        for due_ns in self.due():
            if self.silent:
                continue
            if self.plan.reopen and due_ns - self.opened_ns > self.plan.reopen * 1e9:
                self.reopen()
                self.opened_ns = due_ns
            tick = due_ns - self.began_ns  # one name for all users, whenever they came
            for twin in ("a", "b"):
                self.ask(
                    due_ns,
                    text=self.persona.prompts[0],
                    request=f"q-{tick}{twin}",
                    thread=f"t-{twin}",
                )
