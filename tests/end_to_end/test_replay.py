"""A finding is made to happen again: on the server that has it, and on one that does not."""

from pathlib import Path

import msgspec

from streamgauge.study.recurrence import Recurrence
from tests.support.command import ROOT, SECRET, Done, Run, Server

FEW = ("--users", "8", "--duration", "4s", "--interval", "500ms")


def result(done: Done) -> Recurrence:
    """What a replay left beside its report."""
    (path,) = done.results.glob("*-replay-*/replay.json")
    return msgspec.json.decode(path.read_bytes(), type=Recurrence)


def faulty(streamgauge: Run, *arguments: str) -> Done:
    run = streamgauge("run", *FEW, *arguments)
    assert run.code == 1
    return run


def test_it_recurs_on_the_server_that_has_the_fault(streamgauge: Run) -> None:
    run = faulty(streamgauge, "--fault", "swap:0.2")
    replay = streamgauge("replay", f"{run.folder}#seq-contiguous-1", "--times", "2")
    assert replay.code == 1
    assert "recurs: " in replay.out
    assert replay.out.splitlines()[-1].startswith("recurs in ")
    found = result(replay)
    assert found.driven == 2
    assert all(attempt.same == attempt.of > 0 for attempt in found.attempts)


def test_it_does_not_recur_on_a_server_without_the_fault(streamgauge: Run, server: Server) -> None:
    run = faulty(streamgauge, "--fault", "swap:0.2")
    where = f"{run.folder}#seq-contiguous-1"
    replay = streamgauge("replay", where, "--times", "2", "--target", server.address, secret=SECRET)
    assert replay.code == 0
    assert replay.out.splitlines()[-1] == "recurs in 0 of 2 replays [0 %, 84 %]"
    assert all(attempt.same == attempt.of > 0 for attempt in result(replay).attempts)


def test_a_leak_brings_both_users(streamgauge: Run) -> None:
    run = faulty(streamgauge, "--scenario", "isolation", "--fault", "shared-global:0.3")
    leaks = [v for v in run.report.verdicts if v.rule.startswith("isolation") and v.found]
    finding = leaks[0].findings[0]
    replay = streamgauge("replay", f"{run.folder}#{finding.id}", "--times", "1")
    assert replay.code in {0, 1}
    found = result(replay)
    assert {finding.user, finding.other} <= set(found.users)
    assert found.attempts[0].same == found.attempts[0].of > 0


def test_a_scenario_of_ones_own_is_replayed_and_said_to_be_one(streamgauge: Run, tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text((ROOT / "scenarios" / "steady.py").read_text())
    own.with_suffix(".toml").write_text((ROOT / "scenarios" / "steady.toml").read_text())
    run = faulty(streamgauge, "--scenario", str(own), "--fault", "swap:0.2")
    replay = streamgauge("replay", f"{run.folder}#seq-contiguous-1", "--times", "1")
    assert replay.code in {0, 1}
    assert "mine.py is a scenario of your own" in replay.err


def test_what_cannot_be_driven_is_inconclusive_and_what_may_not_be_is_refused(streamgauge: Run) -> None:
    run = faulty(streamgauge, "--fault", "swap:0.2")
    folder, nowhere = run.folder, "ws://127.0.0.1:9/ws"
    where = f"{folder}#seq-contiguous-1"
    replay = streamgauge("replay", where, "--times", "1", "--target", nowhere, secret=SECRET)
    assert replay.code == 3
    assert "replay 1 of 1  could not be driven: " in replay.out

    for arguments, says in (
        ((f"{folder}#seq-contiguous-99",), "name a finding, as in "),
        ((str(folder),), "name a finding, as in "),
        ((where, "--target", "ws://example.org/ws"), "is not this machine: it needs --allow-target"),
        ((where, "--target", nowhere), "no secret: give --secret"),
        (("nothing#seq-contiguous-1",), "nothing/report.json: cannot be read"),
    ):
        refused = streamgauge("replay", *arguments)
        assert refused.code == 2
        assert says in refused.err
