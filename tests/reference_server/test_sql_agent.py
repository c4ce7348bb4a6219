from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_server.sql_agent import DEFAULT_QUERY, QUERIES, SqlAgent, plan_query

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("  SELECT 1", "  SELECT 1"),
        ("with x as (select 1) select * from x", "with x as (select 1) select * from x"),
        ("Which model has the worst Latency?", QUERIES["latency"]),
        ("what did it cost", QUERIES["cost"]),
        ("how are you", DEFAULT_QUERY),
    ],
)
def test_a_request_becomes_a_query(text: str, query: str) -> None:
    assert plan_query(text) == query


@pytest.mark.parametrize("text", [*QUERIES, "anything"])
def test_a_question_is_answered_from_the_database(kit: Kit, text: str) -> None:
    events = kit.go(kit.Stage({"agent": SqlAgent()}).play(text=text))
    assert kit.kinds(events) == ["start", "P1", "P2", "A", "tool", "done:success", "P3", "completed"]
    rows = events[5]["payload"]["result"]["rows"]
    assert rows
    assert str(rows[0]) in events[-1]["payload"]["result"]["answer"]
    assert text in events[-1]["payload"]["result"]["answer"]


def test_a_query_that_fails_fails_the_agent(kit: Kit) -> None:
    events = kit.go(kit.Stage({"agent": SqlAgent()}).play(text="SELECT * FROM secrets"))
    assert kit.kinds(events)[3:] == ["A", "tool", "done:error", "error:agent_failed"]
    assert "no such table: secrets" in events[-1]["payload"]["error_message"]
