"""Steady load: users arrive, ask open-loop at their own pace, and every event is verified.

    streamgauge run --scenario steady
    locust -f scenarios/steady.py --host ws://127.0.0.1:8765/ws

Each user keeps its own schedule: a request is due whether or not the last answer came.
"""

from streamgauge.load import Asker, scenario

scenario(__file__)


class Steady(Asker):
    """A user of the plan beside this file."""
