"""The commands around a run: plans, replays, one look, the whole assessment."""

import json
import sys
from pathlib import Path

import pytest

from streamgauge.core.observation import Observation, Opened
from streamgauge.core.recording import End, Header, Recording
from streamgauge.plan import load_plan
from streamgauge.report.redact import digest
from streamgauge.report.render_json import read_json
from tests.support.artifacts import content
from tests.support.command import ROOT, SECRET, Run, Server, Start
from tests.support.history import CLOCK, LIMITS, SECOND, run, session, whole

SHORT = ("--users", "30", "--duration", "4s", "--interval", "500ms")


def rules(data: bytes) -> list[tuple[str, str, int, int]]:
    """What a report says of every rule."""
    return [(v.rule, v.outcome, v.exercised, v.found) for v in read_json(data).verdicts]


@pytest.mark.parametrize("arguments", [(), ("--scenario", "isolation"), ("--fault", "swap:0.05")])
def test_a_recording_gives_the_live_verdict(streamgauge: Run, arguments: tuple[str, ...]) -> None:
    live = streamgauge("run", *SHORT, *arguments)
    offline = streamgauge("check", str(live.folder), "--json")
    assert offline.code == live.code
    assert rules(offline.out.encode()) == rules((live.folder / "report.json").read_bytes())
    again = read_json(offline.out.encode())
    assert again.counts == live.report.counts
    assert again.faults == live.report.faults
    assert len(again.faults) == ("--fault" in arguments)


def test_a_report_is_rendered_again_as_it_was(streamgauge: Run) -> None:
    live = streamgauge("run", *SHORT)
    before = {path.name: path.read_bytes() for path in live.folder.iterdir() if path.is_file()}
    (live.folder / "report.md").unlink()
    again = streamgauge("report", str(live.folder))
    assert again.code == 0
    assert again.out.splitlines()[-1] == live.out.splitlines()[-1]
    for name in ("report.md", "report.json", "report.html", "junit.xml"):
        assert (live.folder / name).read_bytes() == before[name]
    assert streamgauge("report", str(live.folder / "report.json")).out == again.out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("report", "nothing/report.json: cannot be read (No such file or directory); is it a result folder?"),
        (
            "check",
            "nothing: cannot be read (No such file or directory); is it a result folder, or a recording",
        ),
    ],
)
def test_what_is_not_there_is_said_in_words(streamgauge: Run, command: str, says: str) -> None:
    done = streamgauge(command, "nothing")
    assert done.code == 2
    assert done.err.startswith(f"streamgauge: {says}")


def test_a_result_folders_plan_repeats_the_run(streamgauge: Run, tmp_path: Path) -> None:
    first = streamgauge("run", *SHORT, "--seed", "7")
    plan = first.folder / "plan.toml"
    text = plan.read_text()
    again = streamgauge("run", "--plan", str(plan), "--results", "again")
    (folder,) = (tmp_path / "again").glob("*-steady-*")
    assert again.code == 0, again.out + again.err
    assert (folder / "plan.toml").read_text() == text
    assert read_json((folder / "report.json").read_bytes()).plan["seed"] == 7


def test_a_result_folders_plan_starts_the_server_that_was_measured(streamgauge: Run, tmp_path: Path) -> None:
    full_at_four = f"{sys.executable} -m reference_server --port 0 --max-connections 4"
    first = streamgauge("run", *SHORT, "--users", "8", "--server", full_at_four)
    plan = str(first.folder / "plan.toml")
    assert load_plan(Path(plan).read_text(), plan).server == full_at_four
    again = streamgauge("run", "--plan", plan, "--results", "again")
    other = streamgauge("run", "--plan", plan, "--results", "other", "--server", "")
    assert first.code == again.code != 0
    assert other.code == 0, other.out + other.err
    assert ["HTTP 503" in done.out for done in (first, again, other)] == [True, True, False]
    digests = {
        read_json(path.read_bytes()).plan_digest
        for where in ("results", "again", "other")
        for path in (tmp_path / where).glob("*/report.json")
    }
    assert len(digests) == 1


def test_a_result_folders_plan_finds_the_users_own_scenario_and_all_that_flags_said(
    streamgauge: Run, tmp_path: Path
) -> None:
    steady = ROOT / "scenarios" / "steady.py"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text(steady.read_text())
    (tmp_path / "own" / "mine.toml").write_text("users = 4\nduration = 2\n")
    flags = ("--scenario", "own/mine.py", "--allow-target", "bench.example.test", "--processes", "2")
    first = streamgauge("run", *flags)
    assert "mine" in first.folder.name
    plan = load_plan((first.folder / "plan.toml").read_text(), "plan.toml")
    assert (plan.scenario, plan.allow_target) == ("../../own/mine.py", ("bench.example.test",))
    (tmp_path / "own" / "mine.toml").unlink()  # the plan is given, and no second one needed
    again = streamgauge("run", "--plan", str(first.folder / "plan.toml"), "--results", "again/deeper")
    (folder,) = (tmp_path / "again" / "deeper").glob("*-mine-*")
    assert again.code == first.code == 0, again.out + again.err
    report = read_json((folder / "report.json").read_bytes())
    assert (report.scenario, len(report.workers)) == ("mine", 2)
    assert report.plan_digest == first.report.plan_digest


def test_flags_override_a_plan(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('scenario = "burst"\nusers = 500\nduration = 60\n')
    done = streamgauge("run", "--plan", "plan.toml", *SHORT)
    assert done.code == 0, done.out + done.err
    assert done.report.scenario == "burst"
    assert done.report.counts["users"] == 30


def test_a_new_plan_is_a_valid_one(streamgauge: Run, tmp_path: Path) -> None:
    written = streamgauge("plan", "init", "--scenario", "interrupt")
    (tmp_path / "plan.toml").write_text(written.out)
    checked = streamgauge("plan", "check", "plan.toml")
    assert checked.code == 0
    assert "interrupt, 200 users" in checked.out


def test_a_recording_that_nobody_wrote_so_is_said_in_words(streamgauge: Run, tmp_path: Path) -> None:
    rows: list[Observation] = [row for row in session(run(*whole())) if not isinstance(row, Opened)]
    header = Header("w", "native", CLOCK, 0, LIMITS, (), "plan")
    (tmp_path / "odd.sgr").write_bytes(Recording(header, rows, End(9 * SECOND)).data())
    checked = streamgauge("check", "odd.sgr")
    assert checked.code == 2
    assert checked.err.startswith(
        "streamgauge: odd.sgr: no recording that streamgauge wrote: asked for q1 at "
    )


def test_a_plan_that_cannot_be_says_file_key_and_why(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("users = 0\n")
    checked = streamgauge("plan", "check", "plan.toml")
    assert checked.code == 2
    assert checked.err == "streamgauge: plan.toml: users: Expected `int` >= 1\n"


@pytest.mark.parametrize("scenario", ["burst", "interrupt", "stream"])
def test_the_other_scenarios_pass_too(streamgauge: Run, scenario: str) -> None:
    done = streamgauge("run", "--scenario", scenario, "--users", "30", "--duration", "8s")
    assert done.code == 0, done.out + done.err
    assert done.report.counts["runs"] == done.report.counts["requests"] > 0


def test_validate_names_each_event(streamgauge: Run) -> None:
    done = streamgauge("validate")
    assert done.code == 0, done.err
    assert "thinking        PRESENT ×4" in done.out
    assert "in order: 1, 2, 3" in done.out


def test_validate_sees_what_is_missing(streamgauge: Run) -> None:
    done = streamgauge("validate", "--fault", "drop-thinking")
    assert done.code == 1
    assert done.out.splitlines()[-1] == "FAIL  thinking-present"


def test_validate_demands_every_expected_event_but_no_tools_of_an_agent_of_ones_own(
    streamgauge: Run, server: Server
) -> None:
    asked = ("validate", "--target", server.address, "--agent", "nobody")
    done = streamgauge(*asked, secret=SECRET)
    assert done.code == 1
    assert "missing completed" in done.out.splitlines()[-1]
    done = streamgauge(*asked, "--expect", "tool_executing,completed", secret=SECRET)
    assert done.code == 1
    assert "missing tool_executing, completed" in done.out.splitlines()[-1]


PERSONAS = """
[[personas]]
name = "plain"
script = [{ do = "think" }, { do = "result" }]

[[personas]]
name = "failing"
script = [{ do = "fail" }]
"""


def test_validate_asks_as_the_personas_of_a_plan_do(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PERSONAS)
    done = streamgauge("validate", "--plan", "plan.toml")
    assert done.code == 0, done.out + done.err
    assert [line for line in done.out.splitlines() if line.startswith(("persona", "PASS  all"))] == [
        "persona 1 of 2, plain:",
        "persona 2 of 2, failing:",
        "PASS  all 2 personas",
    ]
    done = streamgauge("validate", "--plan", "plan.toml", "--expect", "completed")
    assert done.code == 1
    assert done.out.splitlines()[-1] == "FAIL  persona 2 of 2, failing"


UNHEARD = """
personas = [{ agent = "sql", script = [
    { do = "think" }, { do = "think" }, { do = "tool", name = "search" }, { do = "stream", chunks = 3 },
    { do = "result" },
] }]
"""


@pytest.mark.parametrize("command", [("run", *SHORT), ("validate",)], ids=["run", "validate"])
def test_an_agent_that_does_something_else_than_its_script_is_found(
    streamgauge: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "plan.toml").write_text(UNHEARD)
    done = streamgauge(*command, "--plan", "plan.toml")
    assert done.code == 1, done.out + done.err
    assert "not the parts of the script: 0 where 3 were due" in done.out


@pytest.mark.parametrize("command", ["run", "assess", "validate"])
def test_a_script_needs_measuring_controls_and_whoever_asks_says_so(
    streamgauge: Run, server: Server, tmp_path: Path, command: str
) -> None:
    (tmp_path / "plan.toml").write_text(PERSONAS)
    done = streamgauge(command, "--plan", "plan.toml", "--target", server.address, secret=SECRET)
    assert done.code == 2, done.out + done.err
    assert "start it with --measure" in done.err.splitlines()[-1]


def test_a_condition_of_the_plan_stops_the_run(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('abort_on = ["findings > 20"]\n')
    done = streamgauge(
        "run", "--plan", "plan.toml", "--users", "50", "--duration", "60s", "--fault", "drop-thinking"
    )
    assert done.code == 1, done.out + done.err
    assert done.report.cut_short
    assert any(doubt.name == "stopped early" for doubt in done.report.doubts)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_run_that_was_stopped_is_no_pass_however_well_it_went(streamgauge: Run, processes: str) -> None:
    flags = ("--users", "20", "--duration", "60s", "--processes", processes)
    done = streamgauge("run", *flags, "--abort-on", "runs >= 30")
    assert done.code == 3, done.out + done.err
    assert done.report.cut_short
    assert "stopped early: runs >= 30" in done.out.splitlines()[-1]
    again = streamgauge("check", str(done.folder))
    assert again.code == 3, again.out + again.err
    assert "stopped early: runs >= 30" in again.out.splitlines()[-1]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_cap_on_runs_ends_the_load_and_the_verdict_stands(streamgauge: Run, processes: str) -> None:
    flags = ("--users", "20", "--duration", "60s", "--most-runs", "51", "--processes", processes)
    done = streamgauge("run", *flags)
    assert done.code == 0, done.out + done.err
    assert not done.report.cut_short
    assert done.report.counts["requests"] == done.report.counts["runs completed"] == 51
    assert "cut: at 51 runs (limit most_runs 51)" in done.out


def test_raw_messages_are_kept_where_they_are_asked_for_but_no_secret(
    streamgauge: Run, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text('personas = [{ prompts = ["Why is password=hunter2 weak?"] }]\n')
    flags = ("--plan", "plan.toml", "--target", server.address, *SHORT, "--users", "5", "--record", "raw")
    done = streamgauge("run", *flags, secret=SECRET)
    assert done.code == 0, done.out + done.err
    (raw,) = done.folder.glob("recording/*.raw.jsonl")
    said = [json.loads(line) for line in raw.read_text().splitlines()]
    ways = [one["way"] for one in said]
    counts = done.report.counts
    assert (ways.count("in"), ways.count("out")) == (counts["messages"], counts["requests"])
    asked = [one["message"]["payload"]["user_request"] for one in said if one["way"] == "out"]
    assert all(text.startswith("Why is password=[redacted] weak?") for text in asked)
    for secret in (b"hunter2", b"eyJ", SECRET.encode(), b"sgcanary"):
        assert secret not in raw.read_bytes()
    assert streamgauge("check", str(done.folder)).code == 0


def test_a_target_elsewhere_must_be_allowed(streamgauge: Run) -> None:
    done = streamgauge("run", "--target", "ws://192.0.2.1:80/ws", secret=SECRET)
    assert done.code == 2
    assert "--allow-target 192.0.2.1" in done.err


def test_secrets_reach_no_artifact_and_prompts_the_plan_alone(start: Start, tmp_path: Path) -> None:
    """Neither a secret nor a token is anywhere; what users and agents say is where a run is repeated from."""
    secret = "planted-secret-that-must-never-be-seen-anywhere"
    spoken, thought = "planted words of a user", "planted thoughts of an agent"
    server = start("reference_server", "--port", "0", "--measure", "--log-level", "debug", secret=secret)
    assert server.process.stdout is not None
    address = json.loads(server.process.stdout.readline())["listening"]
    script = f'[{{ do = "think", text = "{thought}" }}, {{ do = "result" }}]'
    (tmp_path / "plan.toml").write_text(f'personas = [{{ prompts = ["{spoken}"], script = {script} }}]\n')
    done = start(
        *("streamgauge", "run", "--plan", "plan.toml", "--target", address, "--secret", secret, *SHORT)
    ).wait()
    assert done.code == 3, done.err  # no tool was called
    checked = start("streamgauge", "check", str(done.folder)).wait()
    server.interrupt()
    log = server.wait()
    told = {path: content(path) for path in done.results.rglob("*") if path.is_file()}
    told |= {Path("out"): done.out.encode(), Path("err"): done.err.encode(), Path("log"): log.err.encode()}
    told |= {Path("check"): checked.out.encode() + checked.err.encode()}
    assert {"plan.toml", "report.json", "report.md", "report.html", "junit.xml", "worker-0.sgr"} <= {
        path.name for path in told
    }
    for path, words in told.items():
        assert secret.encode() not in words, path
        assert b"eyJ" not in words, path  # how every JWT begins
        for said in (spoken, thought):
            assert (said.encode() in words) is (path.name == "plan.toml"), path
    assert done.report.plan["personas"] == [
        {
            "prompts": [f"23 characters, {digest(spoken)}"],
            "script": [
                {"do": "think", "text": f"28 characters, {digest(thought)}"},
                {"do": "result"},
            ],
        }
    ]
