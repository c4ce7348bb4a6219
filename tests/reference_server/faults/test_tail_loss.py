from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_the_end_is_never_told_and_its_offset_not_used_up(kit: Kit) -> None:
    heard = committed(kit, "tail-loss", runs=3)
    assert heard.numbers == [list(range(1, 11))] * 3
    assert heard.offsets == list(range(1, 31))
    assert (heard.strikes, heard.opportunities) == (3, 3)


def test_an_error_is_an_end_too(kit: Kit) -> None:
    heard = committed(kit, "tail-loss", options={"script": [{"do": "no_result"}]})
    assert kit.kinds(heard.runs[0]) == ["start", "P1", "P2"]
    assert heard.strikes == 1


def test_at_a_rate_the_others_end(kit: Kit) -> None:
    heard = committed(kit, "tail-loss:0.3", runs=24)
    ended = sum(kit.kinds(run)[-1] == "completed" for run in heard.runs)
    assert 0 < heard.strikes == 24 - ended < heard.opportunities == 24
