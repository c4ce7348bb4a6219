"""The scripted agent's steps: small frozen data, read and judged before anything runs."""

import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

MAX_STEPS = 1_000
MAX_DEPTH = 4
MAX_MS = 600_000.0
MAX_CHUNKS = 10_000

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Number = Annotated[float, Meta(ge=0, le=MAX_MS)]
Bytes = Annotated[int, Meta(ge=0)]


class Uniform(Struct, frozen=True, forbid_unknown_fields=True, tag_field="dist", tag="uniform"):
    low: Number
    high: Number

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")


class Exponential(Struct, frozen=True, forbid_unknown_fields=True, tag_field="dist", tag="exponential"):
    mean: Annotated[float, Meta(gt=0, le=MAX_MS)]


class LogNormal(Struct, frozen=True, forbid_unknown_fields=True, tag_field="dist", tag="lognormal"):
    median: Annotated[float, Meta(gt=0, le=MAX_MS)]
    sigma: Annotated[float, Meta(ge=0, le=10)]


Milliseconds = Number | Uniform | Exponential | LogNormal


class Think(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="think"):
    text: Annotated[str, Meta(max_length=4096)] = "Thinking"


class Tool(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="tool"):
    """One call of a tool, whose work is done on the event loop, or else in a `thread` of its pool."""

    name: Name
    ms: Milliseconds = 0.0
    bytes: Bytes = 0
    outcome: Literal["success", "error", "timeout"] = "success"
    thread: bool = False


class Parallel(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="parallel"):
    steps: "tuple[Step, ...]"


class Stream(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="stream"):
    """`chunks` deltas of about `bytes` bytes each, `per_second` of them; 0 a second means without pause."""

    chunks: Annotated[int, Meta(ge=1, le=MAX_CHUNKS)]
    per_second: Annotated[float, Meta(ge=0)] = 0.0
    bytes: Bytes = 0


class Cpu(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="cpu"):
    ms: Milliseconds


class Sleep(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="sleep"):
    ms: Milliseconds


class Fail(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="fail"):
    type: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] = "ScriptedFailure"


class Result(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="result"):
    """Ends the script. The answer is what was streamed; where nothing was, a text of `bytes` bytes."""

    bytes: Bytes = 0


class NoResult(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="no_result"):
    """Ends the script without a result."""


Step = Think | Tool | Parallel | Stream | Cpu | Sleep | Fail | Result | NoResult
ENDINGS = (Result, NoResult)

DEFAULT_SCRIPT: tuple[Step, ...] = (
    Think("Weighing the options"),
    Tool("search", ms=5.0, bytes=64),
    Stream(chunks=3, per_second=120.0),
    Result(),
)

_decoder = msgspec.json.Decoder(tuple[Step, ...])


class BadScript(ValueError):
    """A script that cannot be played; the text names the fault and its place."""


def read_script(raw: bytes | msgspec.Raw, max_bytes: int) -> tuple[Step, ...]:
    """Decode and judge a script; no text that it makes may be longer than `max_bytes`.

    Raises `BadScript`.
    """
    try:
        steps = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadScript(f"options.script: {error}") from error
    if len(list(_walk(steps))) > MAX_STEPS:
        raise BadScript(f"options.script: more than {MAX_STEPS} steps")
    _judge(steps, max_bytes)
    return steps


def draw_ms(value: Milliseconds, rng: random.Random) -> float:
    """Draw one time in milliseconds, never above `MAX_MS`."""
    match value:
        case Uniform():
            drawn = rng.uniform(value.low, value.high)
        case Exponential():
            drawn = rng.expovariate(1 / value.mean)
        case LogNormal():
            drawn = value.median * rng.lognormvariate(0.0, value.sigma)
        case _:
            drawn = value
    return min(drawn, MAX_MS)


def _walk(steps: Sequence[Step], depth: int = 1) -> Iterator[Step]:
    if depth > MAX_DEPTH:
        raise BadScript(f"options.script: `parallel` nested deeper than {MAX_DEPTH}")
    for step in steps:
        yield step
        if isinstance(step, Parallel):
            yield from _walk(step.steps, depth + 1)


def _judge(steps: tuple[Step, ...], max_bytes: int) -> None:
    inner = [
        step for parallel in steps if isinstance(parallel, Parallel) for step in _walk(parallel.steps, 2)
    ]
    if any(isinstance(step, ENDINGS) for step in (*steps[:-1], *inner)):
        raise BadScript(
            "options.script: `result` and `no_result` end a script: only the last step may be one"
        )
    sizes = [step.bytes for step in _walk(steps) if isinstance(step, Tool | Result)]
    sizes.append(sum(step.chunks * max(step.bytes, 1) for step in _walk(steps) if isinstance(step, Stream)))
    if max(sizes) > max_bytes:
        raise BadScript(
            f"options.script: {max(sizes)} bytes in one text, at most {max_bytes}: "
            "it would not fit into one message of `max_message_bytes`"
        )
