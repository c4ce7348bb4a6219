"""What an analysis makes of rows, and recordings that are drawn for it."""

from collections.abc import Collection
from functools import reduce
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis, AnalysisState
from streamgauge.core.contract import EVERY_RULE, Limits, Rule
from streamgauge.core.limit import run_limit
from streamgauge.core.observation import Observation
from tests.support.generated import START, recording
from tests.support.history import CLOCK, LIMITS, SECOND

UNTIL = START + 30 * SECOND  # before any deadline: who has not left is stopped in mid-run
GOALS = tuple(map(run_limit, ("run < 60ms", "gap_max <= 12ms", "chunk_gap_max < 15ms")))
TIGHT = replace(LIMITS, stall_ns=10_000_000, goodput=GOALS)  # some runs keep them, some do not

seeds = st.integers(0, 10**6)
recordings = st.builds(recording, st.integers(1, 3), st.integers(1, 4), seeds)
among_users = st.builds(recording, st.integers(2, 3), st.integers(1, 4), seeds)


def analysed(
    rows: list[Observation], limits: Limits = TIGHT, promises: Collection[Rule] = EVERY_RULE
) -> AnalysisState:
    analysis = Analysis(limits, CLOCK, START, promises)
    for row in rows:
        analysis.add(row)
    return analysis.finish(UNTIL)


def unordered(state: AnalysisState) -> Any:
    """The state as plain data, without the order in which things were found."""
    plain = msgspec.to_builtins(state)
    plain["checks"]["strays"].sort(key=str)
    for found in plain["checks"]["findings"].values():
        found.sort(key=str)
    return plain


def merged(states: list[AnalysisState]) -> AnalysisState:
    return reduce(AnalysisState.merge, states)


def by_connection(rows: list[Observation], parts: int, rng: Random) -> list[list[Observation]]:
    """The rows as several processes would have seen them, every connection in one of them."""
    share = {row.conn: rng.randrange(parts) for row in rows}
    return [[row for row in rows if share[row.conn] == part] for part in range(parts)]
