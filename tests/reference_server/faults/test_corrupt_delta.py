from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import NO_TOOL, committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_one_letter_of_the_answer_is_another(kit: Kit) -> None:
    heard = committed(kit, "corrupt-delta", runs=2)
    for run in heard.runs:
        deltas = "".join(event["payload"]["delta"] for event in run if event["type"] == "partial_result")
        answer = run[-1]["payload"]["result"]["answer"]
        assert deltas.startswith("@nswer")
        assert (deltas[1:], "A") == (answer[1:], answer[0])
    assert heard.numbers == [list(range(1, 12))] * 2
    assert (heard.strikes, heard.opportunities) == (2, 2)


def test_a_run_that_streams_no_answer_is_no_opportunity(kit: Kit) -> None:
    heard = committed(kit, "corrupt-delta", options=NO_TOOL)
    assert (heard.strikes, heard.opportunities) == (0, 0)


def test_at_a_rate_the_others_are_right(kit: Kit) -> None:
    heard = committed(kit, "corrupt-delta:0.3", runs=24)
    firsts = [event["payload"]["delta"][0] for run in heard.runs for event in run if event["seq"] == 7]
    assert 0 < heard.strikes == firsts.count("@") < heard.opportunities == 24
