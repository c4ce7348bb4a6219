from __future__ import annotations

import json
from typing import TYPE_CHECKING

from peers.detection import FAULTS, Seen, cell, table
from peers.natural.testers import counted, reported
from peers.natural.tsung import errors, total

if TYPE_CHECKING:
    from pathlib import Path

TSUNG = """# stats: dump at 1795684787
stats: match 10 10
stats: nomatch 1 1
# stats: dump at 1795684797
stats: match 14 24
stats: error_unknown 2 2
stats: nomatch 0 1
"""


def test_a_tester_flags_by_its_exit_code_or_by_a_failure_it_counts() -> None:
    assert not Seen(0, 10, 0, 3).flagged
    assert Seen(99, 10, 0, 3).flagged
    assert Seen(0, 10, 1, 3).flagged
    assert Seen(None, 0, 0, 3).flagged


def test_a_cell_says_what_was_there_to_see() -> None:
    assert cell(Seen(0, 10, 0, 3)) == "not flagged: exit 0, 10 passed; 3 strikes"
    assert cell(Seen(1, 8, 2, 3)) == "**flagged**: exit 1, 2 of 10 failed; 3 strikes"
    assert cell(Seen(0, 10, 0, 0)) == "not flagged: exit 0, 10 passed"
    assert cell(Seen(None, 0, 0, 3)) == "did not end; 3 strikes"
    assert cell("not installed: no npm") == "not installed: no npm"


def test_every_row_has_a_cell_for_each_server() -> None:
    head, line, row = table({"k6": [Seen(0, 1, 0, 0)] * len(FAULTS)})
    assert head.count("|") == line.count("|") == row.count("|") == len(FAULTS) + 2


def test_a_script_s_last_line_counts(tmp_path: Path) -> None:
    assert counted('said\n{"passed": 1, "failed": 0}\n{"passed": 7, "failed": 2}\nbye\n', tmp_path) == (7, 2)
    assert counted("nothing", tmp_path) == (0, 0)


def test_a_report_counts_events_and_findings(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "a-run"
    folder.mkdir(parents=True)
    report = {"counts": {"events": 100}, "verdicts": [{"found": 3}, {"found": 1}]}
    (folder / "report.json").write_text(json.dumps(report))
    assert reported("", tmp_path) == (96, 4)


def test_the_last_total_of_a_tsung_log_counts() -> None:
    assert total(TSUNG, "match") == 24
    assert total(TSUNG, "nomatch") == 1
    assert total(TSUNG, "never") == 0
    assert errors(TSUNG) == 2
