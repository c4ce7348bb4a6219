"""Single attacks against a small server that is right, or has one hole."""

import asyncio
import random
import time
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from streamgauge.attack_plan import AttackPlan
from streamgauge.core.analysis import Analysis
from streamgauge.core.attack import BY_NAME, Attacked, Seen
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Outcome
from streamgauge.plan import Plan
from streamgauge.protocol.login import Login
from streamgauge.rig.attacker.bystander import Bystander
from streamgauge.rig.attacker.campaign import CARRIED, carry
from streamgauge.rig.attacker.line import Door
from streamgauge.rig.attacker.scene import Scene
from streamgauge.rig.attacker.timing import time_pairs
from tests.support.attacked_server import WAIT_S, attacked_server
from tests.support.command import SECRET

PLAN = Plan(scenario="attack", slack=2, grace=0.1, attack=AttackPlan(patience=2, pairs=20, connections=5))


async def beside_a_bystander(target: str, act: Any, plan: Plan = PLAN, breaks: tuple[Rule, ...] = ()) -> Any:
    """What an act comes to while a bystander's stream runs, which must stay whole but for what `breaks`."""
    analysis = Analysis(plan.limits, "", time.monotonic_ns(), plan.promises)
    door = Door(target, plan.login, SECRET, None, 2)
    scene = Scene(plan, door, random.Random(1))
    bystander = Bystander(1, plan, analysis.add, scene.accepted)
    scene.bystanders = [bystander]
    await bystander.open(door)
    life = asyncio.create_task(bystander.live())
    try:
        return await act(scene)
    finally:
        bystander.stop()
        await life
        state = analysis.finish(time.monotonic_ns())
        broken = [v.rule for v in conclude(state.checks, (), plan.promises) if v.outcome is Outcome.FAIL]
        assert (broken, bystander.harm) == ([*breaks], [])


def attacked(name: str, *holes: str, plan: Plan = PLAN, **options: Any) -> Attacked:
    async def play() -> Attacked:
        async with attacked_server(*holes, **options) as target:
            found: Attacked = await beside_a_bystander(target, partial(carry, of=BY_NAME[name]), plan)
            return found

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("name", "offers"),
    [
        ("claimed user", ()),
        ("chosen ids", ()),
        ("foreign run cancelled", ()),
        ("foreign run spoken into", ()),
        ("foreign run cancelled", ("traces",)),
        ("foreign run spoken into", ("traces",)),
        ("neighbouring run ids", ("traces",)),
        ("foreign thread followed", ("subscribe", "traces")),
        ("foreign session resumed", ("resume", "traces")),
        ("neighbouring run ids", ()),
        ("foreign thread followed", ("subscribe",)),
        ("foreign session resumed", ("resume",)),
        ("invalid UTF-8", ()),
        ("unmasked", ()),
        ("reserved bits", ()),
        ("too large", ()),
        ("control-frame flood", ()),
    ],
)
def test_what_is_answered_as_stated_passes(name: str, offers: tuple[str, ...]) -> None:
    assert attacked(name, *offers).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("name", "holes", "answer", "said"),
    [
        ("claimed user", ("trusts payloads",), "own", "an event bears another user's name"),
        ("foreign run cancelled", ("foreign cancel",), "correct", "told apart"),
        ("foreign run cancelled", ("wordy oracle",), "error not_found", "told apart"),
        ("foreign run cancelled", ("wordy oracle", "traces"), "error not_found", "by payload.message; of"),
        ("foreign run spoken into", ("wordy oracle",), "error not_found", "by payload.message; of"),
        ("foreign thread followed", ("subscribe", "oracle of threads"), "error forbidden", "told apart"),
        ("foreign session resumed", ("resume", "foreign resume"), "correct", "another user's canary"),
    ],
)
def test_a_hole_is_found_in_the_answer(name: str, holes: tuple[str, ...], answer: str, said: str) -> None:
    found = attacked(name, *holes)
    assert (found.outcome, found.answer) == (Outcome.FAIL, answer)
    assert said in found.said


def test_who_answers_not_found_and_passes_the_words_on_is_betrayed_by_the_bystander_s_stream() -> None:
    async def play() -> Attacked:
        async with attacked_server("passes words on") as target:
            act = partial(carry, of=BY_NAME["foreign run spoken into"])
            found: Attacked = await beside_a_bystander(target, act, breaks=(Rule.ISOLATION_CANARY,))
            return found

    found = asyncio.run(play())
    assert (found.outcome, found.answer) == (Outcome.PASS, "error not_found")  # all that the attacker can see


def test_a_canary_that_arrives_is_known_by_whose_it_is_and_by_its_message() -> None:
    leak = attacked("foreign session resumed", "resume", "foreign resume").leak
    assert leak is not None
    assert (leak.other, leak.user, leak.kind) == ("bystander-1", "attacker", "other")
    assert leak.token.startswith("sgcanary")
    assert leak.size > len(leak.token)


@pytest.mark.parametrize("name", ["no origin", "NaN", "many fragments", "control-frame flood"])
def test_what_comes_of_others_is_found_whatever_was_attacked(name: str) -> None:
    found = attacked(name, "gossips")
    assert found.outcome is Outcome.FAIL
    assert found.said.startswith("another user's canary arrived, bystander-1's, in other (")
    assert found.leak is not None


@pytest.mark.parametrize(
    "name", ["alg none", "wrong key", "expired token", "wrong audience", "token expires"]
)
def test_who_verifies_no_token_is_found(name: str) -> None:
    found = attacked(name)
    assert found.outcome is Outcome.FAIL
    assert found.answer in {"accepted", "kept"}


@pytest.mark.parametrize(
    "name", ["foreign thread followed", "foreign session resumed", "session resumed twice", "compressed bomb"]
)
def test_what_the_server_does_not_offer_is_not_exercised(name: str) -> None:
    found = attacked(name)
    assert found.outcome is None
    assert found.said.startswith("the server ")


@pytest.mark.parametrize("name", ["expired session resumed", "session resumed twice"])
def test_what_is_not_carried_out_yet_is_said_and_does_not_count(name: str) -> None:
    found = attacked(name, "resume")
    assert (found.outcome, found.said) == (None, "not carried out yet")


def test_who_logs_nobody_in_is_not_asked_for_tokens() -> None:
    async def play() -> Seen:
        nobody = Door("ws://127.0.0.1:9/ws", Login(kind="none"), "", None, 1)
        return await CARRIED["alg none"](Scene(PLAN, nobody, random.Random(1)))

    assert not asyncio.run(play()).applies


def test_a_bomb_is_sent_to_who_agrees_to_compression() -> None:
    assert attacked("compressed bomb", compression="deflate").answer == "close 1009"


def test_whoever_lets_a_bomb_in_is_found() -> None:
    patient = replace(PLAN, slack=15)  # the bystander waits while so much is inflated
    found = attacked("compressed bomb", plan=patient, compression="deflate", max_size=None)
    assert found.outcome is Outcome.FAIL  # it was read: what is said then is no JSON, and no 1009


def test_who_lets_in_however_many_is_found() -> None:
    found = attacked("too many connections")
    assert (found.outcome, found.answer, found.said) == (Outcome.FAIL, "accepted", "the 5th connection")


def test_patience_has_an_end() -> None:
    assert attacked("says nothing", open_timeout=0.5).outcome is Outcome.PASS
    assert attacked("slow handshake", open_timeout=0.5).outcome is Outcome.PASS
    assert attacked("says nothing", open_timeout=None).answer == "kept"


def test_who_owes_too_little_to_notice_that_nobody_reads_is_unknown() -> None:
    found = attacked("never reads")
    assert found.outcome is Outcome.UNKNOWN
    assert "not enough was owed to fill the buffers:" in found.said


def test_who_keeps_all_that_nobody_reads_is_found() -> None:
    found = attacked("never reads", "keeps all")
    assert (found.outcome, found.answer) == (Outcome.FAIL, "kept")


def test_who_takes_no_more_of_who_never_reads_holds_back() -> None:
    found = attacked("never reads", "holds back")
    assert (found.outcome, found.answer) == (Outcome.PASS, "held back")


def test_an_attack_that_does_not_end_is_given_up_and_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_: Scene) -> Seen:
        await asyncio.sleep(60)
        return Seen()

    async def play() -> Attacked:
        monkeypatch.setitem(CARRIED, "NaN", endless)
        monkeypatch.setattr(Scene, "longest_s", 0.05)
        scene = Scene(PLAN, Door("ws://127.0.0.1:9/ws", Login(), SECRET, None, 1), random.Random(1))
        return await carry(scene, BY_NAME["NaN"])

    found = asyncio.run(play())
    assert (found.outcome, found.answer) == (Outcome.UNKNOWN, "")
    assert "it was not over after 0 s" in found.said


def test_who_lets_in_one_of_each_user_only_is_asked_one_attack_after_the_other() -> None:
    async def play() -> list[Outcome | None]:
        async def act(scene: Scene) -> list[Outcome | None]:
            return [(await carry(scene, BY_NAME[name])).outcome for name in ("no origin",) * 5]

        async with attacked_server("one of each") as target:
            outcomes: list[Outcome | None] = await beside_a_bystander(target, act)
            return outcomes

    assert asyncio.run(play()) == [Outcome.PASS] * 5


@pytest.mark.parametrize("name", ["token expires", "no origin", "alg none"])
def test_who_was_not_let_in_because_of_too_many_has_shown_nothing(name: str) -> None:
    found = attacked(name, "full")
    assert found.outcome is Outcome.UNKNOWN
    assert found.said.startswith("not let in: http 429")


def test_what_a_plan_states_is_held_against_the_answer() -> None:
    lenient = replace(PLAN, attack=replace(PLAN.attack, answers={"wrong origin": ("accepted",)}))
    assert attacked("wrong origin").outcome is Outcome.FAIL
    assert attacked("wrong origin", plan=lenient).outcome is Outcome.PASS


def telling(*holes: str, pairs: int = 20) -> Any:
    async def play() -> Any:
        plan = replace(PLAN, attack=replace(PLAN.attack, pairs=pairs))
        async with attacked_server(*holes) as target:
            return await beside_a_bystander(target, time_pairs, plan)

    return asyncio.run(play())


def test_times_are_taken_in_pairs() -> None:
    told = telling()
    assert told.pairs == 20
    assert told.low_ns <= told.difference_ns <= told.high_ns


def test_who_waits_for_runs_under_way_alone_is_told_by_time() -> None:
    told = telling("waits for the living", pairs=200)  # over many runs, with pauses between
    assert (told.pairs, told.can_be_told) == (200, True)
    assert told.low_ns > WAIT_S * 1e9 / 2
