from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.committed import committed

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_a_run_ends_twice_numbered_on(kit: Kit) -> None:
    heard = committed(kit, "two-terminals", runs=2)
    assert [kit.kinds(run)[-3:] for run in heard.runs] == [["P3", "completed", "completed"]] * 2
    assert heard.numbers == [list(range(1, 13))] * 2
    assert heard.offsets == list(range(1, 25))
    assert (heard.strikes, heard.opportunities) == (2, 2)


def test_at_a_rate_the_others_end_once(kit: Kit) -> None:
    heard = committed(kit, "two-terminals:0.3", runs=24)
    assert 0 < heard.strikes == sum(len(run) == 12 for run in heard.runs) < heard.opportunities == 24
