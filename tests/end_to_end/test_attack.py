"""The attack list against the real reference server: right, and with each hole."""

import re
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamgauge.cli.app import app
from streamgauge.core.attack import ATTACKS
from streamgauge.core.finding import Outcome
from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json
from tests.support.command import SECRET, Done, Run, Start, Started

PLAN = """
slack = 3
grace = 0.2
[attack]
patience = 6
pairs = 40
connections = 12
allow = ["127.0.0.1"]
"""
QUICK = ("--open-timeout", "1", "--origin", "http://127.0.0.1")
NOT_OFFERED = {
    "foreign thread followed",
    "foreign session resumed",
    "expired session resumed",
    "session resumed twice",
    "compressed bomb",
}

Attack = Callable[..., Done]


@pytest.fixture
def attack(start: Start, streamgauge: Run, tmp_path: Path) -> Attack:
    """Attack a reference server with these flags, patient for a second."""

    def attack(*flags: str) -> Done:
        process = start("reference_server", "--port", "0", *QUICK, *flags, secret=SECRET).process
        assert process.stdout is not None
        listening = re.search(r'"listening":"([^"]+)"', process.stdout.readline())
        assert listening is not None
        plan = tmp_path / "attack.toml"
        plan.write_text(PLAN)
        return streamgauge("attack", "--plan", str(plan), "--target", listening[1], secret=SECRET)

    return attack


def failing(done: Done) -> set[str]:
    """The attacks that were not answered as stated."""
    assert done.report.attack is not None
    return {one.name for one in done.report.attack.attacks if one.outcome is Outcome.FAIL}


def checked(done: Done) -> Report:
    """The report that its recording gives."""
    again = CliRunner().invoke(app, ["check", str(done.folder), "--json"])
    return read_json(again.output.encode())


def test_the_reference_server_answers_every_attack_as_stated(attack: Attack) -> None:
    done = attack()
    assert done.code == 0, done.out
    assert (done.folder / "recording" / "bystanders.sgr").is_file()  # what is judged again, as of every test
    campaign = done.report.attack
    assert campaign is not None
    outcomes = {one.name: one.outcome for one in campaign.attacks}
    assert set(outcomes) == {each.name for each in ATTACKS}
    assert {name for name, outcome in outcomes.items() if outcome is None} == NOT_OFFERED
    assert {outcome for name, outcome in outcomes.items() if name not in NOT_OFFERED} == {Outcome.PASS}
    assert campaign.runs > 20
    assert campaign.telling is not None
    assert campaign.telling.pairs == 40
    assert "kernel stamps missing" not in {doubt.name for doubt in done.report.doubts}  # nobody reads any
    assert checked(done).doubts == done.report.doubts
    assert "isolation-timing: 'not yours' and 'does not exist'" in done.out
    for name in ("report.json", "report.md", "report.html", "junit.xml", "plan.toml"):
        content = (done.folder / name).read_text()
        assert SECRET not in content
        assert "eyJ" not in content  # how a token begins
        assert "sgcanary" not in content
    assert (
        '<testcase classname="streamgauge attack.attacks" name="alg none"'
        in (done.folder / "junit.xml").read_text()
    )


def test_a_server_that_verifies_no_tokens_is_found(attack: Attack) -> None:
    done = attack("--measure", "--fault", "alg-none")
    assert (done.code, done.failing) == (1, {"isolation-active"})
    assert failing(done) == {
        "alg none",
        "RS/HS confusion",
        "key id a path",
        "wrong key",
        "expired token",
        "token not yet valid",
        "wrong audience",
    }


def test_an_oracle_is_found(attack: Attack) -> None:
    done = attack("--measure", "--fault", "oracle")
    assert (done.code, done.failing) == (1, {"isolation-active"})
    assert failing(done) == {"foreign run cancelled", "foreign run spoken into"}
    assert "told apart from what does not exist" in done.out


def test_routes_by_chosen_ids_are_found(attack: Attack) -> None:
    done = attack("--measure", "--fault", "colliding-ids")
    assert done.code == 1
    assert failing(done) == {"chosen ids"}
    assert done.failing >= {"isolation-active", "complete"}  # what went to the attacker, a bystander lacks
    findings = [one for verdict in done.report.verdicts for one in verdict.findings]
    (harm,) = (one.problem for one in findings if "came to harm" in one.problem)
    assert {*harm.partition(": see ")[2].split(", ")} <= {one.id for one in findings}


def test_a_load_may_run_beside_it(streamgauge: Run, tmp_path: Path) -> None:
    plan = tmp_path / "beside.toml"
    beside = "users = 20\nduration = 18\nspawn_rate = 20\narrivals = { kind = 'poisson', interval = 1 }\n"
    plan.write_text(f"scenario = 'attack'\n{beside}{PLAN}")
    server = f"{shlex.quote(sys.executable)} -m reference_server --port 0 --open-timeout 1"
    done = streamgauge("run", "--plan", str(plan), "--server", server)
    assert done.code == 0, done.out
    (verdict,) = (one for one in done.report.verdicts if one.rule == "isolation-active")
    assert (verdict.outcome, verdict.required, verdict.exercised) == (Outcome.PASS, True, 30)
    assert done.report.counts["users"] == 20


def test_a_run_that_ends_before_the_list_is_inconclusive(streamgauge: Run) -> None:
    done = streamgauge("run", "--scenario", "attack", "--users", "5", "--spawn-rate", "5", "--duration", "3s")
    assert done.code == 3, done.out
    assert "isolation-active: required, and not exercised" in done.out


def until_it_says(running: Started, outcome: str) -> None:
    """Until an attack has come to this."""
    assert running.process.stderr is not None
    assert any(line.startswith(outcome) for line in running.process.stderr)


def test_ctrl_c_reports_the_attacks_that_were_carried_out(start: Start) -> None:
    running = start("streamgauge", "attack")
    until_it_says(running, "pass")
    running.interrupt()
    done = running.wait()
    assert done.code == 3, done.out + done.err
    assert done.out.splitlines()[-1].endswith("(cut short)")
    report = done.report
    assert report.cut_short
    assert report.attack is not None
    attacks = {one.name: one for one in report.attack.attacks}
    assert set(attacks) == {each.name for each in ATTACKS}
    assert attacks["claimed user"].outcome is Outcome.PASS
    left = attacks["too many connections"]
    assert (left.outcome, left.said) == (Outcome.UNKNOWN, "interrupted")
    assert report.counts["requests"] == report.counts["runs completed"]
    assert checked(done).cut_short


def test_what_was_found_before_ctrl_c_fails(start: Start) -> None:
    running = start("streamgauge", "attack", "--fault", "oracle")
    until_it_says(running, "FAIL")
    running.interrupt()
    done = running.wait()
    assert (done.code, done.failing) == (1, {"isolation-active"})
    assert "foreign run cancelled" in failing(done)


def test_a_second_ctrl_c_waits_for_no_run(start: Start, tmp_path: Path) -> None:
    plan = tmp_path / "long.toml"
    first = "[attack]\nanswers = { 'claimed user' = [] }\n"  # over at once
    script = "[[personas]]\nscript = [{ do = 'sleep', ms = 120000 }, { do = 'result' }]\n"
    plan.write_text(f"slack = 60\n{first}{script}")
    running = start("streamgauge", "attack", "--plan", str(plan))
    until_it_says(running, "not exercised")
    running.interrupt()
    time.sleep(1)
    assert running.process.poll() is None  # it waits for runs
    running.interrupt()
    done = running.wait()
    assert done.code == 3, done.out + done.err
    assert done.report.duration_s < 60  # half of what the run under way takes


def test_ctrl_c_before_the_first_attack_leaves_nothing(start: Start) -> None:
    running = start("streamgauge", "attack")
    deadline = time.monotonic() + 30
    while not [*running.where.glob("results/*/server.log")]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.interrupt()
    done = running.wait()
    assert done.code == 130, done.out + done.err
    assert "interrupted before there was anything to judge" in done.err
    assert [*done.results.iterdir()] == []


@pytest.mark.parametrize(
    "command",
    [
        ("attack",),
        ("attack", "--allow-attack", "localhost"),
        ("run", "--scenario", "attack"),
    ],
)
def test_nobody_is_attacked_who_is_not_named(streamgauge: Run, command: tuple[str, ...]) -> None:
    done = streamgauge(*command, "--target", "ws://127.0.0.1:9/ws", secret=SECRET)
    assert done.code == 2
    assert "127.0.0.1 may not be attacked" in done.err
    assert "--allow-attack 127.0.0.1" in done.err
    assert not done.results.exists()


@pytest.mark.parametrize(
    ("flag", "value", "why"),
    [("--patience", "0", "give the server some time"), ("--pairs", "100001", "100000")],
)
def test_what_cannot_be_waited_for_is_refused(streamgauge: Run, flag: str, value: str, why: str) -> None:
    done = streamgauge("attack", flag, value)
    assert done.code == 2
    assert why in done.err
    assert not done.results.exists()


def test_a_target_that_is_not_there_is_said_and_leaves_nothing(streamgauge: Run) -> None:
    target = ("--target", "ws://127.0.0.1:9/ws", "--allow-attack", "127.0.0.1")
    done = streamgauge("attack", *target, secret=SECRET)
    assert done.code == 2
    assert "the bystanders cannot connect" in done.err
    assert [*done.results.iterdir()] == []
