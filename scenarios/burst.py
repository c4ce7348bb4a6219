"""Burst: everybody asks at once, waits, and asks at once again.

    streamgauge run --scenario burst
    locust -f scenarios/burst.py --host ws://127.0.0.1:8765/ws

What queues do when a whole company comes back from lunch: the first events of a burst
tell how fair the server is, its last ones how deep its queues are.
"""

from streamgauge.load import Asker, scenario

scenario(__file__)


class Burst(Asker):
    """A user of the plan beside this file."""
