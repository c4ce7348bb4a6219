"""A run of one process and the same run of four are one run: their reports are equal, byte for byte.

Real observations, with findings and leaks from user to user, are dealt out by
connection to four processes as Locust's workers would have seen them; each folds
its own, ships its share as it is shipped to a master, and the shares are merged.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import permutations
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.contract import Rule
from streamgauge.core.doubt import doubts
from streamgauge.core.observation import Opened
from streamgauge.core.recording import Recording
from streamgauge.report.conclude import conclude
from streamgauge.report.model import Environment, Report
from streamgauge.report.render_json import read_json, render_json
from streamgauge.study.rejudge import rejudge
from tests.support.command import Run

WORKERS = 4
HERE = Environment("2026-11-22T08:00:00+00:00", "", "", "", "", 1, "", {})
FAULTS = ("--fault", "shared-global:0.2", "--fault", "drop-thinking:0.05", "--fault", "swap:0.05")


def dealt_out(recording: Recording, rng: Random) -> list[Recording]:
    """What each of several processes would have recorded, every connection in one of them."""
    worker = {row.conn: rng.randrange(WORKERS) for row in recording.rows}
    return [
        replace(recording, rows=[row for row in recording.rows if worker[row.conn] == number])
        for number in range(WORKERS)
    ]


def shipped(recording: Recording) -> AnalysisState:
    """The state of a worker as its master takes it out of the message."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(rejudge(recording)), type=AnalysisState)


def report(states: Sequence[AnalysisState], recording: Recording) -> bytes:
    """The report that the states together come to."""
    state = reduce(AnalysisState.merge, states)
    told = doubts(
        state.counts | {"users": state.checks.users},
        state.latencies,
        unconnected={},
        troubles=(),
        clock_steps=0,
    )
    return render_json(
        conclude(
            state,
            plan={"scenario": "isolation"},
            required=[Rule(name) for name in recording.header.required],
            thresholds=recording.header.thresholds,
            environment=HERE,
            doubts=told,
        )
    )


@pytest.mark.parametrize("scenario", ["isolation", "steady"])
def test_one_process_and_four_give_the_same_report(streamgauge: Run, scenario: str) -> None:
    done = streamgauge("run", "--scenario", scenario, "--users", "40", "--duration", "5s", *FAULTS)
    assert done.code == 1, done.out + done.err
    (path,) = done.folder.glob("recording/*.sgr")
    recording = Recording.of(path.read_bytes())
    one = report([rejudge(recording)], recording)
    found = read_json(one)
    assert sum(verdict.found > 0 for verdict in found.verdicts) >= 4, "there is too little to merge"
    for seed in range(3):
        dealt = dealt_out(recording, Random(seed))
        assert leaks_between(dealt, found)
        states = [shipped(part) for part in dealt]
        for order in permutations(states):
            assert report(order, recording) == one


def leaks_between(dealt: Sequence[Recording], found: Report) -> bool:
    """Whether a user of one process got what was of a user of another."""
    worker = {
        row.user: number for number, part in enumerate(dealt) for row in part.rows if isinstance(row, Opened)
    }
    return any(
        finding.other and worker[finding.user] != worker[finding.other]
        for verdict in found.verdicts
        for finding in verdict.findings
    )
