"""Over real sockets every fault of a server is found by its rule and by no other; what is unusual is none."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.command import ROOT, SECRET, Done, Run, Server
from tests.support.hostile_server import FAULTS, RULES, fault_of

PLAN = """
users = {users}
spawn_rate = 50
duration = {duration}
slack = {slack}
grace = 0.5
arrivals = {{ kind = "poisson", interval = 0.5 }}
"""


@contextmanager
def hostile(upstream: str, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.hostile_server", upstream, *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"ws://127.0.0.1:{int(server.stdout.readline())}/"
        finally:
            server.communicate()  # closes its standard input: it ends with us


def run(streamgauge: Run, where: Path, target: str, users: int, slack: float) -> Done:
    (where / "plan.toml").write_text(PLAN.format(users=users, duration=4, slack=slack))
    return streamgauge("run", "--plan", "plan.toml", "--target", target, secret=SECRET)


def test_every_fault_is_found_by_its_rule_and_by_no_other(
    streamgauge: Run, server: Server, tmp_path: Path
) -> None:
    with hostile(server.address) as target:
        done = run(streamgauge, tmp_path, target, users=len(FAULTS) + 3, slack=4)
    assert done.code == 1, done.out + done.err
    report = done.report
    findings = [finding for verdict in report.verdicts for finding in verdict.findings]
    assert len(findings) == sum(verdict.found for verdict in report.verdicts), "some were not kept"
    found = {(fault_of(finding.user), finding.rule.value) for finding in findings}
    assert found == set(RULES.items())
    assert len(findings) == len(FAULTS)
    assert report.counts.get("closed by the server", 0) == 0  # who broke WebSocket was left by us


def test_what_is_unusual_but_right_passes(streamgauge: Run, server: Server, tmp_path: Path) -> None:
    with hostile(server.address, "--unusual") as target:
        done = run(streamgauge, tmp_path, target, users=3, slack=15)
    assert done.code == 0, done.out + done.err
    assert done.report.counts["runs completed"] == done.report.counts["requests"] > 3
