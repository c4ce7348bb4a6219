"""What a selftest consists of, in which order, and what its parts come to together."""

import msgspec
import pytest

from streamgauge.core.finding import Outcome
from streamgauge.study.clean_runs import CleanRun
from streamgauge.study.detection import Cell
from streamgauge.study.fault_table import ROWS
from streamgauge.study.mutation import Mutation
from streamgauge.study.power import SIZES, Point
from streamgauge.study.selftest import (
    Base,
    CleanTask,
    Result,
    Task,
    detection_tasks,
    left_s,
    outcome,
    power_tasks,
)

CAUGHT = Point(Mutation.LOSS, 1e-3, 1_000, 100, 60, 60)
FOUND = Cell("swap", 1, Outcome.PASS, (), 9, 9, {"seq-contiguous": 9})
CLEAN = CleanRun(0, "none", Outcome.PASS, 2_000)


def test_the_whole_matrix_has_each_fault_at_both_rates_where_it_has_one() -> None:
    cells = [(task.row.name, task.rate) for task in detection_tasks(short=False)]
    assert len(set(cells)) == len(cells) == 30 + sum(row.rare is not None for row in ROWS)


def test_the_short_one_has_each_fault_at_rate_1() -> None:
    assert [(task.row.name, task.rate) for task in detection_tasks(short=True)] == [
        (row.name, 1) for row in ROWS
    ]


def test_single_faults_can_be_asked_for() -> None:
    assert [task.key for task in detection_tasks(short=False, only=["swap"])] == [
        "matrix-swap-1",
        "matrix-swap-0.01",
    ]


def test_every_mutation_is_judged_in_every_size() -> None:
    tasks = list(power_tasks(50))
    assert {(task.mutation, task.size) for task in tasks} == {(m, size) for m in Mutation for size in SIZES}
    assert any(
        task.rate == 1e-5 and task.mutation is Mutation.LEAK and task.size == 400_000 for task in tasks
    )


def test_no_two_parts_have_one_name() -> None:
    tasks: list[Task] = [
        *detection_tasks(short=False),
        *power_tasks(5),
        *map(CleanTask, range(300)),
    ]
    assert len({task.key for task in tasks}) == len(tasks)


@pytest.mark.parametrize("result", [FOUND, CLEAN, CAUGHT, Base(Outcome.PASS, 9, "x")])
def test_every_result_is_read_as_it_was_written(result: Result) -> None:
    assert msgspec.json.decode(msgspec.json.encode(result), type=Result) == result


def test_a_miss_outranks_what_is_not_known() -> None:
    unknown = msgspec.structs.replace(CLEAN, outcome=Outcome.UNKNOWN)
    missed = msgspec.structs.replace(FOUND, outcome=Outcome.FAIL)
    assert outcome([FOUND, CLEAN, CAUGHT]) == "pass"
    assert outcome([FOUND, unknown]) == "unknown"
    assert outcome([unknown, missed]) == "fail"


def test_what_is_left_takes_as_long_as_what_is_done_did() -> None:
    one, other = CleanTask(0, seconds=5), CleanTask(1, seconds=10)
    assert left_s([other], 10, [one], 2) == 20
    assert left_s([one, one], 0, [], 2) == 5  # nothing is known yet
