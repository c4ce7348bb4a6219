"""What recordings say of their own measuring: the doubts of the live run, drawn again."""

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.doubt import doubts
from streamgauge.core.finding import VERDICT, Doubt
from streamgauge.core.metrics.latency import Metric
from streamgauge.core.recording import End, Recording
from streamgauge.core.vitals import Process


def recorded_doubts(
    recordings: Sequence[Recording], states: Iterable[AnalysisState], state: AnalysisState, planned: int
) -> Iterator[Doubt]:
    """The doubts of a run, of which `states` are each recording's and `state` is all; `planned` are users."""
    ends, header = ends_of(recordings), recordings[0].header
    unconnected = reduce(operator.add, (Counter(end.unconnected) for end in ends), Counter[str]())
    return doubts(
        state.counts | {"users": state.checks.users},
        state.latencies,
        unconnected=unconnected,
        troubles=tuple(what for end in ends for what in end.trouble),
        clock_steps=sum(end.clock_steps for end in ends),
        planned=planned,
        aborted=next((end.aborted for end in ends if end.aborted), ""),
        most_runs=header.most_runs,
        limits=header.doubts,
        processes=tuple(map(_process, recordings, states)),
        course=state.course,
        load_ns=header.load_ns,
        clock_bound_ns=state.clock_bound_ns,
        least_ahead_ns=state.least_ahead_ns,
    )


def cut_off(recordings: Iterable[tuple[Path, Recording]]) -> Iterator[Doubt]:
    """A doubt for each that has no end."""
    advice = "its worker was killed: what it saw after that is lost"
    for path, recording in recordings:
        if recording.end is None:
            yield Doubt("recording cut off", path.name, "whole recordings", advice, VERDICT)


def ends_of(recordings: Iterable[Recording]) -> list[End]:
    """Of those that came to their end."""
    return [recording.end for recording in recordings if recording.end is not None]


def _process(recording: Recording, state: AnalysisState) -> Process:
    vitals = recording.end.vitals if recording.end else None
    return Process(recording.header.worker, vitals, state.latencies[Metric.FIRST_EVENT])
