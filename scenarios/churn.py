"""Churn: sockets are cut at any byte, users leave in mid-run, peers die, and nothing may be kept of them.

    streamgauge run --scenario churn
    locust -f scenarios/churn.py --host ws://127.0.0.1:8765/ws

What the others see must be as ever. What the server holds is compared with what is there
(the rule `resource`), where it serves metrics.
"""

from streamgauge.load import Rough, scenario

scenario(__file__)


class Churn(Rough):
    """A user of the plan beside this file."""
