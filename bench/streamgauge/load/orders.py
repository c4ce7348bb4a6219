"""What a worker is told of a run by its master: a value among Locust's options, which Locust ships itself."""

from locust.env import Environment
from msgspec import Struct, json

from streamgauge.load.options import options_of
from streamgauge.plan import Plan


class Orders(Struct, frozen=True):
    """The run's plan, its result folder, and how many workers there are: 1 where it has no master."""

    plan: Plan
    folder: str
    workers: int


def give(environment: Environment, orders: Orders) -> None:
    """Leave them where Locust finds them, before it starts its workers."""
    options_of(environment).sg_run = json.encode(orders).decode()


def taken(environment: Environment) -> Orders:
    """Those that were given here, or by the master."""
    return json.decode(options_of(environment).sg_run, type=Orders)
