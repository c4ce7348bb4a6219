"""No room but `protocol/` knows a protocol's names: of its messages, or of their fields."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamgauge.protocol import ag_ui, ag_ui_messages, native, native_messages
from streamgauge.protocol.dialect import Dialect, Request
from tests.support.command import ROOT

SOURCE = ROOT / "bench" / "streamgauge"
# A server speaks the protocol that it serves: these are the one whose delays are known.
SERVERS = {SOURCE / "rig" / "known_delay.py", SOURCE / "rig" / "known_run.py"}
MODULES = sorted(
    path
    for path in (*SOURCE.rglob("*.py"), *(ROOT / "scenarios").glob("*.py"))
    if not path.is_relative_to(SOURCE / "protocol") and path not in SERVERS
)


def keys(message: object) -> Iterator[str]:
    """Every key in a message, and its type."""
    match message:
        case dict():
            yield from (key for key in message if key != "options")
            yield from (name for value in message.values() for name in keys(value))
        case list():
            yield from (name for item in message for name in keys(item))


def spoken(dialect: Dialect) -> set[str]:
    """What a client says."""
    messages = (
        dialect.start(Request("?", "q", "t", "a", {"c": "d"}, {"o": 1})),
        dialect.cancel("r"),
        dialect.say("r", "?"),
    )
    said = [msgspec.json.decode(message, type=dict[str, Any]) for message in messages if message]
    return {name for message in said for name in (*keys(message), str(message.get("type", "")))}


def heard(module: object) -> set[str]:
    """What a server says: the types and the fields of its messages."""
    structs = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
    ]
    return {
        name
        for struct in structs
        for name in (*struct.__struct_encode_fields__, str(struct.__struct_config__.tag))
        if name != struct.__name__  # what msgspec calls it where nobody did
    }  # fmt: skip


def telling(names: set[str]) -> set[str]:
    """Those that are no plain English words, and so can be meant as nothing else."""
    return {name for name in names if "_" in name or not name.islower()} - {"", "None"}


NATIVE = telling(heard(native_messages) | spoken(native.NATIVE))
AG_UI = telling(heard(ag_ui_messages) | spoken(ag_ui.AG_UI))


def docstrings(tree: ast.Module) -> set[ast.Constant]:
    """The constants that are documentation."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant):
                found.add(value)
    return found


def known(source: str) -> set[str]:
    """The protocols' names in the strings of a module."""
    tree = ast.parse(source)
    documentation = docstrings(tree)
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation
    ]
    return {word for text in strings for word in re.findall(r"\w+", text)} & (NATIVE | AG_UI)


def test_the_names_that_are_looked_for() -> None:
    assert {"agent_thinking", "user_request", "run_id", "answer_sha256", "start_agent"} <= NATIVE
    assert {"TEXT_MESSAGE_START", "runId", "toolCallName", "forwardedProps"} <= AG_UI
    assert "status" not in NATIVE | AG_UI  # a plain word


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('x = event["run_id"]', {"run_id"}),
        ('def f():\n    return f"no {x} agent_thinking"', {"agent_thinking"}),
        ('"""Says run_id."""\nclass A:\n    """And runId."""', set()),
        ("x.run_id = 1", set()),
        ('x = "RUN_STARTED"', {"RUN_STARTED"}),
        ('x = "the run_ids of it"', set()),
    ],
)
def test_a_name_is_found_in_strings_and_not_in_documentation(source: str, names: set[str]) -> None:
    assert known(source) == names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_protocol_s_name_is_known_elsewhere(path: Path) -> None:
    assert known(path.read_text(encoding="utf-8")) == set()
