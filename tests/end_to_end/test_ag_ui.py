"""A server of AG-UI under the real command: what it promises is judged, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from streamgauge.core.contract import ATTACKED, Rule
from streamgauge.core.recording import Recording
from streamgauge.plan import load_plan
from tests.support.ag_ui import AG_UI
from tests.support.command import ROOT, Run

UNPROMISED = {
    "thinking-present",
    "seq-contiguous",
    "offset-contiguous",
    "partial-integrity",
    "isolation-envelope",
    "resource",
}


@contextmanager
def ag_ui_server(*faults: str) -> Iterator[tuple[str, ...]]:
    """A server with these faults; yields what a run against it is given."""
    command = [sys.executable, "-m", "tests.support.ag_ui_server", *faults]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        target = f"ws://127.0.0.1:{int(server.stdout.readline())}/"
        try:
            yield ("--protocol", "ag-ui", "--target", target, "--users", "20", "--duration", "4s")
        finally:
            server.communicate()  # closes its standard input: it ends with us


@pytest.mark.parametrize("scenario", ["steady", "isolation"])
def test_a_correct_server_passes(streamgauge: Run, tmp_path: Path, scenario: str) -> None:
    # isolation's own plan has users who cancel
    own = "witness_share = 0.1\nreopen = 1\n" if scenario == "isolation" else ""
    (tmp_path / "plan.toml").write_text(f'scenario = "{scenario}"\n{own}')
    with ag_ui_server() as target:
        done = streamgauge("run", "--plan", "plan.toml", *target, secret="x")
    assert done.code == 0, done.out + done.err
    report = done.report
    verdicts = {verdict.rule.value: verdict for verdict in report.verdicts}
    assert {rule for rule, verdict in verdicts.items() if not verdict.promised} == UNPROMISED
    needed = [verdict for verdict in verdicts.values() if verdict.required]
    assert {verdict.rule.value for verdict in needed} == {*verdicts} - UNPROMISED - ATTACKED
    assert all(verdict.exercised for verdict in needed)
    assert report.counts["requests"] == report.counts["runs completed"] > 20
    assert report.counts["events"] == 18 * report.counts["runs completed"]
    assert all(share.good == share.of > 0 for share in report.shares)
    assert report.counts.get("cancels", 0) == 0  # there is no message for it


def test_what_is_not_promised_says_so_in_every_file(streamgauge: Run) -> None:
    with ag_ui_server() as target:
        done = streamgauge("run", "--scenario", "steady", *target, secret="x")
    (line,) = (line for line in done.out.splitlines() if line.startswith("seq-contiguous"))
    assert line.split(maxsplit=1)[1] == "not promised"
    assert "| seq-contiguous | not promised |" in (done.folder / "report.md").read_text()
    junit = ET.parse(done.folder / "junit.xml")
    (case,) = (case for case in junit.findall(".//testcase") if case.get("name") == "seq-contiguous")
    assert [(answer.tag, answer.get("message")) for answer in case] == [
        ("skipped", "seq-contiguous: not promised by the protocol")
    ]
    (path,) = done.folder.glob("recording/*.sgr")
    header = Recording.of(path.read_bytes()).header  # so it can be judged again without its protocol
    assert set(header.promises) == AG_UI.promises == set(Rule) - UNPROMISED
    assert set(header.required) == AG_UI.promises - ATTACKED
    again = streamgauge("check", str(done.folder))
    assert again.code == 0, again.out + again.err
    assert [line for line in again.out.splitlines() if "promised" in line] == [
        line for line in done.out.splitlines() if "promised" in line
    ]
    plan = load_plan((done.folder / "plan.toml").read_text(), "plan.toml")
    assert (plan.protocol, plan.required) == ("ag-ui", ())


@pytest.mark.parametrize(
    ("fault", "code", "last"),
    [
        ((), 0, "PASS  every expected event came, and no rule was broken"),
        (("--drop", "TOOL_CALL_END"), 1, "FAIL  missing tool_completed; tool-pairing"),
    ],
)
def test_one_look_needs_no_load(streamgauge: Run, fault: tuple[str, ...], code: int, last: str) -> None:
    with ag_ui_server(*fault) as target:
        done = streamgauge("validate", *target[:4], secret="x")
    assert done.code == code, done.out + done.err
    assert done.out.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (("--drop", "RUN_STARTED"), "started-first"),
        (("--drop", "TEXT_MESSAGE_END"), "protocol"),
        (("--drop", "TOOL_CALL_END"), "tool-pairing"),
        (("--mix",), "isolation-canary"),
    ],
)
def test_a_faulty_server_fails_by_the_rule_it_breaks(
    streamgauge: Run, fault: tuple[str, ...], rule: str
) -> None:
    with ag_ui_server(*fault) as target:
        done = streamgauge("run", "--scenario", "steady", *target, secret="x")
    assert done.code == 1, done.out + done.err
    assert done.failing == {rule}


def test_users_who_cancel_are_refused_where_no_message_does(streamgauge: Run) -> None:
    done = streamgauge("run", "--scenario", "interrupt", "--protocol", "ag-ui")
    assert done.code == 2
    assert "interrupt.toml: personas[1].cancel_share: the protocol 'ag-ui' has no message that" in done.err
    assert not done.results.exists()
