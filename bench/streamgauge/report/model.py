"""The report as data; `report.json` is its encoding (docs/report.md)."""

from typing import Final

from msgspec import Struct

from streamgauge.core.campaign import Campaign
from streamgauge.core.checks.extent import Losses
from streamgauge.core.control import Control
from streamgauge.core.finding import Doubt, Outcome, Verdict
from streamgauge.core.histogram import Distribution
from streamgauge.core.memory import Series
from streamgauge.core.overhead import Overhead
from streamgauge.core.threshold import ThresholdResult

# The history of the schema, newest first:
# 5: `problem` of a finding is its kind; its numbers are `numbers`, `more`, `lasted_ns` and `excess`.
# 4: leaks by sender and receiver, losses by place, bounds of each rule with what was seen, ids of findings
#    and both sides of leaks, what findings are of; `epoch_ns`; memory.
# 3: a worker's vitals: `cpu_share`, `waited`, `stolen`, `loop_lag_p99_ns`, `gc_pause_max_ns`, `collections`.
# 2: thresholds, goodput, streams and overhead; the server's cost, the machine's fingerprint
#    and the plan's digest; `promised` of a verdict, true where it is absent.
# 1: first form.
SCHEMA: Final = 5

LOSS: Final = "loss"  # what a bound is of, where it is of no single rule


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
    bound_ns: int = 0  # how far off each value may be, where the server's clock is another machine's


class ShareOf(Struct, frozen=True):
    """A share that must be 100 %: `good` of `of` runs."""

    name: str
    good: int
    of: int
    outcome: Outcome


class Goodput(Struct, frozen=True):
    """Runs that brought a result, broke no rule and kept every limit: `good` of `of`.

    What spoke against the others may be more than one thing.
    """

    good: int
    of: int
    per_s: float | None
    low: float | None  # 95 % interval of the share
    high: float | None
    broken: int  # broke a rule
    unfinished: int  # brought no result
    beyond: dict[str, int]  # limit -> runs that did not keep it
    doubtful: bool = False  # a doubt says why


class RateQuantile(Struct, frozen=True):
    """One quantile of chunks per second with its 95 % interval; all None where the sample is too small."""

    q: float
    value_per_s: float | None = None
    low_per_s: float | None = None
    high_per_s: float | None = None
    needs: int = 0  # how many streams this quantile takes


class Streams(Struct, frozen=True):
    """How answers streamed: their chunks per second and their stalls; gaps are among the durations."""

    stall_ns: int  # a longer gap between two chunks is a stall
    streams: int  # runs that brought at least one chunk
    chunks: int
    at_once: int  # streams of several chunks that all arrived in one moment
    stalls: int
    stalled: int  # streams with at least one stall
    quantiles: tuple[RateQuantile, ...]
    distribution: Distribution  # of chunks per second, in thousandths, one value a stream
    doubtful: bool = False


class Fault(Struct, frozen=True):
    """A fault that the measured server committed on purpose: how often it struck."""

    name: str
    struck: int | None  # None: the server would not say
    opportunities: int | None = None  # runs, sockets or the like in which it could have struck


class Bound(Struct, frozen=True):
    """How often something can go wrong, per `unit`, when `hits` of `n` were seen to, and maybe `more`.

    Of none the one-sided 95 % upper bound, else Clopper and Pearson's 95 % interval, from that of
    `hits` to that of both together.
    """

    unit: str
    n: int
    upper: float
    what: str = ""  # the rule, or LOSS
    hits: int = 0
    lower: float = 0.0
    more: int = 0  # at most so many more were, but which of the `n` is not known


class Leak(Struct, frozen=True):
    """So many messages of `sender` reached `receiver`; a sender "" is not known."""

    sender: str
    receiver: str
    messages: int


class Leaks(Struct, frozen=True):
    """The matrix of leaks, sender by receiver, without its zeros: what leaked most first."""

    messages: int = 0  # in the whole matrix
    pairs: int = 0  # in the whole matrix
    beyond: int = 0  # more messages, of pairs that were too many to tell apart
    first: tuple[Leak, ...] = ()
    leaked: int = 0  # messages, each once: one that is of several senders is in several cells


class Worker(Struct, frozen=True):
    """One generator process: what it saw, what it cost and how it was; None is unknown."""

    name: str
    messages: int
    cpu_s: float
    lag_p99_ns: int | None
    cpu_share: float | None = None  # of one core, in its busiest tenth of seconds
    waited: float | None = None  # share of the time in which it was ready and had no processor
    stolen: float | None = None  # share of its machine's processor time that the host took
    loop_lag_p99_ns: int | None = None
    gc_pause_max_ns: int | None = None
    collections: tuple[int, ...] = ()  # garbage collections, by generation


class ServerCost(Struct, frozen=True):
    """What events cost the measured server, by its own metrics (docs/compare.md says when they are read)."""

    cpu_s: float  # of its whole process, in the time that its events were counted
    events: int
    cpu_per_event_ns: float | None  # None where there were no events
    rss_bytes: int | None  # its memory at the end; None where it would not say


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
    cpu: str = ""  # the processor's model
    fingerprint: str = ""  # digest of the machine, interpreter and packages: equal ones can be compared


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
    thresholds: tuple[ThresholdResult, ...]
    goodput: Goodput
    streams: Streams
    durations: tuple[Duration, ...]
    events_per_s: float | None
    seconds: tuple[int, ...]  # events read in each second of the run
    verdicts: tuple[Verdict, ...]
    doubts: tuple[Doubt, ...]
    bounds: tuple[Bound, ...]
    overhead: Overhead | None = None  # what events cost; None where the run had no slices (docs/overhead.md)
    faults: tuple[Fault, ...] = ()
    workers: tuple[Worker, ...] = ()
    server: ServerCost | None = None  # None where the server has no metrics
    plan_digest: str = ""  # of the plan but for its target: runs of equal ones can be compared
    recordings: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()  # what was left out of this report for its size
    leaks: Leaks = Leaks()
    losses: Losses = Losses()
    epoch_ns: int = (
        0  # the time of day, in ns since 1970, at which the clock of `at_ns` showed zero; 0: unknown
    )
    control: Control | None = None  # None where the plan asked for none (docs/proxy.md)
    attack: Campaign | None = None  # what the attack list came to; None where nobody attacked
    memory: tuple[Series, ...] = ()  # resident memory of the server and of each worker
