"""What users and events cost, by least squares over runs of different size.

    cost = fixed + per user x users + per event x events per second

No coefficient is negative. Users and events can only be told apart where the runs
differ in how many events a user brings: where the variance inflation factor is above
10 (Marquardt, Technometrics 12, 1970) the cost of a user's events is left in that of the user.

Contention is that of the Universal Scalability Law (Gunther, Guerrilla Capacity
Planning, 2007): X(N) = lambda N / (1 + sigma (N - 1) + kappa N (N - 1)).
"""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamgauge.core import student

FIXED: Final = "fixed"
PER_USER: Final = "per user"
PER_EVENT: Final = "per event"

MOST_INFLATION: Final = 10.0
SATURATED: Final = 0.9  # of what a user got through among the fewest: above, throughput grows with the users
_CONFIDENCE: Final = 0.975  # both sides: 95 %
_SURE: Final = 0.995  # that a bend is none of the noise

Matrix = NDArray[np.float64]


class Point(Struct, frozen=True):
    """One run: its users, their events per second, and what they cost (cores, bytes)."""

    users: float
    events_per_s: float
    cost: float


class Estimate(Struct, frozen=True):
    """A value and half of its 95 % interval; None where there are too few points for one."""

    value: float
    half_width: float | None


class Costs(Struct, frozen=True):
    """The coefficients by their names; what was found to cost nothing is 0.

    Without `per event` that cost is part of `per user`: the two could not be told apart.
    """

    coefficients: dict[str, float]
    points: int
    residual: float | None  # standard deviation of what is left; None where nothing can be left
    spread: tuple[tuple[float, ...], ...] = ()  # of the coefficients that are not 0: (A'A)^-1

    @property
    def apart(self) -> bool:
        """Whether users and events have costs of their own."""
        return PER_EVENT in self.coefficients

    def at(self, users: float, events_per_s: float) -> Estimate:
        """The cost of so many users with so many events a second."""
        factors = {FIXED: 1.0, PER_USER: users, PER_EVENT: events_per_s}
        value = sum(factors[name] * each for name, each in self.coefficients.items())
        if self.residual is None:
            return Estimate(value, None)
        row = np.array([factors[name] for name, each in self.coefficients.items() if each > 0])
        freedom = self.points - len(row)
        leverage = float(row @ np.array(self.spread) @ row)
        half = student.quantile(_CONFIDENCE, freedom) * self.residual * math.sqrt(1 + leverage)
        return Estimate(value, half)


class Contention(Struct, frozen=True):
    """How throughput bends: `per_user` is what one user alone gets through, a second."""

    per_user: float
    sigma: float  # waiting for what is shared
    kappa: float  # keeping copies in agreement

    def throughput(self, users: float) -> float:
        """X(N)."""
        return self.per_user * users / (1 + self.sigma * (users - 1) + self.kappa * users * (users - 1))

    @property
    def peak_users(self) -> float | None:
        """Where throughput is the most; None where it only ever approaches its most."""
        return math.sqrt((1 - self.sigma) / self.kappa) if self.kappa > 0 and self.sigma < 1 else None

    @property
    def most(self) -> float:
        """The most that can be got through, a second."""
        if self.peak_users is not None:
            return self.throughput(max(1.0, self.peak_users))
        return self.per_user / self.sigma if self.sigma > 0 else math.inf


def fit(points: Sequence[Point]) -> Costs | None:
    """The costs that leave the least; None where there is no point."""
    if not points:
        return None
    users = np.array([point.users for point in points], dtype=float)
    events = np.array([point.events_per_s for point in points], dtype=float)
    columns = {FIXED: np.ones(len(points)), PER_USER: users, PER_EVENT: events}
    if len(points) < 4 or inflation(users, events) > MOST_INFLATION:
        del columns[PER_EVENT]
    if len(set(users)) < 2:  # one size says nothing of what is fixed
        del columns[FIXED]
    matrix = np.column_stack(list(columns.values()))
    cost = np.array([point.cost for point in points], dtype=float)
    found = _non_negative(matrix, cost)
    used = matrix[:, found > 0]
    freedom = len(points) - used.shape[1]
    left = float(np.sum((cost - matrix @ found) ** 2))
    enough = freedom > 0 and used.shape[1] > 0
    return Costs(
        coefficients=dict(zip(columns, map(float, found), strict=True)),
        points=len(points),
        residual=math.sqrt(left / freedom) if enough else None,
        spread=tuple(map(tuple, np.linalg.inv(used.T @ used).tolist())) if enough else (),
    )


def inflation(users: Matrix, events: Matrix) -> float:
    """How much more uncertain a coefficient is because the other column says nearly the same."""
    if np.ptp(users) == 0 or np.ptp(events) == 0:
        return math.inf
    correlation = float(np.corrcoef(users, events)[0, 1])
    unexplained = 1 - correlation**2
    return 1 / unexplained if unexplained > 1e-12 else math.inf


def contention(points: Sequence[tuple[float, float]]) -> Contention | None:
    """The law's parameters from pairs of users and throughput a second; None where it does not bend.

    It is fitted in its linear form, N/X = (1 + sigma (N - 1) + kappa N (N - 1)) / lambda,
    by relative deviations. A bend must be large enough to matter, and leave so much less
    than no bend does that it is hardly the noise's.
    """
    pairs = sorted((users, rate) for users, rate in points if users > 0 and rate > 0)
    if len({users for users, _ in pairs}) < 3:
        return None
    users = np.array([users for users, _ in pairs], dtype=float)
    weights = np.array([rate / users for users, rate in pairs], dtype=float)
    matrix = np.column_stack([np.ones(len(pairs)), users - 1, users * (users - 1)]) * weights[:, None]
    found = _non_negative(matrix, np.ones(len(pairs)))
    alone, shared, agreed = map(float, found)
    if alone <= 0 or not _beyond_noise(matrix, found):
        return None
    law = Contention(1 / alone, shared / alone, agreed / alone)
    fewest, top = float(users[0]), float(users[-1])
    bent = law.throughput(top) / top < SATURATED * law.throughput(fewest) / fewest
    return law if bent else None


def _beyond_noise(matrix: Matrix, found: Matrix) -> bool:
    """Whether the law leaves so much less than its first term alone; F with t squared as its limit.

    That is exact for one more term, and strict for two.
    """
    more = int(np.count_nonzero(found)) - 1
    freedom = len(matrix) - 1 - more
    if more < 1 or freedom < 1:
        return False
    straight = matrix[:, :1] * (matrix[:, 0].sum() / (matrix[:, 0] @ matrix[:, 0]))
    unbent = float(np.sum((1 - straight) ** 2))
    left = float(np.sum((1 - matrix @ found) ** 2))
    limit = student.quantile(_SURE, freedom) ** 2
    return (unbent - left) / more > limit * left / freedom


def _non_negative(matrix: Matrix, target: Matrix) -> Matrix:
    """Least squares without negative coefficients: the best of all sets of columns whose own has none."""
    width = matrix.shape[1]
    scale = np.linalg.norm(matrix, axis=0)
    scale[scale == 0] = 1
    best: Matrix = np.zeros(width)
    least = float(target @ target)
    for size in range(1, width + 1):
        for columns in map(list, combinations(range(width), size)):
            part: Any = matrix[:, columns] / scale[columns]
            found, _, rank, _ = np.linalg.lstsq(part, target, rcond=None)
            if rank < size or np.any(found <= 0):
                continue
            left = float(np.sum((target - part @ found) ** 2))
            if left < least * (1 - 1e-12):
                best, least = np.zeros(width), left
                best[columns] = found / scale[columns]
    return best
