"""What numbers a plan may hold: each has a least and a most, so that none is endless or no number at all.

A bound is no advice. It keeps a plan from what can only hang: nanoseconds beyond 64
bits, requests faster than a clock's tick, gigabytes of an answer.
"""

from typing import Annotated, Final

from msgspec import Meta

MOST: Final = 1e9  # half a lifetime in seconds: as nanoseconds it still fits 64 bits
LEAST_DURATION_S: Final = 0.1
MOST_USERS: Final = 100_000
MOST_PROCESSES: Final = 1_024
MOST_PER_USER: Final = 1_000.0  # requests per second of one user: a millisecond between two
MOST_PER_PROCESS: Final = 20_000.0  # requests per second: several times what one generator process verifies
MOST_SWING: Final = 1_000.0  # times that arrivals may be faster at their peak than at their slowest
MOST_SCRIPT_S: Final = 86_400.0  # a day of one run

Positive = Annotated[float, Meta(gt=0, le=MOST)]
NotNegative = Annotated[float, Meta(ge=0, le=MOST)]
Factor = Annotated[float, Meta(gt=0, le=MOST_SWING)]
Millis = Annotated[float, Meta(ge=0, le=MOST_SCRIPT_S * 1_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Sigma = Annotated[float, Meta(ge=0, le=10)]  # of a logarithm: ten is a factor of 22,000
Count = Annotated[int, Meta(ge=1, le=10**9)]
Chunks = Annotated[int, Meta(ge=1, le=10**6)]
Bytes = Annotated[int, Meta(ge=0, le=2**30)]
