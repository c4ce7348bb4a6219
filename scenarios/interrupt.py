"""Interrupt: users cancel, speak or leave in mid-run, and others must not notice.

    streamgauge run --scenario interrupt
    locust -f scenarios/interrupt.py --host ws://127.0.0.1:8765/ws

A cancel ends its own run and no other, a word in between is answered, and who comes back
after leaving begins anew: this server does not promise to resume.
"""

from streamgauge.load import Asker, scenario

scenario(__file__)


class Interrupt(Asker):
    """A user of the plan beside this file."""
