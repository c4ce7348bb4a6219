import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from streamgauge.cli.interruption import Interrupted, Interruptions, interruptible

CHILD = """
import signal, subprocess
from streamgauge.cli.interruption import ending_with_us
subprocess.Popen(["sleep", "60"], start_new_session=True, preexec_fn=ending_with_us(signal.SIGKILL))
print(flush=True)
signal.pause()
"""


class Generator:
    def __init__(self) -> None:
        self.signals: list[int] = []

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_there_is_a_generator_a_signal_ends_what_is_set_up(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted), interruptible() as interruptions:
        os.kill(os.getpid(), number)
    assert interruptions.any
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("heard", "passed_on"),
    [
        ((signal.SIGINT,), [signal.SIGTERM]),
        ((signal.SIGHUP,), [signal.SIGTERM]),
        ((signal.SIGINT, signal.SIGINT), [signal.SIGTERM, signal.SIGINT]),
        ((signal.SIGTERM, signal.SIGTERM, signal.SIGHUP), [signal.SIGTERM]),
        ((signal.SIGTERM, signal.SIGINT), [signal.SIGTERM, signal.SIGINT]),
    ],
)
def test_the_first_drains_and_only_ctrl_c_ends_the_drain(
    heard: tuple[int, ...], passed_on: list[int]
) -> None:
    generator: Any = Generator()
    with interruptible() as interruptions:
        interruptions.belong_to(generator)
        for number in heard:
            os.kill(os.getpid(), number)
    assert generator.signals == passed_on


def test_where_nothing_was_heard_nothing_was_interrupted() -> None:
    assert not Interruptions().any


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
def test_a_child_ends_with_its_parent_even_if_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.kill()
        parent.stdout.read()  # ends when the child has gone, who holds the other end too
