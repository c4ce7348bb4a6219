"""From where on a measurement is doubted: the part `doubts` of a plan."""

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0, le=1e9)]
Share = Annotated[float, Meta(ge=0, le=1)]
Cores = Annotated[float, Meta(gt=0, le=1_000)]
Factor = Annotated[float, Meta(ge=1, le=1e9)]


class DoubtLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be measured about a measurement; docs/doubts.md says how, and what is beyond it voids.

    Times are seconds, shares from 0 to 1.
    """

    generator_cpu: Cores = 0.9  # of one core, by each process, in its busiest tenth of seconds
    run_queue_wait: Share = 0.4  # of the time in which the event loop waited for a processor
    steal: Share = 0.1  # of the machine's processor time, taken by its host
    loop_lag_p99: Seconds = 0.1  # how late the event loop comes to what is due
    lag_p99: Seconds = 0.1  # how late what has arrived is read
    gc_pause_max: Seconds = 0.5  # the longest garbage collection
    slip_p99: Seconds = 0.1  # how late requests are sent; and half of the first event's p99
    unsent: Share = 0.01  # of the requests that were due
    missing_stamps: Share = 0.01  # of messages, without the kernel's stamp
    inexact_stamps: Share = 0.9  # of events, whose delivery latency is an upper bound
    warm_up: Factor = 2  # between the medians before and after the first event's time changed
    workers_disagree: Factor = 2  # between the p99 of the first event at two workers
    littles_law: Share = 0.25  # of the time under way that no run time tells, or the other way round
