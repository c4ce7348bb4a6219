"""What a rule's function answers where its rule is broken."""

from typing import NamedTuple

from streamgauge.core.contract import Rule


class Problem(NamedTuple):
    """One breach: of which rule, how, and at which events (places in the run's list)."""

    rule: Rule
    text: str
    at: tuple[int, ...] = ()
