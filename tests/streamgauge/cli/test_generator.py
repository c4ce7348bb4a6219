import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamgauge.cli.generator import Overdue, await_end, run_locust, shown
from streamgauge.cli.interruption import Interruptions
from streamgauge.plan import Plan
from streamgauge.report.redact import redacted

SECRET = "hunter2 hunter2"
PLAN = Plan(target="ws://127.0.0.1:8765/ws", users=7, spawn_rate=2.5, duration=90)


class Locust:
    """What was started, and how it ends."""

    def __init__(self) -> None:
        self.command: list[str] = []
        self.environment: dict[str, str] = {}
        self.signals: list[int] = []
        self.within_s = 0.0

    def start(self, command: list[str], env: dict[str, str], **_: object) -> "Locust":
        self.command, self.environment = command, env
        return self

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def wait(self, timeout: float) -> int:
        self.within_s = timeout
        return 3


@pytest.fixture
def locust(monkeypatch: pytest.MonkeyPatch) -> Locust:
    locust = Locust()
    monkeypatch.setattr(subprocess, "Popen", locust.start)
    return locust


def typed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/streamgauge", "run", *arguments])


def options(locust: Locust) -> dict[str, str]:
    words = locust.command
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("-")}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--secret", SECRET),
        (f"--secret={SECRET}",),
        ("--users", "5", "--secret", SECRET, "--seed", "1"),
        ("--secret", "--secret", f"--secret={SECRET}"),
        ("--secret", "other", "--secret", SECRET),
        ("--prompt", "is hunter2 a good password?"),
        ("--prompt=hunter2",),
        ("--api-key", "hunter2"),
        ("--server", "serve --secret='hunter2 hunter2'"),
        ("--server", 'TOKEN="a hunter2" serve'),
        ("--target", "ws://h/ws?token=hunter2"),
        ("--target", "ws://ann:hunter2@h/ws"),
    ],
)
def test_no_secret_is_in_the_shown_command(arguments: tuple[str, ...]) -> None:
    said = shown(["streamgauge", "run", *arguments, "--duration", "30s"])
    assert "hunter2" not in said
    assert said.startswith("streamgauge run ")
    assert said.endswith(" --duration 30s")
    again = redacted(said, 1_000)  # as all that comes into a report is
    assert "hunter2" not in again
    assert shlex.split(again)[-2:] == ["--duration", "30s"]


def test_everything_else_is_shown_so_that_it_can_be_typed_again() -> None:
    said = shown(["streamgauge", "run", "--scenario", "my own.py", "--users", "5"])
    assert said == "streamgauge run --scenario 'my own.py' --users 5"


def test_the_secret_travels_in_the_environment_alone(locust: Locust, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "--secret", SECRET)
    run_locust(Path("steady.py"), PLAN, Path("results/new"), SECRET, 1, Interruptions())
    assert locust.environment["STREAMGAUGE_SECRET"] == SECRET
    assert locust.environment["STREAMGAUGE_COMMAND"].startswith("streamgauge run --secret")
    assert "hunter2" not in locust.environment["STREAMGAUGE_COMMAND"]
    assert not any("hunter2" in word for word in locust.command)


def test_locust_is_told_the_plan(locust: Locust, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch)
    assert run_locust(Path("steady.py"), PLAN, Path("results/new"), SECRET, 1, Interruptions()) == 3
    assert locust.within_s > PLAN.duration + PLAN.drain
    assert locust.command[:3] == [sys.executable, "-m", "locust"]
    expected = {
        "-f": "steady.py",
        "--users": "7",
        "--spawn-rate": "2.5",
        "--lasts": "90",
        "--host": "ws://127.0.0.1:8765/ws",
        "--plan": "results/new/plan.toml",
        "--out": "results/new",
    }
    assert options(locust).items() >= expected.items()
    assert "--headless" in locust.command
    assert "--processes" not in locust.command


def test_several_processes(locust: Locust, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch)
    run_locust(Path("steady.py"), PLAN, Path("results/new"), SECRET, 4, Interruptions())
    assert options(locust)["--processes"] == "4"


@pytest.mark.parametrize("duration", [0.2, 4.4, 90.5])
def test_a_run_lasts_as_long_as_planned_and_not_for_whole_seconds(
    locust: Locust, monkeypatch: pytest.MonkeyPatch, duration: float
) -> None:
    typed(monkeypatch)
    plan = Plan(users=1, duration=duration, spawn_rate=10)
    run_locust(Path("steady.py"), plan, Path("results/new"), SECRET, 1, Interruptions())
    assert float(options(locust)["--lasts"]) == duration


def test_ctrl_c_ends_locust_by_a_signal_that_it_hears_at_any_time(
    locust: Locust, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch)
    interruptions = Interruptions()
    run_locust(Path("steady.py"), PLAN, Path("results/new"), SECRET, 1, interruptions)
    interruptions.hear(signal.SIGINT, None)
    interruptions.hear(signal.SIGINT, None)
    assert locust.signals == [signal.SIGTERM, signal.SIGINT]


# A generator that hangs

DEAF = """
import signal, subprocess
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
subprocess.Popen(["sleep", "60"])  # its worker
print(flush=True)
signal.pause()
"""


def hanging(code: str) -> subprocess.Popen[bytes]:
    """A generator that has begun."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def gone(process: subprocess.Popen[bytes]) -> bool:
    """Wait until nobody of its session holds its standard output any more."""
    assert process.stdout is not None
    with process:
        return process.stdout.read() == b""


def test_who_ends_in_time_is_not_overdue() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        assert await_end(process, 60, 60) == 3


def test_who_hangs_is_told_to_end() -> None:
    process = hanging("import signal; print(flush=True); signal.pause()")
    with pytest.raises(Overdue, match=r"had not ended after 0 s, and was told to$"):
        await_end(process, 0.1, 60)
    assert gone(process)
    assert process.returncode == -signal.SIGTERM


def test_who_does_not_hear_is_killed_with_all_its_workers() -> None:
    process = hanging(DEAF)
    with pytest.raises(Overdue, match=r"nor when told to, and was killed$"):
        await_end(process, 0.1, 0.1)
    assert gone(process)
    assert process.returncode == -signal.SIGKILL


def test_the_third_ctrl_c_kills_at_once() -> None:
    process = hanging(DEAF)
    interruptions = Interruptions()
    interruptions.belong_to(process)
    for _ in range(3):
        interruptions.hear(signal.SIGINT, None)
    assert process.wait(60) == -signal.SIGKILL
    assert gone(process)
