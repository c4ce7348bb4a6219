"""One fault in a correct recording: the exact finding is demanded, and nothing else."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import assume, given, settings

from streamgauge.checker import Checked, check_rows
from streamgauge.core.checks.judge import DEPENDENT
from streamgauge.core.event import Kind
from streamgauge.core.observation import Asked, Cancelled, Closed, Observation, Received, Spoken
from tests.support.analysed import UNTIL, among_users, recordings, seeds
from tests.support.generated import START, recording
from tests.support.history import LIMITS
from tests.support.mutated import Mutated, told
from tests.support.mutations import MUTATIONS
from tests.support.stretches import read_together, stretched

Mutation = Callable[[list[Observation], Random], Mutated]


def checked(rows: list[Observation], until_ns: int = UNTIL) -> Checked:
    return check_rows(rows, LIMITS, until_ns=until_ns)


def unknown(of: Checked) -> dict[str, int]:
    return {verdict.rule: verdict.unknown for verdict in of.verdicts if verdict.unknown}


@given(recordings)
@settings(deadline=None, max_examples=150)
def test_nothing_is_found_in_a_correct_recording(rows: list[Observation]) -> None:
    sound = checked(rows)
    assert sound.findings == ()
    assert unknown(sound) == {}


@pytest.mark.parametrize("mutate", [pytest.param(mutate, id=mutate.__name__) for mutate in MUTATIONS])
@given(among_users, seeds)
@settings(deadline=None, max_examples=40)
def test_one_fault_comes_to_its_finding_and_to_no_other(
    mutate: Mutation, rows: list[Observation], seed: int
) -> None:
    try:
        faulty = mutate(rows, Random(seed))
    except IndexError:
        assume(False)  # no such place in this recording
    found = checked(faulty.rows, faulty.until_ns)
    assert sorted(map(told, found.findings)) == sorted(faulty.expected)
    assert sum(verdict.found for verdict in found.verdicts) == len(faulty.expected)
    assert unknown(found) == (dict.fromkeys(DEPENDENT, 1) if faulty.masked else {})


def test_the_properties_above_are_about_all_that_may_befall_a_run() -> None:
    seen: Counter[str] = Counter()
    for seed in range(60):
        rows = recording(3, 4, seed)
        running: Counter[int] = Counter()
        for row in rows:
            if isinstance(row, Received):
                seen[Kind(row.event.kind).name] += 1
                seen[row.event.status] += 1
                running[row.conn] += {Kind.STARTED: 1, Kind.COMPLETED: -1}.get(Kind(row.event.kind), 0)
                seen["side by side"] += running[row.conn] > 1
            seen["cancel"] += isinstance(row, Cancelled)
            seen["spoken into"] += isinstance(row, Spoken)
            seen["by a script"] += isinstance(row, Asked) and row.makes is not None
            seen["left"] += isinstance(row, Closed)
        seen["abandoned"] += checked(rows).state.counts.get("runs abandoned", 0)
    wanted = [*(Kind(kind).name for kind in range(1, 8)), "REFUSED", "run_lost", "cancelled"]
    others = ["cancel", "spoken into", "by a script", "left", "abandoned", "side by side"]
    assert all(seen[what] > 10 for what in [*wanted, *others]), seen


@pytest.mark.parametrize("mutate", [pytest.param(mutate, id=mutate.__name__) for mutate in MUTATIONS])
def test_every_fault_finds_a_place_and_most_come_to_a_finding(mutate: Mutation) -> None:
    struck = told_of = 0
    for seed in range(100):
        try:
            faulty = mutate(recording(3, 4, seed), Random(seed))
        except IndexError:
            continue
        struck += 1
        told_of += bool(faulty.expected)
    assert struck > 20
    assert told_of > struck / 2


def test_so_it_is_where_events_are_read_together() -> None:
    """The compiled way to the same verdict: what was not in its order is told alike."""
    for seed in range(40):
        rng = Random(seed)
        rows = read_together(MUTATIONS[seed % 6](recording(3, 4, seed), rng).rows, rng, START)
        assert checked(stretched(rows, rng)).findings == checked(rows).findings
