import asyncio

import pytest
from msgspec.structs import replace

from streamgauge.core.observation import (
    Asked,
    Closed,
    Makes,
    Malformed,
    Observation,
    Opened,
    Overheard,
    Received,
)
from streamgauge.persona import Persona
from streamgauge.plan import Plan
from streamgauge.protocol.login import Login
from streamgauge.rig.attacker.bystander import Bystander, UnderWay
from streamgauge.rig.attacker.line import Door
from streamgauge.script import Result, Step, Think, Tool
from tests.support.attacked_server import STRANGERS_CANARY, attacked_server
from tests.support.command import SECRET

PLAN = Plan(slack=2, grace=0.1)


async def lived(
    target: str, for_s: float = 0.3, plan: Plan = PLAN
) -> tuple[Bystander, list[Observation], list[UnderWay]]:
    rows: list[Observation] = []
    begun: list[UnderWay] = []
    bystander = Bystander(1, plan, rows.append, begun.append)
    await bystander.open(Door(target, Login(), SECRET, None, 2))
    life = asyncio.create_task(bystander.live())
    await asyncio.sleep(for_s)
    bystander.stop()
    await life
    return bystander, rows, begun


def against(*holes: str) -> tuple[Bystander, list[Observation], list[UnderWay]]:
    async def play() -> tuple[Bystander, list[Observation], list[UnderWay]]:
        async with attacked_server(*holes) as target:
            return await lived(target)

    return asyncio.run(play())


def test_it_asks_again_and_again_and_everything_is_a_row_in_order() -> None:
    bystander, rows, begun = against()
    assert bystander.harm == []
    assert isinstance(rows[0], Opened)
    assert isinstance(rows[-1], Closed)
    assert rows[-1].ours
    asked = [row for row in rows if isinstance(row, Asked)]
    assert len(asked) == len(begun) == bystander.runs >= 2
    assert [row.at_ns for row in rows] == sorted(row.at_ns for row in rows)
    assert sum(isinstance(row, Received) for row in rows) == 1 + 6 * bystander.runs


@pytest.mark.parametrize(("script", "makes"), [((Think(), Tool("t"), Result()), Makes(1, 1)), ((), None)])
def test_what_its_script_makes_is_told_to_the_rules(script: tuple[Step, ...], makes: Makes | None) -> None:
    async def play() -> list[Observation]:
        async with attacked_server() as target:
            _, rows, _ = await lived(target, plan=replace(PLAN, personas=(Persona(script=script),)))
            return rows

    assert {row.makes for row in asyncio.run(play()) if isinstance(row, Asked)} == {makes}


def test_every_run_has_names_of_its_own() -> None:
    _, _, begun = against()
    assert len({run.request for run in begun}) == len({run.run for run in begun}) == len(begun)
    assert {run.user for run in begun} == {"bystander-1"}


def test_to_be_refused_is_harm() -> None:
    bystander, _, begun = against("refuses")
    assert begun == []
    assert set(bystander.harm) == {"bystander-1 was refused what it is due: draining"}


def test_to_be_hung_up_on_is_harm_and_the_end() -> None:
    bystander, rows, _ = against("hangs up")
    assert bystander.harm == ["the connection of bystander-1 was ended: 1011"]
    assert isinstance(rows[-1], Closed)
    assert (rows[-1].code, rows[-1].ours) == (1011, False)


def test_a_canary_is_found_in_a_binary_message_and_in_a_ping() -> None:
    _, rows, _ = against("whispers")
    (binary,) = [row for row in rows if isinstance(row, Malformed)]
    (ping,) = [row for row in rows if isinstance(row, Overheard)]
    assert (binary.why, binary.foreign) == ("binary", STRANGERS_CANARY)
    assert (ping.where, ping.foreign) == ("ping", STRANGERS_CANARY)


def test_where_nobody_is_it_says_so() -> None:
    with pytest.raises(OSError, match=r"refused|Connect"):
        asyncio.run(lived("ws://127.0.0.1:9/ws"))
