"""A search for the capacity of real servers, in steps of seconds."""

import json
import sys
import time
from pathlib import Path

import pytest

from streamgauge.plan import load_plan
from streamgauge.report.render_json import read_json
from tests.support.command import UNDOUBTED, Run, Start

SLO = (
    """
spawn_rate = 100
slack = 3
arrivals = { kind = "constant", interval = 0.25 }
thresholds = ["p50(first_event) < 5s"]
"""
    + UNDOUBTED
)
ALLOWED = ("--allow-target", "bench.example.test")
FULL_AT_TWELVE = f"{sys.executable} -m reference_server --port 0 --max-connections 12"
SHORT = (
    "--slo",
    "slo.toml",
    "--from",
    "8",
    "--to",
    "64",
    "--step-time",
    "1s",
    "--within",
    "1",
    "--retests",
    "0",
)


@pytest.fixture(autouse=True)
def slo(tmp_path: Path) -> Path:
    file = tmp_path / "slo.toml"
    file.write_text(SLO)
    return file


def test_a_server_that_is_full_is_limited_by_its_refusals(streamgauge: Run) -> None:
    done = streamgauge("capacity", *SHORT, "--users", "120", "--json", "--server", FULL_AT_TWELVE, *ALLOWED)
    found = json.loads(done.out)
    capacity = found["capacity"]
    assert capacity["failed"] == {"users": 16, "seen": 1, "confirmed": True}, done.err
    assert capacity["limit"] == "refusals"
    assert "4 × HTTP 503" in capacity["why"]
    assert found["forecast"]["beyond"] == 10  # twelve were connected at most
    first, second = found["steps"]
    assert first["result"] in ("kept", "generator")  # that of a busy machine may be ill for a step
    if first["result"] == "kept":
        assert done.code == 0
        assert capacity["kept"]["users"] == 8
        assert found["forecast"]["server"]["processes"] == 15
    else:
        assert done.code == 3
    for step in (first, second):
        report = read_json((done.folder / step["folder"] / "report.json").read_bytes())
        assert report.plan["users"] == step["users"]
        planned = load_plan((done.folder / step["folder"] / "plan.toml").read_text(), "plan.toml")
        assert (planned.server, planned.allow_target) == (FULL_AT_TWELVE, ("bench.example.test",))
    assert json.loads((done.folder / "capacity.json").read_text()) == found
    assert "| 2 | 16 | climb | refusals |" in (done.folder / "report.md").read_text()


def test_only_an_upper_bound_and_quiet_steps_for_the_costs(streamgauge: Run, slo: Path) -> None:
    slo.write_text(SLO.replace("5s", "1us"))
    done = streamgauge("capacity", *SHORT, "--apart", "--json")
    found = json.loads(done.out)
    assert done.code == 3, done.err
    assert found["capacity"]["kept"] is None
    assert found["steps"][0]["result"] in ("target", "generator")
    assert [step["users"] for step in found["quiet"]] == [8, 4]
    loud, quiet = (
        read_json((done.folder / step["folder"] / "report.json").read_bytes()).counts["requests"]
        for step in (found["steps"][0], found["quiet"][0])
    )
    assert quiet < loud


def test_ctrl_c_ends_with_what_is_known(start: Start) -> None:
    running = start("streamgauge", "capacity", *SHORT, "--step-time", "3s")
    assert running.process.stderr is not None
    assert any(line.startswith("climb, 8 users: ") for line in running.process.stderr)
    time.sleep(2)
    running.interrupt()
    done = running.wait()
    assert done.code == 3, done.out + done.err
    assert done.out.splitlines()[-1].endswith("; interrupted")
    assert len(json.loads((done.folder / "capacity.json").read_text())["steps"]) == 1


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (("thresholds", "goodput"), (), "slo.toml: goodput: "),
        (
            ('"p50(first_event) < 5s"', '{ limit = "p50(run) < 5s", level = "warn" }'),
            (),
            "slo.toml: thresholds: there is none that could fail",
        ),
        (("", ""), ("--to", "7"), "--to 7: it is below --from 8"),
        (("", ""), ("--step-time", "0s"), "--step-time 0: nothing can be measured in no time"),
        (
            ('{ kind = "constant", interval = 0.25 }', '{ kind = "ramp", start = 2, end = 1, over = 9 }'),
            ("--apart",),
            "--apart: arrivals of the kind 'ramp' have no interval",
        ),
        (("", ""), ("--target", "ws://203.0.113.1/ws"), "203.0.113.1 is not this machine"),
    ],
)
def test_what_cannot_be_searched_leaves_no_folder(
    streamgauge: Run, slo: Path, change: tuple[str, str], options: tuple[str, ...], says: str
) -> None:
    slo.write_text(SLO.replace(*change) if change[0] else SLO)
    done = streamgauge("capacity", *SHORT, *options)
    assert done.code == 2
    assert says in done.err.splitlines()[-1]
    assert not done.results.exists() or not list(done.results.iterdir())
