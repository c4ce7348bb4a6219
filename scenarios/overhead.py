"""Overhead: what events cost, by leaving them out.

    streamgauge run --scenario overhead
    locust -f scenarios/overhead.py --host ws://127.0.0.1:8765/ws

All users make the same runs slice by slice, with events (twice, to see what chance does),
with events that are made but not sent, and without, in random order on the same sockets.
The server must be under measuring controls.
"""

from streamgauge.load import Together, scenario
from streamgauge.study import overhead

scenario(__file__)


class Overhead(Together):
    """A user of the plan beside this file."""

    blocks = staticmethod(overhead.blocks)
