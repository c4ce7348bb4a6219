from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.sql_tool import CALLS, MAX_RESULT_BYTES, MAX_ROWS, SqlTool, sample_database
from reference_server.tools import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.reference_server.conftest import Kit

COUNT_TO = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*) FROM n"
)


def query(kit: Kit, sql: str) -> Mapping[str, Any]:
    return kit.go(SqlTool(sample_database()).query({"sql": sql}))


def test_a_query_gives_rows(kit: Kit) -> None:
    assert query(kit, "SELECT count(*) AS calls FROM calls") == {
        "columns": ["calls"],
        "rows": [[CALLS]],
        "truncated": False,
    }


def test_the_sample_is_the_same_each_time() -> None:
    assert sample_database() == sample_database()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM calls",
        "INSERT INTO models VALUES ('x', 1)",
        "CREATE TABLE t (a)",
        "PRAGMA query_only = 0",
        "ATTACH DATABASE '/etc/passwd' AS other",
        "SELECT load_extension('x')",
        "SELECT * FROM nowhere",
        "SELECT 1; SELECT 2",
        "SELECT length(randomblob(2000000))",
        "not sql",
    ],
)
def test_what_is_wrong_or_writes_is_refused(kit: Kit, sql: str) -> None:
    with pytest.raises(ToolError) as refused:
        query(kit, sql)
    assert str(refused.value.result["error"]).startswith("SQLite: ")


def test_an_empty_query_gives_nothing(kit: Kit) -> None:
    assert query(kit, "-- nothing")["rows"] == []


def test_results_are_bounded(kit: Kit) -> None:
    many = query(kit, "SELECT * FROM calls")
    assert (len(many["rows"]), many["truncated"]) == (MAX_ROWS, True)
    wide = query(kit, "SELECT " + ", ".join(["hex(zeroblob(500))"] * 30) + " FROM calls")
    assert len(str(wide["rows"])) < 2 * MAX_RESULT_BYTES
    assert wide["truncated"]
    assert query(kit, "SELECT zeroblob(7), NULL, 1.5")["rows"] == [["7 bytes", None, 1.5]]


def test_a_cancelled_query_frees_its_thread(kit: Kit) -> None:
    async def work() -> Mapping[str, Any]:
        tool = SqlTool(sample_database())
        for _ in range(4):  # more than there are threads
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await tool.query({"sql": COUNT_TO.format(20_000_000)})
        return await tool.query({"sql": "SELECT 1"})

    started = time.monotonic()
    assert kit.go(work())["rows"] == [[1]]
    assert time.monotonic() - started < 5


def test_queries_do_not_block_the_event_loop(kit: Kit) -> None:
    async def work() -> int:
        tool = SqlTool(sample_database())
        slow = asyncio.create_task(tool.query({"sql": COUNT_TO.format(300_000)}))
        ticks = 0
        while not slow.done():
            ticks += 1
            await asyncio.sleep(0.001)
        assert (await slow)["rows"] == [[300_000]]
        return ticks

    assert kit.go(work()) > 3
