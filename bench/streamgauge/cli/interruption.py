"""Ctrl-C, SIGTERM and SIGHUP while a run is made: whatever has begun is concluded and cleaned up."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG: Final = 1


class Interrupted(Exception):
    """The user ended a run before there was anything to judge."""


class Interruptions:
    """Passes every signal on to the generator, once there is one; before, it ends what is being set up.

    The generator is told to end by SIGTERM, which is heard at any time of its life (it drains, or where
    no run has begun ends without a word); Ctrl-C after that ends the drain, and once more kills it.
    """

    def __init__(self) -> None:
        self.any = False
        self._let_go = False
        self._generator: subprocess.Popen[bytes] | None = None

    def belong_to(self, generator: subprocess.Popen[bytes]) -> None:
        """From now on they are the generator's affair."""
        self._generator = generator

    def hear(self, number: int, _: FrameType | None) -> None:
        """A signal came."""
        again, self.any = self.any, True
        if self._generator is None:
            raise KeyboardInterrupt
        if not again:
            self._generator.send_signal(signal.SIGTERM)  # nothing, where it has ended
        elif number == signal.SIGINT:
            if self._let_go:
                kill(self._generator)
            self._let_go = True
            self._generator.send_signal(number)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session, and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def interruptible() -> Iterator[Interruptions]:
    """Handle the signals in here; raises `Interrupted` for one that comes before the generator."""
    interruptions = Interruptions()
    before = [signal.signal(number, interruptions.hear) for number in _SIGNALS]
    try:
        yield interruptions
    except KeyboardInterrupt as error:
        raise Interrupted from error
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


def ending_with_us(number: signal.Signals) -> Callable[[], None] | None:
    """What a child does before it begins, so that it gets this signal when we die, even by SIGKILL.

    Only Linux can; elsewhere None.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it has died already
            os.kill(os.getpid(), number)

    return prepare
