"""A tool that really works: read-only SQL over a small sample database, in worker threads."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from reference_server.tools import ToolError

MAX_ROWS = 50
MAX_COLUMNS = 20
MAX_TEXT = 200
MAX_RESULT_BYTES = 16_384  # so that the event that carries the result fits into one message
MAX_VALUE_BYTES = 1_000_000  # SQLite itself makes no larger one, `randomblob(1e9)` included
WORKERS = 2
STEPS_BETWEEN_CHECKS = 10_000

SCHEMA = """
CREATE TABLE models (name TEXT PRIMARY KEY, cents_per_1k_tokens REAL NOT NULL);
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    model TEXT NOT NULL REFERENCES models (name),
    tokens INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    ok INTEGER NOT NULL
);
"""
MODELS = (("small", 0.02), ("medium", 0.15), ("large", 0.6))
CALLS = 600

READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


def sample_database() -> bytes:
    """Make the sample database, the same each time, as SQLite's own bytes."""
    rng = random.Random(1)  # noqa: S311 - sample data, no secrets
    with sqlite3.connect(":memory:") as database:
        database.executescript(SCHEMA)
        database.executemany("INSERT INTO models VALUES (?, ?)", MODELS)
        database.executemany(
            "INSERT INTO calls (model, tokens, latency_ms, ok) VALUES (?, ?, ?, ?)",
            [
                (
                    rng.choice(MODELS)[0],
                    rng.randint(50, 4_000),
                    rng.randint(20, 3_000),
                    int(rng.random() < 0.97),
                )
                for _ in range(CALLS)
            ],
        )
        database.commit()
        return database.serialize()


class SqlTool:
    """Runs one query at a time in each of a few threads, each with a copy of the database of its own."""

    def __init__(self, database: bytes) -> None:
        self._database = database
        self._here = threading.local()
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="sql")

    async def query(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run `parameters["sql"]`; the first rows come back. Raises `ToolError` for bad SQL."""
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._run, str(parameters["sql"]), stop)
        finally:
            stop.set()  # a cancelled call must not keep its thread busy

    def _run(self, sql: str, stop: threading.Event) -> Mapping[str, Any]:
        if stop.is_set():
            return {}
        connection = self._connection()
        connection.set_progress_handler(stop.is_set, STEPS_BETWEEN_CHECKS)
        try:
            cursor = connection.execute(sql)
            found = cursor.fetchmany(MAX_ROWS + 1)
            columns = [column[0][:MAX_TEXT] for column in cursor.description or ()]
            cursor.close()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise ToolError({"error": f"SQLite: {error}"[:MAX_TEXT]}) from None
        rows = _fitting(found[:MAX_ROWS])
        return {"columns": columns[:MAX_COLUMNS], "rows": rows, "truncated": len(rows) < len(found)}

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._here, "connection"):
            connection = sqlite3.connect(":memory:")
            connection.deserialize(self._database)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
            connection.set_authorizer(_only_reading)
            self._here.connection = connection
        connection = self._here.connection
        assert isinstance(connection, sqlite3.Connection)
        return connection


def _only_reading(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY


def _fitting(found: list[tuple[Any, ...]]) -> list[list[Any]]:
    """The first rows, as many as fit."""
    rows: list[list[Any]] = []
    size = 0
    for row in found:
        cells = [_cell(value) for value in row[:MAX_COLUMNS]]
        size += len(msgspec.json.encode(cells))
        if size > MAX_RESULT_BYTES:
            break
        rows.append(cells)
    return rows


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value[:MAX_TEXT] if isinstance(value, str) else value
