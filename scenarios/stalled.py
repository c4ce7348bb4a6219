"""Stalled: some users read nothing of all they ask for, and nobody else must notice.

    streamgauge run --scenario stalled
    locust -f scenarios/stalled.py --host ws://127.0.0.1:8765/ws

Each such run is more than the kernel and the server's queue take: the server has to end that
connection (4413 in the native protocol), and neither its memory nor the others' times may tell.
"""

from streamgauge.load import Rough, scenario

scenario(__file__)


class Stalled(Rough):
    """A user of the plan beside this file."""
