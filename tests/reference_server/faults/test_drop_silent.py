from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import NO_TOOL, committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

WHOLE = ["start", "P1", "P2", "A", "tool", "done:success", "part0", "part1", "part2", "P3", "completed"]


def test_a_part_is_left_out_and_no_number_tells(kit: Kit) -> None:
    heard = committed(kit, "drop-silent", runs=24)
    assert heard.numbers == [list(range(1, 11))] * 24
    assert heard.offsets == list(range(1, 241))
    without = {
        "P2": [kind for kind in WHOLE if kind != "P2"],
        "done": [kind for kind in WHOLE if kind != "done:success"],
        "delta": [kind for kind in WHOLE if kind != "part2"],  # the second, and the third bears its index
    }
    seen = [kit.kinds(run) for run in heard.runs]
    assert all(kinds in without.values() for kinds in seen)
    assert all(kinds in seen for kinds in without.values())
    assert (heard.strikes, heard.opportunities) == (24, 24)


def test_the_answer_is_not_what_its_end_promises(kit: Kit) -> None:
    for run in committed(kit, "drop-silent", runs=24).runs:
        deltas = [event["payload"]["delta"] for event in run if event["type"] == "partial_result"]
        whole = "".join(deltas) == run[-1]["payload"]["result"]["answer"]
        assert whole == (len(deltas) == 3)


def test_a_run_without_the_part_is_no_opportunity(kit: Kit) -> None:
    heard = committed(kit, "drop-silent", runs=24, options=NO_TOOL)
    assert 0 < heard.strikes == heard.opportunities < 24
    assert sum("P2" not in kit.kinds(run) for run in heard.runs) == heard.strikes


def test_at_a_rate_the_others_are_whole(kit: Kit) -> None:
    heard = committed(kit, "drop-silent:0.3", runs=24)
    whole = sum(kit.kinds(run) == WHOLE for run in heard.runs)
    assert 0 < heard.strikes == 24 - whole < heard.opportunities == 24
