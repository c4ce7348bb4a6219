from pathlib import Path

import pytest

from streamgauge import recordings
from streamgauge.core.recording import block
from streamgauge.core.timeline import Origin
from streamgauge.recordings import around, behind
from tests.streamgauge.core.test_recording import HEADER
from tests.support.history import opened, run, session, whole

ROWS = session(run(*whole()))
HERE, THERE = Origin("here", 5_000), Origin("there", 9_000)


def recording(path: Path) -> Path:
    path.write_bytes(block(HEADER) + block(ROWS))
    return path


def test_the_rows_of_all_recordings_are_read(tmp_path: Path) -> None:
    rows, lacking = around([(recording(tmp_path / "0.sgr"), HERE), (recording(tmp_path / "1.sgr"), THERE)])
    assert [(list(one.rows), one.behind_ns) for one in rows] == [(ROWS, 0), (ROWS, 4_000)]
    assert lacking == []


def test_those_of_other_machines_are_said_to_lack(tmp_path: Path) -> None:
    rows, lacking = around([(recording(tmp_path / "0.sgr"), HERE), (tmp_path / "1.sgr", THERE)])
    assert len(rows) == 1
    assert lacking == ["what was around findings: 1 of 2 recordings lie elsewhere"]


def test_a_run_of_hours_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "MOST_BYTES", 10)
    rows, (lacking,) = around([(recording(tmp_path / "0.sgr"), HERE)])
    assert rows == []
    assert "take more than" in lacking


def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "0.sgr"
    path.write_bytes(block(HEADER) + block([opened()]) + b"\0\0\0\x04oops")
    (rows,), _ = around([(path, HERE)])
    assert list(rows.rows) == [opened()]


def test_clocks_that_nobody_knows_are_left_alone() -> None:
    assert behind(Origin("there"), HERE) == behind(HERE, HERE) == 0
    assert behind(HERE, THERE) == -4_000
