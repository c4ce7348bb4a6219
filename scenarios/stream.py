"""Stream: answers arrive like tokens, 50 chunks a second for two seconds.

    streamgauge run --scenario stream
    locust -f scenarios/stream.py --host ws://127.0.0.1:8765/ws

What counts is the first chunk and the rhythm of those after it. The script is the agent's:
the server must be under measuring controls.
"""

from streamgauge.load import Asker, scenario

scenario(__file__)


class Stream(Asker):
    """A user of the plan beside this file."""
