"""Watches a run that is under way: whether it is to end early, and what its server holds meanwhile."""

import time
from collections.abc import Callable
from typing import Final

import gevent

from streamgauge.core import abort
from streamgauge.core.doubt import FORSAKEN
from streamgauge.load.bench import Snapshot
from streamgauge.load.server_metrics import Holding, Inquiry
from streamgauge.load.vigil import Vigil
from streamgauge.plan import Plan

CAPPED: Final = "all that may be asked was asked"
_EVERY_S: Final = 0.25
_LOOK_SHARE: Final = 0.1  # of the run, between two looks at what the server holds
_LOOK_S: Final = (1.0, 10.0)  # but no shorter and no longer


def await_early_end(
    plan: Plan,
    goes_on: Callable[[], bool],
    snapshot: Callable[[], Snapshot],
    users: Callable[[], int],
) -> str:
    """Wait until a condition of the plan holds, no more may be asked, or nobody is connected; give which.

    That is the condition, `CAPPED` or `FORSAKEN`; "" where the run was over first, by what `goes_on` says.
    `users` are those who may still try to connect.
    """
    conditions = tuple(map(abort.parse, plan.abort_on))
    vigil = Vigil(time.monotonic() + plan.users / plan.spawn_rate)
    while goes_on():
        gevent.sleep(_EVERY_S)
        now = snapshot()
        if condition := abort.broken(conditions, now.counted()):
            return str(condition)
        if plan.most_runs and now.asked >= plan.most_runs:
            return CAPPED
        if vigil.is_over(time.monotonic(), now.users, users()):
            return FORSAKEN
    return ""


def inquire(
    plan: Plan,
    inquiry: Inquiry,
    goes_on: Callable[[], bool],
    snapshot: Callable[[], Snapshot],
    holding: Callable[[], Holding | None],
) -> None:
    """Ask the server when all users are there: what events cost it counts from then; no user waits for this.

    What it holds it is asked now and then, but never while slices are measured.
    """
    every_s = min(max(plan.duration * _LOOK_SHARE, _LOOK_S[0]), _LOOK_S[1])
    all_there, looks_s = False, time.monotonic() + every_s
    while goes_on():
        gevent.sleep(_EVERY_S)
        if not all_there and snapshot().users >= plan.users:
            all_there = True
            inquiry.all_users_are_there()
        if not plan.slice_runs and time.monotonic() >= looks_s:
            looks_s += every_s
            inquiry.look(holding)
