import fcntl
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamgauge import results
from streamgauge.results import append_line, new_folder, revision, write_whole
from tests.support.command import ROOT


def git(where: Path, *arguments: str) -> None:
    own = ("-c", "user.name=Ann", "-c", "user.email=ann@example.test", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *own, *arguments], cwd=where, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one")
    return tmp_path


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, _: object = None) -> "Stopped":
            return cls(2026, 11, 22, 10, 20, 30, tzinfo=UTC)

        def astimezone(self, _: object = None) -> "Stopped":
            return self

    monkeypatch.setattr(results, "datetime", Stopped)


def test_a_revision_is_short_and_says_whether_the_checkout_was_changed(checkout: Path) -> None:
    clean = revision(checkout)
    assert re.fullmatch(r"[0-9a-f]{7,}", clean)
    (checkout / "file").write_text("two")
    assert revision(checkout) == f"{clean}-changed"


def test_a_tag_is_no_revision(checkout: Path) -> None:
    git(checkout, "tag", "-a", "v1", "-m", "one")
    assert re.fullmatch(r"[0-9a-f]{7,}", revision(checkout))


def test_outside_of_a_checkout(tmp_path: Path) -> None:
    assert revision(tmp_path) == "unversioned"


def test_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert revision(ROOT) == "unversioned"


def test_a_git_that_hangs_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object, **__: object) -> object:
        raise subprocess.TimeoutExpired("git", 10)

    monkeypatch.setattr(subprocess, "run", hangs)
    assert revision(ROOT) == "unversioned"


def test_a_folder_is_named_by_date_scenario_and_revision(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout)
    folder = new_folder(Path("results"), "steady")
    assert folder.is_dir()
    assert folder.parent == Path("results")
    assert re.fullmatch(r"\d{8}-\d{6}-steady-[0-9a-f]{7,}", folder.name)


@pytest.mark.usefixtures("stopped_clock")
def test_two_runs_in_one_second_do_not_share_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [new_folder(tmp_path / "results", "steady").name for _ in range(3)]
    first = "20261122-102030-steady-unversioned"
    assert names == [first, f"{first}-2", f"{first}-3"]


@pytest.mark.usefixtures("stopped_clock")
def test_a_hundred_runs_in_one_second_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "revision", lambda _: "r1")
    for _ in range(99):
        new_folder(tmp_path, "steady")
    with pytest.raises(FileExistsError, match="20261122-102030-steady-r1: a hundred runs in one second"):
        new_folder(tmp_path, "steady")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(NotADirectoryError):
        new_folder(tmp_path / "taken", "steady")


# Lines of a file that all runs share


def test_lines_are_appended(tmp_path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        append_line(tmp_path / "trend.jsonl", line)
    assert (tmp_path / "trend.jsonl").read_text() == "one\ntwo\n"


def test_a_line_that_was_cut_off_stays_alone(tmp_path: Path) -> None:
    (tmp_path / "trend.jsonl").write_text('one\n{"cut o')
    append_line(tmp_path / "trend.jsonl", b"two\n")
    assert (tmp_path / "trend.jsonl").read_text().splitlines() == ["one", '{"cut o', "two"]


def test_many_at_once_append_whole_lines(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from streamgauge.results import append_line\n"
        "for _ in range(200): append_line(Path(sys.argv[1]), sys.argv[2].encode() * 5000 + b'\\n')"
    )
    path = tmp_path / "trend.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert Counter(path.read_text().splitlines()) == {name * 5_000: 200 for name in "abc"}


def test_a_lock_that_nobody_gives_back_hangs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_LOCK_S", 0.0001)
    path = tmp_path / "trend.jsonl"
    with path.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            append_line(path, b"one\n")
    append_line(path, b"two\n")
    assert path.read_bytes() == b"two\n"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    write_whole(path, b"first")

    def full(unfinished: Path, _: bytes) -> None:
        unfinished.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
