import platform
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
from msgspec.structs import replace

from streamgauge import environment as module
from streamgauge.environment import COMMAND_VARIABLE, environment, fingerprint
from streamgauge.report.model import Environment

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def here() -> Environment:
    return environment(NOW)


def test_a_machine_is_known_by_its_parts_and_by_a_digest_of_them() -> None:
    one = here()
    assert one.started == "2026-11-23T08:00:00+00:00"
    assert len(one.fingerprint) == 12
    assert one.fingerprint == here().fingerprint
    assert list(one.packages) == [
        "gevent",
        "locust",
        "msgspec",
        "numpy",
        "readers",
        "streamgauge",
        "websockets",
    ]


def test_it_says_whether_the_readers_were_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    there = here()
    assert there.packages["readers"] == (
        "compiled" if find_spec("streamgauge.wire._frames") else "not compiled"
    )
    monkeypatch.setattr(module, "_COMPILED", ("streamgauge.no_such_module",))
    assert here().packages["readers"] == "not compiled"


@pytest.mark.parametrize(
    "change", [{"cpu": "another"}, {"cores": 99}, {"python": "3.99"}, {"system": "Plan 9"}, {"packages": {}}]
)
def test_whatever_may_change_figures_changes_the_digest(change: dict[str, object]) -> None:
    assert fingerprint(replace(here(), **change)) != here().fingerprint


@pytest.mark.parametrize("change", [{"started": "later"}, {"revision": "abc"}, {"command": "locust"}])
def test_when_and_of_which_code_does_not(change: dict[str, object]) -> None:
    assert fingerprint(replace(here(), **change)) == here().fingerprint


def test_the_processor_is_named_where_it_names_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n")
    monkeypatch.setattr(module, "_CPUINFO", told)
    assert here().cpu == "AMD EPYC"
    monkeypatch.setattr(module, "_CPUINFO", tmp_path / "nothing")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert here().cpu == "arm"


def test_the_command_is_the_one_that_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMAND_VARIABLE, "streamgauge run --users 3")
    assert here().command == "streamgauge run --users 3"
