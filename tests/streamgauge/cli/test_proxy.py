"""What `streamgauge proxy` is told, before it listens."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamgauge.cli import proxy
from streamgauge.cli.app import app
from streamgauge.cli.errors import UsageProblem
from streamgauge.core.strike import Fault
from streamgauge.rig.proxy import Settings
from streamgauge.rig.proxy_process import Place
from streamgauge.rig.strikes import Aim
from streamgauge.rig.toxics import Dose, Recipe

TARGET = "ws://127.0.0.1:8765/ws?tenant=acme"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be run."""
    given: list[Any] = []
    monkeypatch.setattr(proxy, "run_proxy", lambda *args: given.extend(args))
    return given


def invoke(*words: str, target: str = TARGET) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["proxy", "--target", target, *words])
    if isinstance(done.exception, UsageProblem):
        raise done.exception
    return done.exit_code, done.output


def test_without_a_fault_it_does_nothing(told: list[Any]) -> None:
    assert invoke() == (0, "")
    assert told == [Place(TARGET, path="/ws?tenant=acme"), Settings(), None]


def test_several_faults_at_once(told: list[Any]) -> None:
    words = "--latency 50ms --jitter 10ms-20ms:0.5 --bandwidth 10000 --cut-at 100-200:0.1 --slow-close 1s"
    more = "--drop 0.01 --swap-at 5 --double 0.5 --double-at 2 --after 3s --seed 7 --provable --drain 2s"
    assert invoke(*words.split(), *more.split(), "--log", "strikes.jsonl")[0] == 0
    place, settings, log = told
    assert (place.drain_s, log) == (2, Path("strikes.jsonl"))
    assert settings == Settings(
        Recipe(
            latency=Dose(0.05, 0.05),
            jitter=Dose(0.01, 0.02, 0.5),
            bandwidth=Dose(10_000, 10_000),
            cut=Dose(100, 200, 0.1),
            slow_close=Dose(1, 1),
        ),
        {Fault.DROP: Aim(0.01), Fault.DOUBLE: Aim(0.5, 2), Fault.SWAP: Aim(at=5)},
        seed=7,
        provable=True,
        after_s=3,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        *("--latency soon", "--latency 1s-500ms", "--after soon"),
        *("--cut-at 10:2", "--cut-at 10:0", "--cut-at 1.5", "--cut-at =", "--drop 2", "--drop-at 0"),
    ],
)
def test_what_is_no_fault_is_refused(told: list[Any], wrong: str) -> None:
    code, _ = invoke(*wrong.split())
    assert (code, told) == (2, [])


@pytest.mark.parametrize("wrong", ["0", "0-5000", "0:0.5"])
def test_a_bandwidth_that_lets_nothing_through_is_refused(told: list[Any], wrong: str) -> None:
    code, said = invoke("--bandwidth", wrong)
    assert (code, told) == (2, [])
    assert "lets nothing through: at least 1, or --blackhole-at 0" in " ".join(said.replace("│", " ").split())
    assert invoke("--bandwidth", "1", "--cut-at", "0")[0] == 0


@pytest.mark.parametrize("wrong", ["--latency 50", "--jitter 20-80ms", "--slow-close 1:0.5"])
def test_a_time_without_its_unit_is_refused(told: list[Any], wrong: str) -> None:
    code, said = invoke(*wrong.split())
    assert (code, told) == (2, [])
    assert "with its unit" in " ".join(said.split())


def test_a_target_that_is_not_this_machine_must_be_allowed(told: list[Any]) -> None:
    with pytest.raises(UsageProblem, match=r"needs --allow-target example\.org"):
        invoke(target="ws://example.org/ws")
    assert not told
    assert invoke("--allow-target", "example.org", target="ws://example.org/ws")[0] == 0
    assert told


@pytest.mark.parametrize(
    ("target", "words", "why"),
    [
        ("http://127.0.0.1/", (), "--target: .* is no ws://"),
        (TARGET, ("--protocol", "smoke"), "--protocol: there is no 'smoke'; known are native"),
        (TARGET, ("--ca-file", "ca.pem"), "--ca-file: a ws:// target shows no certificate"),
    ],
)
def test_what_cannot_be_is_said(told: list[Any], target: str, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageProblem, match=why):
        invoke(*words, target=target)
    assert not told
