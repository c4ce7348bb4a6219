"""What events cost: slices with, without and half with them, on one server."""

import pytest

from streamgauge.core.overhead import Overhead
from streamgauge.report.render_json import read_json
from tests.support.command import Done, Run

BLOCKS_S = "10s"


@pytest.fixture
def done(streamgauge: Run) -> Done:
    return streamgauge("run", "--scenario", "overhead", "--users", "16", "--duration", BLOCKS_S)


def test_the_cost_of_events_is_measured_and_told_in_one_sentence(done: Done, streamgauge: Run) -> None:
    assert done.code == 0, done.out + done.err
    report = done.report
    found = report.overhead
    assert isinstance(found, Overhead)
    assert found.blocks >= 6
    assert found.runs == 4 * 16 * found.blocks
    assert found.events_per_run == 11
    assert found.cpu is not None
    assert found.emission is not None
    assert found.execution is not None
    # whatever the machine does meanwhile, events are not free
    assert found.cpu.events.value_ns > 0
    assert 0 < found.cpu.share < 1
    assert found.emission.events.low_ns > 1_000
    assert found.emission.share < 0.5
    assert found.execution.whole_ns > 20_000_000  # the script sleeps for longer than that
    sentence = done.out.splitlines()[-4:]
    assert any(line.startswith("events cost a run ") for line in sentence)

    # runs without events are runs all the same, and judged as what they are
    assert report.counts["runs silent"] == pytest.approx(report.counts["runs completed"], rel=0.1)
    assert report.counts["runs silent"] + report.counts["runs completed"] == report.counts["requests"]
    assert all(verdict.exercised for verdict in report.verdicts if verdict.required)

    # and a recording tells it all again
    again = streamgauge("check", str(done.folder), "--json")
    assert again.code == 0
    assert read_json(again.out.encode()).overhead == found


def test_users_who_act_together_need_one_process(streamgauge: Run) -> None:
    done = streamgauge("run", "--scenario", "overhead", "--processes", "2")
    assert done.code == 2
    assert "--processes" in done.err
    assert not done.results.exists()
