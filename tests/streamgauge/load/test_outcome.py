import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis
from streamgauge.core.contract import Rule
from streamgauge.core.histogram import Histogram
from streamgauge.core.vitals import Vitals
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.plan import digest, load_plan, make_plan
from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json
from tests.support.apart import INSIDE
from tests.support.history import CLOCK, LIMITS, run, session, started, whole
from tests.support.peer import Peer

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.bench import Share
    from streamgauge.load.outcome import Outcome, conclude_run

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
PLAN = make_plan({"target": "ws://127.0.0.1:1/ws", "users": 1, "required": [Rule.ECHO, Rule.PROTOCOL]})


def share(worker: str = "worker-1", **settings: object) -> "Share":
    """What a worker brings home who saw one whole run."""
    analysis = Analysis(LIMITS, CLOCK, 0)
    for row in session(run(*whole(), user=worker, name=f"run of {worker}")):
        analysis.add(row)
    own: dict[str, object] = {"recording": f"recording/{worker}.sgr", "unconnected": {}, **settings}
    return Share(worker, analysis.finish(10**10), 0.5, **own)  # type: ignore[arg-type]  # as named by a test


def read(folder: Path) -> Report:
    return read_json((folder / "report.json").read_bytes())


def voiding(folder: Path) -> list[tuple[str, str]]:
    """The doubts that void the verdict."""
    return [(doubt.name, doubt.value) for doubt in read(folder).doubts if doubt.voids == "verdict"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results" / "new"


def test_a_run_leaves_a_folder_and_a_verdict(folder: Path) -> None:
    outcome = conclude_run(PLAN, folder, [share()], cut_short=False)
    assert outcome.exit_code == 0, outcome.text
    assert outcome.text.splitlines()[-1].startswith("PASS  steady: ")
    assert {path.name for path in folder.iterdir()} >= {"report.json", "report.md", "junit.xml", "plan.toml"}
    assert load_plan((folder / "plan.toml").read_text(), "plan.toml") == PLAN


def test_shares_are_merged(folder: Path) -> None:
    conclude_run(PLAN, folder, [share("w1"), share("w2")], cut_short=True)
    report = read(folder)
    assert (report.counts["users"], report.counts["runs"], report.cut_short) == (2, 2, True)
    assert [worker.name for worker in report.workers] == ["w1", "w2"]
    assert report.recordings == ("recording/w1.sgr", "recording/w2.sgr")


def test_how_a_worker_was_stands_beside_what_it_saw(folder: Path) -> None:
    lag = Histogram()
    for _ in range(299):
        lag.add(5_000)
    vitals = Vitals(10**9, waited_ns=10**8, loop_lag=lag.distribution(), collections=(3, 2, 1))
    conclude_run(PLAN, folder, [share("w1", vitals=vitals), share("w2")], missing=[], cut_short=False)
    known, unknown = read(folder).workers
    assert (known.waited, known.stolen, known.collections) == (0.1, None, (3, 2, 1))
    assert known.loop_lag_p99_ns == 5_000
    assert known.lag_p99_ns is None  # of a handful of messages
    assert (unknown.waited, unknown.loop_lag_p99_ns) == (None, None)


def test_the_limits_of_doubts_are_the_plans(folder: Path) -> None:
    waited = share(vitals=Vitals(10**9, waited_ns=10**8))
    for limit, found in ((0.1, []), (0.09, ["run-queue wait"])):
        plan = make_plan({**msgspec.to_builtins(PLAN), "doubts": {"run_queue_wait": limit}})
        conclude_run(plan, folder, [waited], missing=[], cut_short=False)
        assert [doubt.name for doubt in read(folder).doubts if doubt.name == "run-queue wait"] == found


def test_a_missing_worker_makes_the_verdict_unknown(folder: Path) -> None:
    outcome = conclude_run(PLAN, folder, [share()], missing=["gen-2 (20 users)"], cut_short=False)
    assert outcome.exit_code == 3
    assert outcome.text.splitlines()[-1].startswith("UNKNOWN")
    assert voiding(folder) == [("workers missing", "gen-2 (20 users)")]


def test_without_any_share_there_is_nothing_to_judge(folder: Path) -> None:
    outcome = conclude_run(PLAN, folder, [], cut_short=False)
    assert outcome == Outcome("UNKNOWN  no worker brought its share: nothing was measured\n", 3)
    outcome = conclude_run(PLAN, folder, [], missing=["a (1 user)", "b (2 users)"], cut_short=False)
    assert outcome.text.endswith("nothing was measured, missing are a (1 user), b (2 users)\n")


def test_a_folder_that_cannot_be_written_is_said_and_the_verdict_is_printed(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    folder = tmp_path / "taken" / "results"
    outcome = conclude_run(PLAN, folder, [share()], cut_short=False)
    first, *_, last = outcome.text.splitlines()
    assert first == f"{folder}: the report could not be written: Not a directory"
    assert last.startswith("PASS  steady: ")
    assert outcome.exit_code == 3  # nobody can look it up


def test_a_breach_fails(folder: Path) -> None:
    broken = share()
    analysis = Analysis(LIMITS, CLOCK, 0)
    for row in session(run(started(), *whole()[3:], user="bob", name="r2")):
        analysis.add(row)
    other = Share("w2", analysis.finish(10**10), 0.5, "w2.sgr", {})
    outcome = conclude_run(PLAN, folder, [broken, other], cut_short=False)
    assert outcome.exit_code == 1
    assert "thinking-present" in outcome.text


def test_what_kept_users_away_is_summed_over_the_workers(folder: Path) -> None:
    shares = [share("w1", unconnected={"HTTP 503 full": 2}), share("w2", unconnected={"HTTP 503 full": 3})]
    assert conclude_run(PLAN, folder, shares, cut_short=False).exit_code == 3
    assert voiding(folder) == [("users not connected", "5 × HTTP 503 full")]


def test_no_token_reaches_the_terminal_or_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_COMMAND", f"streamgauge run --secret {TOKEN}")
    troubled = share(troubles=(f"1 × KeyError in a callback: {TOKEN}",), unconnected={f"401 {TOKEN}": 1})
    outcome = conclude_run(PLAN, folder, [troubled], cut_short=False)
    everything = [outcome.text, *(path.read_text() for path in folder.rglob("*") if path.is_file())]
    assert "KeyError in a callback" in outcome.text
    assert not any(TOKEN[:20] in text for text in everything)


# The trend


def test_a_run_adds_a_line_to_the_trend(folder: Path) -> None:
    for _ in range(2):
        conclude_run(PLAN, folder, [share()], cut_short=False)
    lines = [json.loads(line) for line in (folder.parent / "trend.jsonl").read_text().splitlines()]
    assert [(line["folder"], line["outcome"]) for line in lines] == [("new", read(folder).outcome)] * 2
    assert lines[0]["plan"] == read(folder).plan_digest == digest(PLAN)
    assert lines[0]["machine"] == read(folder).environment.fingerprint


def test_where_a_command_makes_several_runs_they_have_one_trend(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMGAUGE_TREND", str(folder.parent / "trend.jsonl"))
    for look in ("one", "other"):
        conclude_run(PLAN, folder / look, [share()], cut_short=False)
    lines = [json.loads(line) for line in (folder.parent / "trend.jsonl").read_text().splitlines()]
    assert [line["folder"] for line in lines] == ["new/one", "new/other"]
    assert sorted(path.name for path in folder.iterdir()) == ["one", "other"]


def test_a_trend_that_cannot_be_written_breaks_no_run(folder: Path) -> None:
    (folder.parent / "trend.jsonl").mkdir(parents=True)
    outcome = conclude_run(PLAN, folder, [share()], cut_short=False)
    assert (
        outcome.text.splitlines()[0]
        == f"{folder.parent / 'trend.jsonl'}: no line could be added: Is a directory"
    )
    assert OF_OUTCOME[read(folder).outcome] == outcome.exit_code


# How often our own server's faults struck


def test_strikes_that_nobody_counted_are_unknown(folder: Path, peer: Peer) -> None:
    for target in ("ws://127.0.0.1:1/ws", peer.address("answers")):  # nobody there; no metrics there
        plan = replace(make_plan({"faults": ["swap:0.1"]}), target=target)
        conclude_run(plan, folder, [share()], cut_short=False)
        assert [(fault.name, fault.struck) for fault in read(folder).faults] == [("swap:0.1", None)]
