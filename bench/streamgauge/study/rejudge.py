"""Judges recordings again: the same folds over the same rows, hence the same verdict."""

from collections.abc import Sequence
from functools import reduce

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.contract import Rule
from streamgauge.core.recording import Recording
from streamgauge.core.timeline import Origin, aligned


class MixedRecordings(ValueError):
    """Recordings that are not of one run; the text says in what they differ."""


def rejudge(recording: Recording) -> AnalysisState:
    """The state that the recording worker had at its end; of a recording cut off, at its last row."""
    header = recording.header
    promises = frozenset(map(Rule, header.promises))
    analysis = Analysis(header.limits, header.clock, header.began_ns, promises)
    for row in recording.rows:
        analysis.add(row)
    last_ns = recording.rows[-1].at_ns if recording.rows else header.began_ns
    return analysis.finish(recording.end.at_ns if recording.end else last_ns)


def rejudge_all(recordings: Sequence[Recording]) -> list[AnalysisState]:
    """The states of the workers of one run.

    Raises `MixedRecordings` where they were made by different plans or protocols.
    """
    first = recordings[0].header
    for recording in recordings:
        header = recording.header
        if (header.plan, header.protocol, header.limits) != (first.plan, first.protocol, first.limits):
            raise MixedRecordings(f"{header.worker} and {first.worker} recorded different plans")
    return aligned(
        (rejudge(recording), Origin(recording.header.clock, recording.header.epoch_ns))
        for recording in recordings
    )


def merged(states: Sequence[AnalysisState]) -> AnalysisState:
    """The state of all workers, as if one had seen all rows."""
    return reduce(AnalysisState.merge, states)
