"""The suite's proof of itself, in small: a fault that is found, and a Ctrl-C that leaves nothing behind."""

import time
from pathlib import Path

from tests.support.command import TIMEOUT_S, Run, Start

SWAP = ("selftest", "--only", "swap", "--state")


def test_a_fault_is_found_at_both_rates_and_not_looked_for_again(streamgauge: Run) -> None:
    done = streamgauge(*SWAP, "kept")
    assert done.code == 0, done.out + done.err
    assert done.out.splitlines()[-1] == "PASS  2 of 2 faults and rates found as their rows say"
    again = streamgauge(*SWAP, "kept")
    assert (again.code, again.out) == (0, done.out)
    assert again.err == "2 of 2 parts are known, from this code\n"


def test_ctrl_c_ends_what_is_under_way_and_keeps_nothing_of_it(start: Start, tmp_path: Path) -> None:
    selftest = start("streamgauge", *SWAP, str(tmp_path / "kept"))
    selftest.wait_until_events_flow("kept/*/runs/*/*/recording/*.sgr")
    selftest.interrupt()
    done = selftest.wait()
    assert done.code == 130, done.out + done.err
    assert done.out == ""
    assert not list(tmp_path.glob("kept/*/*.json"))
    deadline = time.monotonic() + TIMEOUT_S
    while left := _processes_in(tmp_path):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _processes_in(folder: Path) -> list[bytes]:
    """The command lines that name the folder, of processes that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:  # it has just ended
            continue
        if str(folder).encode() in command:
            found.append(command)
    return found
