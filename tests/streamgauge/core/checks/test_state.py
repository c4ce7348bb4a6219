from itertools import permutations

import pytest
from msgspec.structs import replace

from streamgauge.core.checks import state
from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding

REPEAT = Finding(Rule.SEQ_CONTIGUOUS, "repeat", "ann", 1, 70, "r1", numbers=((3, 3),))


def test_which_findings_are_kept_does_not_hang_on_the_order_they_were_found_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "KEPT", 4)
    found = [
        REPEAT,
        replace(REPEAT, numbers=((10, 10),)),
        replace(REPEAT, numbers=((10, 10),), more=4),
        replace(REPEAT, lasted_ns=5, at_ns=71),
        replace(REPEAT, lasted_ns=6, at_ns=71),
    ]
    for order in permutations(found):
        both = CheckState(), CheckState()
        for place, finding in enumerate(order):
            both[place % 2].add(finding)
        assert both[0].merge(both[1]).findings[Rule.SEQ_CONTIGUOUS] == found[:4]
        assert both[1].merge(both[0]).findings[Rule.SEQ_CONTIGUOUS] == found[:4]
