from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.context import AgentRequest
from reference_server.run import MAX_UNHEARD, Run, RunBook

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


def test_the_first_cause_of_a_stop_stands(kit: Kit) -> None:
    async def work() -> Run:
        run = Run(kit.context_of(), AgentRequest(agent_name="a", text="t"))
        run.stop("cancelled")
        run.stop("timeout")
        return run

    run = kit.go(work())
    assert (run.cause, run.stopped.done()) == ("cancelled", True)


def test_what_the_user_says_is_heard_once_and_bounded(kit: Kit) -> None:
    async def work() -> None:
        run = Run(kit.context_of(), AgentRequest(agent_name="a", text="t"))
        assert run.say("one")
        assert run.say("two")
        assert run.heard() == ["one", "two"]
        assert run.heard() == []
        assert [run.say("more") for _ in range(MAX_UNHEARD + 1)] == [True] * MAX_UNHEARD + [False]

    kit.go(work())


def test_a_run_is_seen_by_its_own_user_only(kit: Kit) -> None:
    async def work() -> None:
        book = RunBook(remembered=1)
        first, second = (
            Run(kit.context_of("u1", run_id), AgentRequest(agent_name="a", text="t"))
            for run_id in ("r1", "r2")
        )
        book.open(first)
        book.open(second)
        assert (book.find("u1", "r1"), book.find("u2", "r1"), book.find("u1", "r9")) == (first, None, None)
        book.close(first)
        assert (book.find("u1", "r1"), book.has_ended("u1", "r1"), book.has_ended("u2", "r1")) == (
            None,
            True,
            False,
        )
        book.close(second)
        assert (book.has_ended("u1", "r1"), book.has_ended("u1", "r2"), len(book)) == (False, True, 0)

    kit.go(work())
