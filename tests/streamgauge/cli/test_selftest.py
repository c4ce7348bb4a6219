"""`selftest` from what is kept alone: nothing known is made anew, and the page says what was found."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner
from typer.testing import Result as Done

from streamgauge.cli.app import app
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.selftest_power import points
from streamgauge.cli.selftest_state import State, digest_of_the_code
from streamgauge.core.contract import EVERY_RULE
from streamgauge.core.finding import Outcome
from streamgauge.core.recording import End, Header, block
from streamgauge.study.clean_runs import CleanRun
from streamgauge.study.detection import Cell
from streamgauge.study.mutation import Mutation
from streamgauge.study.power import Point
from streamgauge.study.selftest import (
    Base,
    BaseTask,
    CleanTask,
    DetectionTask,
    PowerTask,
    Result,
    Task,
    detection_tasks,
    power_tasks,
)
from tests.support.analysed import UNTIL
from tests.support.generated import START, recording
from tests.support.history import CLOCK, LIMITS


def whole() -> Iterator[Task]:
    """Every part of a whole study with ten mutated recordings a point, and two clean runs."""
    yield from detection_tasks(short=False)
    yield BaseTask()
    yield from power_tasks(10)
    yield from map(CleanTask, range(2))


def passed(task: Task) -> Result:
    match task:
        case DetectionTask(row, rate):
            return Cell(row.name, rate, Outcome.PASS, (), 12, 1_200, dict.fromkeys(row.must, 12))
        case BaseTask():
            return Base(Outcome.PASS, 400_000, "nowhere")
        case PowerTask(mutation, size, rate, recordings):
            return Point(mutation, rate, size, recordings, 4, 4)
        case CleanTask(number):
            return CleanRun(number, "none", Outcome.PASS, 2_000)


@pytest.fixture
def kept(tmp_path: Path) -> State:
    """The state of a study that is through, and passed."""
    state = State(tmp_path, digest_of_the_code())
    for task in whole():
        state.keep(task.key, passed(task))
    return state


def run(folder: Path, *more: str) -> Done:
    asked = ("--state", str(folder), "--recordings", "10", "--clean-runs", "2")
    return CliRunner().invoke(app, ["selftest", *asked, *more])


def test_what_is_known_is_not_made_anew(kept: State, tmp_path: Path) -> None:
    assert kept.runs == tmp_path / digest_of_the_code() / "runs"
    done = run(tmp_path)
    assert done.exit_code == 0
    assert not kept.runs.exists()
    assert done.output.splitlines()[-1].startswith("PASS  ")


def test_a_miss_that_is_known_stays_one(kept: State, tmp_path: Path) -> None:
    missed = Cell("swap", 1, Outcome.FAIL, ("seq-contiguous did not fail",), 9, 9)
    kept.keep("matrix-swap-1", missed)
    done = run(tmp_path)
    assert done.exit_code == 1
    assert "swap at 100 %: MISSED: seq-contiguous did not fail" in done.output


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.UNKNOWN, 3), (Outcome.FAIL, 1)])
def test_a_clean_run_that_is_no_pass_decides(
    kept: State, tmp_path: Path, outcome: Outcome, code: int
) -> None:
    kept.keep("clean-001", CleanRun(1, "none", outcome, 2_000, ("why",)))
    assert run(tmp_path).exit_code == code


@pytest.mark.usefixtures("kept")
def test_the_page_is_written_with_its_picture(tmp_path: Path) -> None:
    page = tmp_path / "detection.md"
    assert run(tmp_path, "--docs", str(page)).exit_code == 0
    assert "![Share of recordings caught, by rate and size](detection.svg)" in page.read_text()
    assert digest_of_the_code() in page.read_text()
    assert (tmp_path / "detection.svg").read_text().startswith("<svg ")


@pytest.mark.parametrize("flags", [("--short",), ("--only", "swap"), ("--recordings", "0")])
def test_the_page_takes_the_whole_study(tmp_path: Path, flags: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["selftest", "--docs", str(tmp_path / "page.md"), *flags])
    assert isinstance(done.exception, UsageProblem)
    assert "the page holds the whole study" in str(done.exception)


def test_a_fault_that_is_none_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["selftest", "--only", "swapp", "--state", str(tmp_path)])
    assert isinstance(done.exception, UsageProblem)
    assert str(done.exception).startswith("--only swapp: no fault of this name; there are: pooled-mixup, ")


def test_a_fault_that_comes_later_is_refused_with_its_reason(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["selftest", "--only", "resume-loss", "--state", str(tmp_path)])
    assert isinstance(done.exception, UsageProblem)
    assert str(done.exception) == "--only resume-loss: the server cannot commit it yet: it comes with resume"


def test_the_faults_are_listed() -> None:
    done = CliRunner().invoke(app, ["selftest", "--list"])
    assert done.exit_code == 0
    assert "F17  swap" in done.output


def test_a_damaged_part_is_not_known(kept: State, tmp_path: Path) -> None:
    (tmp_path / digest_of_the_code() / "clean-000.json").write_text("{")
    assert kept.read("clean-000") is None
    assert kept.read("clean-001") is not None


def test_other_code_knows_nothing_of_it(kept: State, tmp_path: Path) -> None:
    assert kept.read("clean-001") is not None
    assert State(tmp_path, "0ther").read("clean-001") is None


def test_points_are_computed_in_processes_of_their_own(tmp_path: Path) -> None:
    header = Header("w1", "native", CLOCK, START, LIMITS, tuple(EVERY_RULE), "plan")
    rows = recording(40, 2, 3)
    path = tmp_path / "worker.sgr"
    path.write_bytes(block(header) + block(rows) + block(End(UNTIL)))
    tasks = [PowerTask(mutation, 400_000, 0.05, 3) for mutation in (Mutation.LOSS, Mutation.REPEAT)]
    found = dict(points(path, tasks, 2))
    assert set(found) == set(tasks)
    assert all(point.caught == point.struck == 3 for point in found.values())
    assert all(replace(point, mutation=Mutation.LOSS) == found[tasks[0]] for point in found.values())
    assert not multiprocessing.active_children()
