from streamgauge.core.finding import Outcome
from streamgauge.exit_code import OF_OUTCOME


def test_every_outcome_has_its_code() -> None:
    assert OF_OUTCOME == {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3}
