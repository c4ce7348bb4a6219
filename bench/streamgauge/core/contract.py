"""The legal life of a run, as a table.

A run is walked through `LEGAL`, event by event. What `LEGAL` does not hold
stands in `BREACHES`, with the rule it breaks, the name of the breach, and where
the walk goes on: so one cause gives one finding. Together the two tables say
what happens for every state and every symbol; a test demands it.
"""

from enum import Enum, StrEnum
from typing import Final

from msgspec import Struct

from streamgauge.core.event import Event, Kind
from streamgauge.core.limit import RunLimit


class Rule(StrEnum):
    """The rules, by the names that reports and tests use."""

    STARTED_FIRST = "started-first"
    THINKING_PRESENT = "thinking-present"
    TOOL_PAIRING = "tool-pairing"
    TERMINAL_LAST = "terminal-last"
    SEQ_CONTIGUOUS = "seq-contiguous"
    OFFSET_CONTIGUOUS = "offset-contiguous"
    PARTIAL_INTEGRITY = "partial-integrity"
    COMPLETE = "complete"
    NO_SILENCE = "no-silence"
    ECHO = "echo"
    PROTOCOL = "protocol"
    ISOLATION_ENVELOPE = "isolation-envelope"
    ISOLATION_CANARY = "isolation-canary"
    ISOLATION_ACTIVE = "isolation-active"
    RESOURCE = "resource"


EVERY_RULE: Final = frozenset(Rule)
ATTACKED: Final = frozenset({Rule.ISOLATION_ACTIVE})  # no stream alone shows them: needed where one attacks
COUNTED: Final = frozenset({Rule.RESOURCE})  # no stream shows them: judged where the server has metrics


class Limits(Struct, frozen=True):
    """What the rules and the metrics need to be told; times in nanoseconds."""

    silence_ns: int = 10_000_000_000
    grace_ns: int = 1_000_000_000
    greets: bool = False  # the server's first message is its greeting, and comes once
    accepts: bool = False  # a run is accepted before its first event
    stall_ns: int = 1_000_000_000  # between two chunks of an answer
    goodput: tuple[RunLimit, ...] = ()  # what a good run keeps, besides the rules
    digests: bool = False  # a run that completes says the digest of its whole answer


class State(Enum):
    """How far a run has come."""

    NEW = "new"
    STARTED = "started"
    ANALYSED = "analysed"  # pipeline step 1 was seen
    WORKING = "working"  # pipeline step 2 was seen
    CONCLUDED = "concluded"  # pipeline step 3 was seen
    ENDED = "ended"


class Symbol(Enum):
    """What the table knows of an event."""

    STARTED = "agent started"
    STEP_1 = "pipeline step 1"
    STEP_2 = "pipeline step 2"
    STEP_3 = "pipeline step 3"
    WORK = "agent's thought, tool or partial result"
    COMPLETED = "agent completed"
    FAILED = "agent error"


_PIPELINE: Final[dict[int, Symbol]] = {1: Symbol.STEP_1, 2: Symbol.STEP_2, 3: Symbol.STEP_3}
_SYMBOL: Final[dict[int, Symbol]] = {
    Kind.WORK: Symbol.WORK,
    Kind.STARTED: Symbol.STARTED,
    Kind.TOOL_EXECUTING: Symbol.WORK,
    Kind.TOOL_COMPLETED: Symbol.WORK,
    Kind.PARTIAL: Symbol.WORK,
    Kind.COMPLETED: Symbol.COMPLETED,
    Kind.FAILED: Symbol.FAILED,
}


def symbol(event: Event) -> Symbol:
    """What the table knows of an event of a run."""
    if event.kind == Kind.THINKING:
        return _PIPELINE[event.step] if event.pipeline else Symbol.WORK
    return _SYMBOL[event.kind]


_N, _S, _A, _W, _C, _E = State
_FIRST, _ONE, _TWO, _THREE, _WORK, _DONE, _FAIL = Symbol

LEGAL: Final[dict[tuple[State, Symbol], State]] = {
    (_N, _FIRST): _S,
    (_N, _FAIL): _E,  # a run whose only event is its error needs no start
    (_S, _ONE): _A,
    (_S, _FAIL): _E,
    (_A, _TWO): _W,
    (_A, _FAIL): _E,
    (_W, _WORK): _W,
    (_W, _THREE): _C,
    (_W, _FAIL): _E,
    (_C, _DONE): _E,
    (_C, _FAIL): _E,
}

_START, _THINK, _LAST = Rule.STARTED_FIRST, Rule.THINKING_PRESENT, Rule.TERMINAL_LAST
_NO_START = "no start before it"

# (state, symbol): the rule that is broken, how, and the state to go on from
BREACHES: Final[dict[tuple[State, Symbol], tuple[Rule, str, State]]] = {
    (_N, _ONE): (_START, _NO_START, _A),
    (_N, _TWO): (_START, _NO_START, _W),
    (_N, _THREE): (_START, _NO_START, _C),
    (_N, _WORK): (_START, _NO_START, _W),
    (_N, _DONE): (_START, _NO_START, _E),
    (_S, _TWO): (_THINK, "step 1 missing", _W),
    (_S, _THREE): (_THINK, "steps 1 and 2 missing", _C),
    (_S, _WORK): (_THINK, "steps 1 and 2 missing", _W),
    (_S, _DONE): (_THINK, "steps 1, 2 and 3 missing", _E),
    (_A, _ONE): (_THINK, "step 1 twice", _A),
    (_A, _THREE): (_THINK, "step 2 missing", _C),
    (_A, _WORK): (_THINK, "step 2 missing", _W),
    (_A, _DONE): (_THINK, "steps 2 and 3 missing", _E),
    (_W, _ONE): (_THINK, "step 1 after step 2", _W),
    (_W, _TWO): (_THINK, "step 2 twice", _W),
    (_W, _DONE): (_THINK, "step 3 missing", _E),
    (_C, _ONE): (_THINK, "step 1 after step 3", _C),
    (_C, _TWO): (_THINK, "step 2 after step 3", _C),
    (_C, _THREE): (_THINK, "step 3 twice", _C),
    (_C, _WORK): (_THINK, "work after step 3", _C),
    **{(state, _FIRST): (_START, "started twice or late", state) for state in State if state not in (_N, _E)},
    **{(_E, late): (_LAST, f"{late.value} after the end", _E) for late in Symbol},
}
