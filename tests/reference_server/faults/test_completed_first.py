from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import NO_TOOL, committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_a_tools_end_comes_before_its_beginning_numbered_so(kit: Kit) -> None:
    heard = committed(kit, "completed-first", runs=2)
    kinds = ["start", "P1", "P2", "A", "done:success", "tool", "part0", "part1", "part2", "P3", "completed"]
    assert [kit.kinds(run) for run in heard.runs] == [kinds] * 2
    assert heard.numbers == [list(range(1, 12))] * 2
    assert heard.offsets == list(range(1, 23))
    assert (heard.strikes, heard.opportunities) == (2, 2)


def test_what_happens_beside_the_tool_keeps_its_place_and_later_tools_theirs(kit: Kit) -> None:
    slow, quick = {"do": "tool", "name": "slow", "ms": 30}, {"do": "tool", "name": "quick"}
    script = [{"do": "parallel", "steps": [slow, quick]}, quick, {"do": "result"}]
    heard = committed(kit, "completed-first", options={"script": script})
    names = [event["payload"].get("tool_name") for event in heard.runs[0]]
    assert kit.kinds(heard.runs[0])[3:9] == [
        "tool",
        "done:success",
        "done:success",
        "tool",
        "tool",
        "done:success",
    ]
    assert names[3:9] == ["quick", "quick", "slow", "slow", "quick", "quick"]
    assert heard.numbers == [list(range(1, 12))]
    assert heard.strikes == 1


def test_a_run_without_a_tool_is_no_opportunity(kit: Kit) -> None:
    heard = committed(kit, "completed-first", options=NO_TOOL)
    assert (heard.strikes, heard.opportunities) == (0, 0)


def test_at_a_rate_the_others_are_in_order(kit: Kit) -> None:
    heard = committed(kit, "completed-first:0.3", runs=24)
    turned = sum(kit.kinds(run)[4] == "done:success" for run in heard.runs)
    assert 0 < heard.strikes == turned < heard.opportunities == 24
