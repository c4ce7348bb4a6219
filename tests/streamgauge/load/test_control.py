"""The run waits for what its control came to, and not for ever."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from streamgauge.control_files import FOLDER, is_over, write_control
from streamgauge.core.control import Control
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    import gevent

    from streamgauge.load.control import await_control


def test_it_is_told_that_the_run_is_over_and_what_it_came_to_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()

    def conclude() -> None:
        while not is_over(tmp_path):
            gevent.sleep(0.01)
        write_control(tmp_path, Control(problem="an answer"))

    beside = gevent.spawn(conclude)
    assert await_control(tmp_path) == Control(problem="an answer")
    beside.get()


@pytest.mark.parametrize("content", [None, b"", b"no JSON"])
def test_a_control_that_says_nothing_is_a_problem(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / FOLDER).mkdir()
    if content is not None:
        (tmp_path / FOLDER / "control.json").write_bytes(content)
    assert await_control(tmp_path, 0.2).problem == "it had not ended 0.2 s after the run"


def test_where_nobody_started_one_nobody_waits(tmp_path: Path) -> None:
    assert "none was made" in await_control(tmp_path).problem
