"""The report as data; `report.json` is its encoding (docs/report.md)."""

from typing import Final

from msgspec import Struct

from streamgauge.core.finding import Doubt, Outcome, Verdict
from streamgauge.core.histogram import Distribution

# The history of the schema, newest first:
# 1: first form.
SCHEMA: Final = 1


class Quantile(Struct, frozen=True):
    """One quantile in ns with its 95 % interval; all None where the sample is too small."""

    q: float
    value_ns: int | None = None
    low_ns: int | None = None
    high_ns: int | None = None
    needs: int = 0  # how many values this quantile takes


class Duration(Struct, frozen=True):
    """One metric of time: its quantiles, and the whole distribution to compare and merge."""

    name: str
    n: int
    mean_ns: float | None
    most_ns: int | None
    quantiles: tuple[Quantile, ...]
    distribution: Distribution
    doubtful: bool = False  # a doubt says why


class ShareOf(Struct, frozen=True):
    """A share that must be 100 %: `good` of `of` runs."""

    name: str
    good: int
    of: int
    outcome: Outcome


class Fault(Struct, frozen=True):
    """A fault that the measured server committed on purpose: how often it struck."""

    name: str
    struck: int | None  # None: the server would not say


class Bound(Struct, frozen=True):
    """Where no leak was seen: the 95 % upper bound on its rate, per `unit`."""

    unit: str
    n: int
    upper: float


class Worker(Struct, frozen=True):
    """One generator process: what it saw and what it cost."""

    name: str
    messages: int
    cpu_s: float
    lag_p99_ns: int | None


class Environment(Struct, frozen=True):
    """Where and with what the run was made; `command` repeats it, without secrets."""

    started: str  # ISO 8601, UTC
    command: str
    revision: str
    machine: str
    system: str
    cores: int
    python: str
    packages: dict[str, str]


class Report(Struct, frozen=True, kw_only=True):
    """Everything that a run came to."""

    schema: int = SCHEMA
    outcome: Outcome
    reasons: tuple[str, ...]  # why the outcome is not a pass; empty where it is
    cut_short: bool
    scenario: str
    environment: Environment
    plan: dict[str, object]
    began_ns: int  # on the monotonic clock that every `at_ns` is of
    duration_s: float
    counts: dict[str, int]
    shares: tuple[ShareOf, ...]
    durations: tuple[Duration, ...]
    events_per_s: float | None
    seconds: tuple[int, ...]  # events read in each second of the run
    verdicts: tuple[Verdict, ...]
    doubts: tuple[Doubt, ...]
    bounds: tuple[Bound, ...]
    faults: tuple[Fault, ...] = ()
    workers: tuple[Worker, ...] = ()
    recordings: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()  # what was left out of this report for its size
