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
