import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.raw import RawRecorder, Said, line
    from streamgauge.wire import Aside, Unreadable

SECRET = "a-secret-of-the-tests-and-of-nothing-else"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")


def lined(message: bytes) -> dict[str, object]:
    read: dict[str, object] = json.loads(line(Said(5, 1, "u0-1", "in", message), SECRET, 1_000))
    return read


def test_a_message_is_as_it_was_said() -> None:
    assert lined(b'{"type":"agent_thinking","payload":{"reasoning":"Hm","step":null}}') == {
        "at_ns": 5,
        "conn": 1,
        "user": "u0-1",
        "way": "in",
        "message": {"type": "agent_thinking", "payload": {"reasoning": "Hm", "step": None}},
    }


@pytest.mark.parametrize(
    "message",
    [
        json.dumps({"payload": {"api_key": "hunter2", "text": f"Bearer {TOKEN}"}}).encode(),
        json.dumps([f"password=hunter2 {SECRET}", {"t": TOKEN}]).encode(),
        f"no JSON: token=hunter2 {SECRET} {TOKEN}".encode(),
        json.dumps({SECRET: {TOKEN: 1}}).encode(),
    ],
)
def test_no_secret_is_in_it(message: bytes) -> None:
    said = json.dumps(lined(message))
    assert "[redacted]" in said
    assert not any(secret in said for secret in ("hunter2", SECRET, "eyJ"))


def test_what_is_no_json_is_a_text_and_what_is_no_text_is_counted() -> None:
    assert lined(b"{half")["text"] == "{half"
    assert lined(b"[" * 100_000)["text"] == "[" * 1_000 + "… (+99,000 characters)"
    read = json.loads(line(Said(5, 1, "u0-1", "in", Unreadable("binary", 7, b"payload")), "", 10))
    assert read == {"at_ns": 5, "conn": 1, "user": "u0-1", "way": "in", "unreadable": "binary", "size": 7}


def test_what_is_no_message_is_not_in_it(tmp_path: Path) -> None:
    recorder = RawRecorder(tmp_path / "raw.jsonl", SECRET, 1_000)
    recorder.heard(2, 1, "ann", [b"1", Aside("ping", b"2"), b"3"])
    recorder.close()
    assert [json.loads(one)["message"] for one in (tmp_path / "raw.jsonl").read_text().splitlines()] == [1, 3]


def test_messages_are_written_in_order(tmp_path: Path) -> None:
    recorder = RawRecorder(tmp_path / "new" / "worker-0.raw.jsonl", SECRET, 1_000)
    recorder.told(1, 1, "ann", b"0")
    recorder.heard(2, 1, "ann", [str(n).encode() for n in range(1, 200)])
    recorder.close()
    read = [json.loads(one) for one in (tmp_path / "new" / "worker-0.raw.jsonl").read_text().splitlines()]
    assert [one["message"] for one in read] == list(range(200))
    assert [one["way"] for one in read[:2]] == ["out", "in"]
    assert recorder.trouble == ""


@needs_a_full_disk
def test_a_full_disk_stops_the_record_and_nothing_else() -> None:
    recorder = RawRecorder(Path("/dev/full"), SECRET, 1_000)
    recorder.told(1, 1, "ann", b"0")
    recorder.close()
    assert recorder.trouble == "the record of raw messages stopped: No space left on device"
