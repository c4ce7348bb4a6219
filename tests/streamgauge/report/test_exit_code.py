import pytest

from streamgauge.core.finding import Outcome
from streamgauge.report.exit_code import exit_code


@pytest.mark.parametrize(("outcome", "code"), [(Outcome.PASS, 0), (Outcome.FAIL, 1), (Outcome.UNKNOWN, 3)])
def test_every_outcome_has_its_code(outcome: Outcome, code: int) -> None:
    assert exit_code(outcome) == code
