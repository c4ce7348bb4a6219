"""Ctrl-C, SIGTERM and SIGHUP while attacks are carried out: what is known by then is judged."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Result = TypeVar("Result")


@contextmanager
def interruptible(let_go: Callable[[], None]) -> Iterator[asyncio.Event]:
    """Yields what the first signal sets; the second lets go, and the third is for who heard them before."""
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            if loop.remove_signal_handler(number):
                signal.signal(number, handler)

    def hear() -> None:
        if interrupted.is_set():
            let_go()
            restore()
        interrupted.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, hear)
    try:
        yield interrupted
    finally:
        restore()


async def unless(interrupted: asyncio.Event, work: Coroutine[None, None, Result]) -> Result | None:
    """What work comes to, which is cancelled when it is interrupted; then None."""
    working, hearing = asyncio.create_task(work), asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({working, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return await working
        working.cancel()
        await asyncio.wait({working})
        return None
    finally:
        hearing.cancel()
