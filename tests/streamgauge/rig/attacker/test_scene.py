import asyncio
import random
from collections.abc import Callable

from streamgauge.core.attack import Try
from streamgauge.plan import Plan
from streamgauge.protocol.login import Login
from streamgauge.rig.attacker.bystander import UnderWay
from streamgauge.rig.attacker.line import Door
from streamgauge.rig.attacker.scene import Scene

RUN = UnderWay("bystander-1", "q", "t", "r-1")


def in_a_scene(act: Callable[[Scene], object]) -> object:
    async def play() -> object:
        return act(Scene(Plan(), Door("ws://127.0.0.1:9/ws", Login(), "s" * 40, None, 1), random.Random(1)))

    return asyncio.run(play())


def answer(message: bytes | None) -> object:
    return in_a_scene(lambda scene: scene.answer(message))


def test_what_is_answered_in_the_words_of_the_list() -> None:
    assert answer(b'{"type":"error","payload":{"code":"not_found","message":"secret"}}') == Try(
        "error not_found"
    )
    assert answer(b'{"type":"ack","payload":{}}') == Try("correct", "ack")
    assert answer(None) == Try("kept", "no answer in 5 s")


def test_an_answer_that_cannot_be_read_is_said_and_not_quoted() -> None:
    said = answer(b"no json, but a secret")
    assert isinstance(said, Try)
    assert said.answer == "correct"
    assert "secret" not in said.said


def test_events_and_the_server_s_own_messages_are_no_answers() -> None:
    def is_answer(message: bytes) -> object:
        return in_a_scene(lambda scene: scene.is_answer(message))

    assert is_answer(b'{"type":"error","payload":{"code":"x","message":""}}')
    assert is_answer(b'{"type":"resume_failed","payload":{}}')
    assert not is_answer(b'{"type":"heartbeat","payload":{"server_ns":1}}')
    assert not is_answer(b'{"type":"run_accepted","payload":{"request_id":"q","run_id":"r","thread_id":"t"}}')


def test_a_victim_is_a_run_that_begins_after_it_was_wanted() -> None:
    async def play() -> tuple[UnderWay | None, UnderWay | None]:
        scene = Scene(Plan(), Door("ws://127.0.0.1:9/ws", Login(), "s" * 40, None, 1), random.Random(1))
        scene.accepted(UnderWay("bystander-1", "q-0", "t", "r-0"))
        wanted = asyncio.create_task(scene.victim())
        await asyncio.sleep(0)
        scene.accepted(RUN)
        return await wanted, scene.latest

    assert asyncio.run(play()) == (RUN, RUN)


def test_requests_have_names_of_their_own_unless_they_are_given() -> None:
    def requests(scene: Scene) -> object:
        one, two, given = scene.request(), scene.request(), scene.request(request="q", thread="t")
        assert one.request != two.request
        return given.request, given.thread

    assert in_a_scene(requests) == ("q", "t")
