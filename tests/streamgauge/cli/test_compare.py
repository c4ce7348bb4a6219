"""The command itself, over folders of tiny reports."""

import json
import sys
from pathlib import Path

import pytest

from streamgauge.cli import main
from tests.support.launches import launch, side_by_side, store

STEADY = [80_000.0, 80_400, 79_700, 80_100, 79_900, 80_300]


class Compare:
    """`streamgauge compare`, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["streamgauge", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compare:
    return Compare(monkeypatch, capsys)


def stored(where: Path, factor: float, launches: int = 6) -> tuple[Path, Path]:
    base, head = side_by_side(STEADY[:launches], [cost * factor for cost in STEADY[:launches]])
    return store(base, where / "base"), store(head, where / "head")


@pytest.mark.parametrize(
    ("factor", "launches", "code", "word"),
    [(1, 6, 0, "PASS"), (1.2, 6, 1, "FAIL"), (1.2, 1, 3, "INCONCLUSIVE")],
)
def test_the_exit_code_and_the_last_line_are_the_verdict(
    compare: Compare, tmp_path: Path, factor: float, launches: int, code: int, word: str
) -> None:
    ended, out, _ = compare(*stored(tmp_path, factor, launches))
    assert ended == code
    assert out.splitlines()[-1].startswith(f"{word}  ")


def test_several_folders_a_side(compare: Compare, tmp_path: Path) -> None:
    base, head = stored(tmp_path, 1.2)
    folders = [
        word
        for side, at in (("--base", base), ("--head", head))
        for run in at.iterdir()
        for word in (side, run)
    ]
    code, out, _ = compare(*folders)
    assert (code, out.splitlines()[0]) == (1, "launches: 6 of base, 6 of head, side by side")


def test_as_json(compare: Compare, tmp_path: Path) -> None:
    code, out, _ = compare(*stored(tmp_path, 1.2), "--json", "--gate", "server-cpu-per-event")
    found = json.loads(out)
    assert (code, found["outcome"], found["design"]) == (1, "fail", "side by side")
    first = found["comparisons"][0]
    assert (first["name"], first["outcome"], first["launches"]) == ("server-cpu-per-event", "fail", [6, 6])
    assert first["low"] > first["limit"] == pytest.approx(1.05)


def test_what_cannot_be_compared_ends_in_one_line_and_2(compare: Compare, tmp_path: Path) -> None:
    base = store([launch(0)], tmp_path / "base")
    head = store([launch(0, plan={"users": 7}, plan_digest="other")], tmp_path / "head")
    code, _, err = compare(base, head)
    assert (code, err.count("\n")) == (2, 1)
    assert "different plans: users 7 and 100" in err


@pytest.mark.parametrize(
    "arguments", [(), ("one",), ("one", "two", "three"), ("one", "--head", "two"), ("--base", "one")]
)
def test_two_sides_are_needed(compare: Compare, arguments: tuple[str, ...]) -> None:
    code, _, err = compare(*arguments)
    assert (code, err) == (2, "streamgauge: give BASE and HEAD, or --base and --head, each at least once\n")
