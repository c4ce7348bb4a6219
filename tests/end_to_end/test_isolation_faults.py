"""What mixes users up, found by the plan of `isolation`: by the right rule, by none outside its row."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command import ROOT, Done, Run


class Row(NamedTuple):
    """A fault's row of docs/faults.md."""

    must: str
    may: frozenset[str] = frozenset()


ROWS = {
    "pooled-mixup": Row("isolation-canary", frozenset({"echo", "isolation-envelope", "complete"})),
    "shared-global": Row(
        "isolation-canary", frozenset({"isolation-envelope", "seq-contiguous", "complete", "echo"})
    ),
    "registry-by-user": Row("complete", frozenset({"no-silence"})),
    "colliding-ids": Row(
        "isolation-canary", frozenset({"isolation-envelope", "seq-contiguous", "complete", "echo"})
    ),
    "lost-context": Row("isolation-canary", frozenset({"isolation-envelope", "echo"})),
    "cache-key": Row("isolation-canary", frozenset({"echo"})),
    "cancel-bystander": Row("complete"),
}
SMALL = {"users": 40, "spawn_rate": 100, "duration": 2.5, "interval": "0.5", "slack": 4}


def isolated(streamgauge: Run, tmp_path: Path, fault: str) -> Done:
    """The scenario, small, and with less patience than a user has."""
    text = "slack = 15\n" + (ROOT / "scenarios" / "isolation.toml").read_text()
    for key, value in SMALL.items():
        text, n = re.subn(rf"\b{key} = [\d.]+", f"{key} = {value}", text)
        assert n == 1, key
    (tmp_path / "plan.toml").write_text(text)
    return streamgauge("run", "--plan", "plan.toml", "--fault", fault)


@pytest.mark.parametrize("fault", ROWS)
def test_each_mix_up_is_found_by_its_rule_and_by_none_outside_its_row(
    streamgauge: Run, tmp_path: Path, fault: str
) -> None:
    done = isolated(streamgauge, tmp_path, fault)
    must, may = ROWS[fault]
    assert done.code == 1, done.out + done.err
    assert must in done.failing
    assert done.failing <= {must, *may}
    report = done.report
    (committed,) = report.faults
    assert committed.struck
    findings = [found for verdict in report.verdicts if verdict.rule == must for found in verdict.findings]
    assert any(witness.guilty for found in findings for witness in found.witnesses)
    if must.startswith("isolation"):
        assert all(found.other not in {"", found.user} for found in findings)
