import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from streamgauge.checker import check, check_rows
from streamgauge.core.contract import ATTACKED, COUNTED, EVERY_RULE, Rule
from streamgauge.core.finding import Outcome
from streamgauge.core.observation import Cancelled, Closed, Malformed, Observation, Spoken
from streamgauge.core.recording import End, Header, Recording
from streamgauge.study.rejudge import MixedRecordings
from tests.support.history import (
    CLOCK,
    LIMITS,
    SECOND,
    failed,
    lost,
    opened,
    run,
    session,
    started,
    thought,
    whole,
)

R = Rule
GOOD = session(run(*whole()))
GAP = session(
    run(started(), lost(thought(1)), thought(2), failed(), user="ben", conn=2, name="r2", request="q2")
)
PAGE = Path(__file__).parents[2] / "docs" / "checker.md"


def recorded(rows: list[Observation], *required: Rule, worker: str = "w", whole: bool = True) -> Recording:
    header = Header(worker, "native", CLOCK, 0, LIMITS, required, "plan")
    return Recording(header, rows, End(rows[-1].at_ns) if whole else None)


def test_rows_come_to_findings_and_verdicts() -> None:
    checked = check_rows(sorted([*GOOD, *GAP], key=lambda row: row.at_ns), LIMITS)
    assert [(f.rule, f.problem, f.numbers, f.user, f.run) for f in checked.findings] == [
        (R.SEQ_CONTIGUOUS, "gap", ((2, 2),), "ben", "r2")
    ]
    assert [verdict.rule for verdict in checked.verdicts] == list(Rule)
    assert {v.rule for v in checked.verdicts if v.outcome is Outcome.FAIL} == {R.SEQ_CONTIGUOUS}
    assert checked.outcome is Outcome.FAIL


def test_a_run_that_is_open_at_the_end_is_abandoned_but_for_its_deadline() -> None:
    rows = session(run(started(), deadline=5), leaves=False)
    assert check_rows(rows).findings == check_rows(rows, until_ns=4 * SECOND).findings == ()
    (finding,) = check_rows(rows, until_ns=5 * SECOND).findings
    assert (finding.rule, finding.problem) == (R.COMPLETE, "never ended")


def test_no_rows_come_to_nothing() -> None:
    assert check_rows([]).findings == ()
    assert check_rows([]).outcome is Outcome.UNKNOWN
    assert check_rows([], required=[R.ECHO]).outcome is Outcome.UNKNOWN
    assert check_rows([opened()]).outcome is Outcome.PASS


def test_a_worker_that_had_nothing_to_do_is_beside_one_that_had() -> None:
    nothing = replace(recorded(GOOD, worker="x"), rows=[])
    assert check([recorded(GOOD), nothing]).outcome is Outcome.PASS
    assert check([nothing]).outcome is Outcome.UNKNOWN


def test_rows_stand_in_the_order_of_time() -> None:
    with pytest.raises(
        ValueError, match="row 1 is of 1000000000 ns and comes after one of 2000000000 ns: sort"
    ):
        check_rows([opened(at=2), opened("ben", 2, at=1)])
    assert check_rows([opened(at=1), opened("ben", 2, at=1)]).findings == ()


@pytest.mark.parametrize("before", [(), (opened(conn=2),), (opened(), Closed(1, 0, 1000, ours=True))])
def test_a_user_speaks_on_a_connection_that_is_open(before: tuple[Observation, ...]) -> None:
    with pytest.raises(ValueError, match="asked for q1 at 0 ns on connection 1, which is not open then"):
        check_rows([*before, run().asked])
    with pytest.raises(ValueError, match="cancelled r1 at 5 ns on connection 1, which is not open then"):
        check_rows([*before, Cancelled(1, 5, "r1")])
    with pytest.raises(ValueError, match="spoken into r1 at 6 ns on connection 1, which is not open then"):
        check_rows([*before, Spoken(1, 6, "r1")])


def test_what_is_heard_before_a_greeting_is_judged_all_the_same() -> None:
    (finding,) = check_rows([Malformed(1, 0, 9, "no JSON"), opened()]).findings
    assert (finding.rule, finding.problem) == (R.PROTOCOL, "no JSON")


@pytest.mark.parametrize(
    ("rows", "required", "ended", "outcome"),
    [
        (GOOD, (), True, Outcome.PASS),
        (GOOD, tuple(EVERY_RULE - ATTACKED - COUNTED), True, Outcome.PASS),
        (session(run(failed())), (R.TOOL_PAIRING,), True, Outcome.UNKNOWN),
        (session(run(failed())), (), True, Outcome.PASS),
        (GOOD, (), False, Outcome.UNKNOWN),
        (GAP, (), False, Outcome.FAIL),
    ],
)
def test_what_was_not_observed_is_no_pass(
    rows: list[Observation], required: tuple[Rule, ...], ended: bool, outcome: Outcome
) -> None:
    assert check([recorded(rows, *required, whole=ended)]).outcome is outcome


def test_what_is_not_promised_is_not_judged() -> None:
    checked = check_rows(GAP, LIMITS, promises=EVERY_RULE - {R.SEQ_CONTIGUOUS})
    assert R.SEQ_CONTIGUOUS not in {finding.rule for finding in checked.findings}
    assert [verdict.rule for verdict in checked.verdicts if not verdict.promised] == [R.SEQ_CONTIGUOUS]
    assert [verdict.rule for verdict in checked.verdicts] == list(Rule)


def test_the_workers_of_a_run_are_judged_as_one() -> None:
    together = check([recorded(GOOD), recorded(GAP, worker="x")])
    assert together.verdicts == check_rows(sorted([*GOOD, *GAP], key=lambda row: row.at_ns), LIMITS).verdicts
    assert [state.counts["events"] for state in together.states] == [10, 3]
    assert together.state.counts["events"] == 13


def test_recordings_of_two_runs_are_not_mixed_and_none_is_no_pass() -> None:
    other = recorded(GAP)
    with pytest.raises(MixedRecordings):
        check([recorded(GOOD), replace(other, header=replace(other.header, plan="another"))])
    with pytest.raises(ValueError, match="at least one"):
        check([])


def test_the_examples_in_the_docs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording" / "worker-0.sgr").write_bytes(recorded(GAP).data())
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(example, {})
    assert capsys.readouterr().out == "fail\nseq-contiguous gap ((2, 2),) ben r2\n"
