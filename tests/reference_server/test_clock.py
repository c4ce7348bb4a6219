from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from reference_server import clock

if TYPE_CHECKING:
    import pytest


def test_processes_of_one_boot_share_a_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "boot_id").write_text("5c0f\n")
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "boot_id")
    assert clock.clock_id("mine") == "5c0f"
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "none")
    assert clock.clock_id("mine") == "mine"


def test_the_wall_clock_knows_its_zone() -> None:
    assert clock.Clock().now().tzinfo is UTC


def test_a_time_namespace_makes_another_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "boot_id").write_text("5c0f\n")
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "boot_id")
    offsets = tmp_path / "timens_offsets"
    monkeypatch.setattr(clock, "TIME_OFFSETS", offsets)
    offsets.write_text("monotonic           0         0\nboottime            4         0\n")
    assert clock.clock_id("mine") == "5c0f"
    offsets.write_text("monotonic       86400         5\nboottime            0         0\n")
    assert clock.clock_id("mine") == "5c0f+86400.000000005"
    offsets.unlink()
    assert clock.clock_id("mine") == "5c0f"
