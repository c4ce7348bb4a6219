"""Soak: steady load for half an hour, and neither the server nor the generator may grow.

    streamgauge run --scenario soak
    locust -f scenarios/soak.py --host ws://127.0.0.1:8765/ws

The report plots the resident memory of both.
"""

from streamgauge.load import Asker, scenario

scenario(__file__)


class Soak(Asker):
    """A user of the plan beside this file."""
