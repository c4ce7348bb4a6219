"""The control of a run, in a process of its own: a proxy with three faults, and a small run through it.

    python -m streamgauge.cli.control_process FOLDER

`streamgauge run --control` starts it beside the run whose results lie in FOLDER. Its users,
sockets, recording and report are its own (FOLDER/control), so that nothing of it reaches
the run's figures. It ends when all is seeded and settled, at latest a while after the run.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from msgspec.structs import replace

from streamgauge.arrivals import Poisson, extremes
from streamgauge.cli import scenarios
from streamgauge.cli.generator import locust_command
from streamgauge.cli.interruption import ending_with_us
from streamgauge.control_files import FOLDER, LOG, is_over, read_strikes, strikes_file, write_control
from streamgauge.core.control import SEEDS, Control, control_of
from streamgauge.core.strike import Strike
from streamgauge.plan import PLAN_FILE, Plan, dump_plan, load_plan
from streamgauge.report.render_json import ReportError, read_json
from streamgauge.results import TREND_VARIABLE

USERS: Final = 6
_CROWD: Final = "control"  # what its users' names begin with: nobody of the run is called so
_AFTER_RUN_S: Final = 10  # in which what is not yet seeded may be, when the run is over
_START_S: Final = 20
_LOOK_S: Final = 0.1
_TREND: Final = "trend.jsonl"
_NOT_KEPT: Final = (_TREND, "junit.xml")  # it is no run of a trend, and its failures are no failures
_READY: Final = "ready\n"


def plan_of_control(plan: Plan, address: str) -> Plan:
    """Few users who ask as often as those of the plan, what they ask, through the proxy at `address`."""
    often_s = 1 / extremes(plan.arrivals)[1]
    personas = tuple(
        replace(who, tabs=1, think=None, cancel_share=0, speak_share=0, leave_share=0)
        for who in plan.personas
    )
    return Plan(
        scenario="steady",
        target=address,
        protocol=plan.protocol,
        login=plan.login,
        users=USERS,
        spawn_rate=USERS,
        duration=plan.duration + _AFTER_RUN_S,
        arrivals=Poisson(interval=min(max(often_s, 0.5), max(plan.duration / 4, 0.5))),
        personas=personas,
        silence=plan.silence,
        slack=plan.slack,
        grace=plan.grace,
        connect_timeout=plan.connect_timeout,
        max_message_bytes=plan.max_message_bytes,
        seed=plan.seed,
    )


def make_control(results: Path) -> Control:
    """Make it to its end, and hold what was struck against what was found."""
    folder = results / FOLDER
    plan = load_plan((folder / PLAN_FILE).read_text(encoding="utf-8"), str(folder / PLAN_FILE))
    with (folder / LOG).open("ab") as log, _proxy(plan, results, log) as address:
        if not address:
            return Control(problem=f"its proxy did not start: see {FOLDER}/{LOG}")
        ours = plan_of_control(plan, address)
        (folder / PLAN_FILE).write_text(dump_plan(ours), encoding="utf-8")
        locustfile = scenarios.find("steady")
        process = subprocess.Popen(
            [*locust_command(locustfile, ours, folder), "--crowd", _CROWD],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, TREND_VARIABLE: str(folder / _TREND)},
            preexec_fn=ending_with_us(signal.SIGTERM),  # noqa: PLW1509 - there is no other thread here
        )
        sys.stdout.write(_READY)
        sys.stdout.flush()
        _await_end(process, results)
    for name in _NOT_KEPT:
        (folder / name).unlink(missing_ok=True)
    try:
        report = read_json((folder / "report.json").read_bytes())
    except (OSError, ReportError) as error:
        return Control(problem=f"its users left no report ({error}): see {FOLDER}/{LOG}")
    return control_of(read_strikes(results), report.verdicts, plan.promises)


def _await_end(process: "subprocess.Popen[bytes]", results: Path) -> None:
    """Let the users go when all is seeded, at latest a while after the run; nobody outlives us."""
    told, over_at = False, 0.0
    try:
        while process.poll() is None:
            now = time.monotonic()
            if not over_at and is_over(results):
                over_at = now
            late = over_at and now > over_at + _AFTER_RUN_S
            if not told and (late or _all_seeded(read_strikes(results))):
                process.terminate()  # they drain: what was struck is judged when its run has ended
                told = True
            time.sleep(_LOOK_S)
    finally:
        process.kill()
        process.wait()


def _all_seeded(strikes: list[Strike]) -> bool:
    return {strike.fault for strike in strikes} >= set(SEEDS.values())


@contextmanager
def _proxy(plan: Plan, results: Path, log: IO[bytes]) -> Iterator[str]:
    """A proxy in front of the plan's target; yields where it listens, "" where it did not start."""
    command = [sys.executable, "-m", "streamgauge", "proxy", "--target", plan.target]
    command += ["--protocol", plan.protocol, "--seed", str(plan.seed), "--log", str(strikes_file(results))]
    command += ["--ca-file", plan.ca_file] if plan.ca_file else []
    command += [word for host in plan.allow_target for word in ("--allow-target", host)]
    # in the load: not before all users of the run are there
    command += ["--provable", "--after", f"{min(plan.users / plan.spawn_rate, plan.duration / 2):g}s"]
    command += [word for fault in SEEDS.values() for word in (f"--{fault}-at", "1")]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        preexec_fn=ending_with_us(signal.SIGKILL),  # noqa: PLW1509 - there is no other thread here
    )
    assert process.stdout is not None
    try:
        yield _address(process.stdout)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_START_S)
        process.kill()
        process.wait()
        process.stdout.close()


def _address(told: IO[bytes]) -> str:
    ready, _, _ = select.select([told], [], [], _START_S)
    try:
        return str(json.loads(told.readline() if ready else b"")["listening"])
    except (ValueError, KeyError, TypeError):
        return ""


def main() -> None:
    """Make the control of the run in the folder that is named, and leave there what it came to."""
    results = Path(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    write_control(results, make_control(results))


if __name__ == "__main__":
    main()
