"""Attack: steady users, who know nothing of it, while the attack list is carried out beside them.

    streamgauge run --scenario attack

A process of its own attacks, which `streamgauge run` starts: with plain Locust nobody attacks, and the
run is inconclusive.
"""

from streamgauge.load import Asker, scenario

scenario(__file__)


class Attack(Asker):
    """A user of the plan beside this file, whose stream must be as whole as on any other day."""
