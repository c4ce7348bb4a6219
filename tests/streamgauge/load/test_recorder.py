from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamgauge.core.observation import Observation
from streamgauge.core.recording import End, Header, Recording, block
from tests.support.apart import INSIDE
from tests.support.history import CLOCK, LIMITS, opened

if TYPE_CHECKING or INSIDE:
    from gevent import sleep, spawn
    from gevent.monkey import get_original

    from streamgauge.load import recorder
    from streamgauge.load.recorder import Recorder

HEADER = Header("worker-1", "native", CLOCK, 12, LIMITS, ("echo",), "plan")
END = End(99, ("a worker died",), {"HTTP 503": 2})
Content = Header | list[Observation] | End
needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")


def row(number: int) -> Observation:
    return opened(f"u{number}", number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording" / "worker-0.sgr"


@pytest.fixture
def full_disk(path: Path) -> Path:
    path.parent.mkdir()
    path.symlink_to("/dev/full")
    return path


def test_rows_are_read_back_in_their_order(path: Path) -> None:
    recording = Recorder(path, HEADER)
    rows = [row(number) for number in range(3_000)]
    for start in range(0, 3_000, 1_000):
        for one in rows[start : start + 1_000]:
            recording.add(one)
        sleep(0.11)  # long enough for a block or two
    recording.end(END)
    assert Recording.of(path.read_bytes()) == Recording(HEADER, rows, END)
    assert recording.trouble == ""


def test_a_recording_of_nothing_has_a_beginning_and_an_end(path: Path) -> None:
    Recorder(path, HEADER).end(END)
    assert Recording.of(path.read_bytes()) == Recording(HEADER, [], END)


def test_what_was_recorded_is_on_disk_soon(path: Path) -> None:
    recording = Recorder(path, HEADER)
    recording.add(row(1))
    sleep(0.3)
    assert Recording.of(path.read_bytes()) == Recording(HEADER, [row(1)], None)
    recording.end(END)


def test_a_row_that_comes_while_the_last_block_is_written_is_not_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = get_original("time", "sleep")  # blocks the native thread that writes

    def slowly(content: Content) -> bytes:
        wait(0.2)
        return block(content)

    recording = Recorder(path, HEADER)
    monkeypatch.setattr(recorder, "block", slowly)
    recording.add(row(1))
    sleep(0.15)  # row 1 is being written
    recording.add(row(2))
    recording.end(END)
    assert Recording.of(path.read_bytes()) == Recording(HEADER, [row(1), row(2)], END)


def test_nothing_blocks_the_hub_while_a_block_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = get_original("time", "sleep")

    def slowly(content: Content) -> bytes:
        wait(0.3)
        return block(content)

    recording = Recorder(path, HEADER)
    monkeypatch.setattr(recorder, "block", slowly)
    recording.add(row(1))
    closing = spawn(recording.end, END)
    turns = 0
    while not closing.ready():
        sleep(0.01)
        turns += 1
    assert turns > 20


@needs_a_full_disk
def test_a_full_disk_is_a_trouble_and_stops_the_recording_not_the_run(full_disk: Path) -> None:
    recording = Recorder(full_disk, HEADER)
    recording.add(row(1))
    sleep(0.15)
    recording.add(row(2))
    recording.end(END)
    assert recording.trouble == "the recording stopped: No space left on device"


def test_a_row_that_cannot_be_packed_leaves_no_recording_that_looks_whole(path: Path) -> None:
    recording = Recorder(path, HEADER)
    recording.add(row(1))
    sleep(0.15)
    recording.add(row(2**64))
    sleep(0.15)
    recording.add(row(3))
    recording.end(END)
    assert recording.trouble == "the recording stopped: OverflowError"
    assert Recording.of(path.read_bytes()) == Recording(HEADER, [row(1)], None)
