"""What a scripted agent is told to do, what that makes, and how long it takes at most.

The steps are those of docs/contract.md, "Scripted agents"; times are milliseconds.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from streamgauge.bounds import Bytes, Chunks, Millis, NotNegative
from streamgauge.core.observation import Makes
from streamgauge.distribution import Exponential, LogNormal, Uniform, longest

StepTime = Millis | Uniform | Exponential | LogNormal


class _Do(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="do"):
    """One step, told apart by `do`."""


class Think(_Do, frozen=True, tag="think"):
    """A thought of the agent."""

    text: str = "Thinking"


class Tool(_Do, frozen=True, tag="tool"):
    """One call of a tool; in a `thread` it may have to wait for one of the server's pool."""

    name: str
    ms: StepTime = 0.0
    bytes: Bytes = 0
    outcome: Literal["success", "error", "timeout"] = "success"
    thread: bool = False


class Parallel(_Do, frozen=True, tag="parallel"):
    """Steps at once."""

    steps: "tuple[Step, ...]"


class Stream(_Do, frozen=True, tag="stream"):
    """`chunks` deltas of the answer, `per_second` of them; 0 a second: without pause."""

    chunks: Chunks
    per_second: NotNegative = 0.0
    bytes: Bytes = 0


class Cpu(_Do, frozen=True, tag="cpu"):
    """Work that holds the processor."""

    ms: StepTime


class Sleep(_Do, frozen=True, tag="sleep"):
    """A pause."""

    ms: StepTime


class Fail(_Do, frozen=True, tag="fail"):
    """The agent fails."""

    type: str = "ScriptedFailure"


class Result(_Do, frozen=True, tag="result"):
    """The end: an answer."""

    bytes: Bytes = 0


class NoResult(_Do, frozen=True, tag="no_result"):
    """The end: no answer."""


Step = Think | Tool | Parallel | Stream | Cpu | Sleep | Fail | Result | NoResult


def duration_s(script: Iterable[Step]) -> float:
    """How long a script takes at most, in seconds."""
    return sum(_step_ms(step) for step in script) / 1000


def pause_s(script: Iterable[Step]) -> float:
    """The longest pause between two events that the script makes by itself, in seconds."""
    silent, longest_silence = 0.0, 0.0
    for step in script:
        match step:
            case Cpu() | Sleep():
                silent += _step_ms(step)
                continue
            case Stream(_, per_second):
                inner = 1000 / per_second if per_second else 0.0
            case _:
                inner = _step_ms(step)
        longest_silence = max(longest_silence, silent, inner)
        silent = 0.0
    return max(longest_silence, silent) / 1000


def fails(script: Iterable[Step]) -> bool:
    """Tell whether the script ends without an answer on purpose."""
    return any(
        isinstance(step, Fail | NoResult) or (isinstance(step, Parallel) and fails(step.steps))
        for step in script
    )


def makes(script: Iterable[Step]) -> Makes | None:
    """What a script makes of a run, exactly; None where there is none, or it does not end in an answer.

    Only times are ever drawn: numbers are fixed by the script.
    """
    script = tuple(script)
    if not script or fails(script):
        return None
    steps = tuple(_leaves(script))
    return Makes(
        thoughts=sum(isinstance(step, Think) for step in steps),
        tools=sum(isinstance(step, Tool) for step in steps),
        parts=sum(step.chunks for step in steps if isinstance(step, Stream)),
    )


def _leaves(script: Iterable[Step]) -> Iterator[Step]:
    for step in script:
        if isinstance(step, Parallel):
            yield from _leaves(step.steps)
        else:
            yield step


def _step_ms(step: Step) -> float:
    match step:
        case Tool(ms=ms) | Cpu(ms) | Sleep(ms):
            return longest(ms)
        case Stream(chunks, per_second):
            return 1000 * chunks / per_second if per_second else 0.0
        case Parallel(steps):
            return max((_step_ms(each) for each in steps), default=0.0)
    return 0.0
