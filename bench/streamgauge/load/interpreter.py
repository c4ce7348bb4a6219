"""Sets Python and gevent up for a load."""

import gc
from typing import Final

import gevent

# A generator holds much that is alive and makes next to no cycles: at Python's default, a collection
# for every 700 new containers, about a tenth of the fold's time went into looking for them.
_YOUNG: Final = 20_000
# Users who ask at once, from callbacks, keep the loop busy with those; at gevent's default of 5 ms greenlets
# would get a hundredth of its time, and wait for many seconds where there are thousands.
_LONG_TURN_S: Final = 0.1
_TURN_S: Final = gevent.getswitchinterval()


def set_up(*, asks_at_once: bool) -> None:
    """Collect garbage seldom, and give greenlets long turns where users ask at once."""
    gc.set_threshold(_YOUNG)
    gevent.setswitchinterval(_LONG_TURN_S if asks_at_once else _TURN_S)
