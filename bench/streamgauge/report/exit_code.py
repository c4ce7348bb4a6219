"""What a command that makes a report exits with."""

from typing import Final

from streamgauge.core.finding import Outcome

# 2 is a usage or set-up error, 4 an internal one: there is no report then.
EXIT_CODE: Final = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3}


def exit_code(outcome: Outcome) -> int:
    """The exit code: unknown is neither pass nor fail."""
    return EXIT_CODE[outcome]
