import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from streamgauge.exit_code import USAGE
from streamgauge.plan import Plan
from tests.support.apart import INSIDE
from tests.support.command import ROOT, SECRET, TIMEOUT_S

if TYPE_CHECKING or INSIDE:
    from locust.env import Environment

    from streamgauge.load import AgentUser
    from streamgauge.load.bench import Bench
    from streamgauge.load.harness import Harness
    from streamgauge.load.user import begin

STEADY = str(ROOT / "scenarios" / "steady.py")


def locust(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the scenario by hand."""
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", STEADY, "--headless", "-u", "3", "-t", "30s", *arguments],
        cwd=where,
        env={"STREAMGAUGE_SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "target: there is none; give --host ws://HOST:PORT/PATH"),
        (("--host", "http://127.0.0.1:1"), "target: http://127.0.0.1:1 is no ws://HOST:PORT/PATH"),
        (("--host", "ws://127.0.0.1:1/", "--out", "taken/new"), "Not a directory: 'taken/new/recording'"),
        (("--plan", "nothing.toml"), "No such file or directory: 'nothing.toml'"),
    ],
    ids=["no target", "wrong target", "no folder", "no plan"],
)
def test_what_cannot_be_ends_a_scenario_at_once_with_one_line(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    done = locust(tmp_path, *arguments)
    assert done.returncode == USAGE
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("streamgauge: ")]
    assert says in line
    assert "Traceback" not in done.stderr
    assert "UNKNOWN" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_later_run_that_cannot_be_does_not_go_on_with_the_earlier_ones_bench(
    make_bench: "Callable[..., Bench]", capsys: pytest.CaptureFixture[str]
) -> None:
    begin(make_bench())
    environment: Any = SimpleNamespace(
        host="http://h/",  # as somebody types it on Locust's page
        runner=SimpleNamespace(target_user_count=5),
        parsed_options=SimpleNamespace(sg_plan="", sg_out="", spawn_rate=1, run_time=None),
        web_ui=object(),
    )
    harness = Harness(Plan())
    harness._environment = environment
    harness._initialised.set()
    harness.start(environment)
    assert AgentUser.under is None
    assert environment.process_exit_code == USAGE
    assert capsys.readouterr().err.startswith("streamgauge: target: http://h/ is no ws://HOST:PORT/PATH")


@pytest.mark.parametrize(("lasts", "run_time"), [(4.4, 4.4), (None, 30)])
def test_a_run_may_last_parts_of_a_second(lasts: float | None, run_time: float) -> None:
    environment: Any = Environment()
    environment.parsed_options = SimpleNamespace(sg_verdict_only=False, sg_lasts=lasts, run_time=30)
    Harness(Plan()).init(environment, environment.create_local_runner())
    assert environment.parsed_options.run_time == run_time
