"""What the exit code of a command says."""

from typing import Final

from streamgauge.core.finding import Outcome

PASS: Final = 0
FAIL: Final = 1
USAGE: Final = 2  # usage or set-up: nothing was measured, and the user can mend it
INCONCLUSIVE: Final = 3
INTERNAL_ERROR: Final = 4
INTERRUPTED: Final = 130  # by the user, before there was anything to judge

OF_OUTCOME: Final = {Outcome.PASS: PASS, Outcome.FAIL: FAIL, Outcome.UNKNOWN: INCONCLUSIVE}
