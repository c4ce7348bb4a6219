"""The faults that the reference server commits on purpose, and what must come of each (docs/faults.md).

This is the instrument's own account of them, made without the server's code; a test holds it
against the page and against what the server can commit.
"""

from typing import Final

from msgspec import Struct

from streamgauge.study.detection_load import (
    ISOLATION,
    ISOLATION_LONGER,
    STEADY,
    STEADY_LONGER,
    Load,
    with_changes,
    with_users_who,
)

LEAST_CHANCES: Final = 1_000  # that a run at the low rate must offer
LOW_RATE: Final = 0.01
THRESHOLD: Final = "threshold"  # in the place of a rule: a threshold of the plan

RESUME: Final = "comes with resume"
SUBSCRIBE: Final = "comes with subscribe"
RESTARTS: Final = "comes with restarts"
LATER: Final = {
    "F13 resume-loss": RESUME,
    "F14 resume-duplicate": RESUME,
    "F15 resume-stale": RESUME,
    "F18 overtake": RESUME,
    "F32 unfit-drain": RESTARTS,
    "F33 steal": SUBSCRIBE,
}


class Row(Struct, frozen=True):
    """One fault: a rule of `must` fails, those of `may` can fail of the same cause, and no other does.

    A finding of `must` says `problem`. Where there is a `doubt` no rule fails, and the run is
    inconclusive by it. `full` provokes the fault at rate 1, `rare` at `LOW_RATE`; without
    a `rare` it has no rate. `time` is handed to the fault, where it takes one.
    """

    number: str
    name: str
    must: tuple[str, ...]
    may: tuple[str, ...] = ()
    problem: str = ""
    doubt: str = ""
    full: Load = STEADY
    rare: Load | None = STEADY_LONGER
    time: str = ""

    def committed(self, rate: float) -> str:
        """What the server is told by `--fault`."""
        if self.time:
            return f"{self.name}:{rate:g}:{self.time}"
        return self.name if rate == 1 else f"{self.name}:{rate:g}"


_CANARY, _ENVELOPE, _SEQ, _OFFSET = (
    "isolation-canary",
    "isolation-envelope",
    "seq-contiguous",
    "offset-contiguous",
)
_ASTRAY: Final = (_ENVELOPE, _SEQ, "complete", "echo")  # what else one sees of an event that went astray


def _isolation(number: str, name: str, must: str, may: tuple[str, ...], problem: str = "") -> Row:
    """A fault that takes users who are as alike as they can be."""
    return Row(number, name, (must,), may, problem, full=ISOLATION, rare=ISOLATION_LONGER)


_CANCELLING: Final = with_users_who(ISOLATION, cancel_share=0.6)
_CANCELLING_LONGER: Final = with_users_who(
    with_changes(ISOLATION_LONGER, users=100, duration=8), cancel_share=0.6
)
_MANY_SOCKETS: Final = {"users": 1_200, "spawn_rate": 400, "arrivals": {"kind": "constant", "interval": 2.5}}
_MANY_TABS: Final = {
    "users": 120,
    "duration": 15,
    "arrivals": {"kind": "lockstep", "interval": 1},
    "reopen": 0.5,
}
_IMPATIENT: Final = {"silence": 2, "slack": 10}
_LONG_RUNS: Final = {
    "silence": 2,
    "personas": [{"script": [*([{"do": "tool", "name": "search", "ms": 400}] * 8), {"do": "result"}]}],
    # of a run without parts there is no answer to hold against them
    "required": ["no-silence", "complete", _SEQ, "thinking-present", "tool-pairing"],
}
_STALLED: Final = Load("stalled", {"spawn_rate": 60, "duration": 20})
_CHURN: Final = Load("churn", {"users": 40, "spawn_rate": 100, "duration": 4})
_MANY_DEAD: Final = {
    "users": 1_200,
    "spawn_rate": 400,
    "duration": 6,
    "personas": [{"name": "patient"}, {"name": "dead", "weight": 9, "reader": "dead"}],
}
_MANY_GONE: Final = {
    "users": 350,
    "spawn_rate": 200,
    "duration": 9,
    "personas": [
        {
            "name": "gone",
            "weight": 9,
            "leave_share": 1,
            "script": [
                {"do": "think", "text": "This will take a while"},
                {"do": "sleep", "ms": 60_000},
                {"do": "result"},
            ],
        },
        {"name": "patient"},
    ],
}
_ATTACKED: Final = ("isolation-active",)
_ATTACK: Final = Load("attack", {"users": 10, "duration": 20})

ROWS: Final = (
    Row(
        "F01",
        "pooled-mixup",
        (_CANARY,),
        ("echo", _ENVELOPE, "complete"),
        full=_CANCELLING,
        rare=_CANCELLING_LONGER,
    ),
    _isolation("F02", "shared-global", _CANARY, _ASTRAY),
    Row(
        "F03",
        "registry-by-user",
        ("complete",),
        ("no-silence",),
        full=ISOLATION,
        rare=with_changes(ISOLATION_LONGER, **_MANY_TABS),
    ),
    _isolation("F04", "colliding-ids", _CANARY, _ASTRAY),
    Row(
        "F05",
        "lost-context",
        (_CANARY,),
        (_ENVELOPE, "echo"),
        full=ISOLATION,
        rare=with_changes(ISOLATION_LONGER, users=100),
    ),
    _isolation("F06", "cache-key", _CANARY, ("echo",)),
    Row("F07", "foreign-metadata", (_ENVELOPE,), (_CANARY,)),
    _isolation("F08", "broadcast", _CANARY, (_ENVELOPE, "started-first", _SEQ, _OFFSET)),
    Row("F09", "drop", (_SEQ,), (_OFFSET,), "gap"),
    Row("F10", "drop-silent", ("tool-pairing", "partial-integrity", "thinking-present")),
    Row("F11", "drop-thinking", ("thinking-present",), (), "missing"),
    Row("F12", "tail-loss", ("complete",)),
    Row("F16", "duplicate", (_SEQ,), (_OFFSET,), "repeat"),
    Row("F17", "swap", (_SEQ,), (_OFFSET,), "step back"),
    Row("F19", "completed-first", ("tool-pairing",)),
    Row("F20", "two-terminals", ("terminal-last",)),
    Row("F21", "torn", ("protocol",), (_SEQ, _OFFSET)),
    Row("F22", "corrupt-delta", ("partial-integrity",)),
    Row(
        "F23",
        "wrong-echo",
        ("echo",),
        ("complete",),
        full=ISOLATION,
        rare=with_changes(ISOLATION_LONGER, users=100),
    ),
    Row(
        "F24",
        "first-event-race",
        ("started-first",),
        (_SEQ, _OFFSET),
        rare=with_changes(STEADY_LONGER, **_MANY_SOCKETS),
    ),
    Row(
        "F25",
        "silence",
        ("no-silence",),
        ("complete",),
        full=with_changes(STEADY, **_IMPATIENT),
        rare=with_changes(STEADY_LONGER, **_IMPATIENT),
        time="4s",
    ),
    Row(
        "F26",
        "batching",
        ("no-silence",),
        (THRESHOLD,),
        full=with_changes(STEADY, **_LONG_RUNS),
        rare=with_changes(STEADY_LONGER, **_LONG_RUNS),
    ),
    Row("F27", "slow-starves-all", (THRESHOLD,), ("no-silence", "complete"), full=_STALLED, rare=None),
    Row("F28", "unbounded-queue", (THRESHOLD,), ("resource",), full=_STALLED, rare=None),
    Row("F29", "half-open", ("resource",), full=_CHURN, rare=with_changes(_CHURN, **_MANY_DEAD)),
    Row(
        "F30",
        "cancel-bystander",
        ("complete",),
        full=_CANCELLING,
        rare=_CANCELLING_LONGER,
    ),
    Row("F31", "ghost-run", ("resource",), full=_CHURN, rare=with_changes(_CHURN, **_MANY_GONE)),
    Row("F34", "oracle", _ATTACKED, full=_ATTACK, rare=None),
    Row("F35", "alg-none", _ATTACKED, full=_ATTACK, rare=None),
    Row("F36", "clock-lie", (), doubt="clock"),
)
