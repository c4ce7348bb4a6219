"""Ann's connection to the misbehaving server, what she asks on it, and what of the rows is meant."""

from typing import TYPE_CHECKING

from streamgauge.core.event import Kind
from streamgauge.core.observation import Observation, Received
from streamgauge.protocol import Request
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.bench import Bench
    from streamgauge.load.connection import Connection

CANARY = "sgcanaryOfAnnAndNobodyElse1"


def connected(bench: "Bench") -> "Connection":
    connection = Connection(bench, "ann", CANARY)
    connection.connect()
    return connection


def request(name: str = "q1", text: str = "?") -> Request:
    return Request(text=text, request=name, thread="t", agent="guide", context={})


def kinds(rows: list[Observation]) -> list[Kind]:
    return [Kind(row.event.kind) for row in rows if isinstance(row, Received)]


def only(rows: list[Observation], kind: type[Observation]) -> list[Observation]:
    return [row for row in rows if isinstance(row, kind)]
