import msgspec
import pytest

from streamgauge.core.observation import Makes
from streamgauge.distribution import Uniform
from streamgauge.script import (
    Cpu,
    Fail,
    NoResult,
    Parallel,
    Result,
    Sleep,
    Step,
    Stream,
    Think,
    Tool,
    duration_s,
    fails,
    makes,
    pause_s,
)


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        ((), 0),
        ((Think(), Result()), 0),
        ((Tool("t", ms=200), Sleep(300), Cpu(500)), 1),
        ((Tool("t", ms=Uniform(100, 400)),), 0.4),
        ((Stream(chunks=100, per_second=50),), 2),
        ((Stream(chunks=100),), 0),
        ((Parallel((Tool("a", ms=200), Tool("b", ms=700))),), 0.7),
    ],
)
def test_how_long_a_script_takes_at_most(script: tuple[Step, ...], seconds: float) -> None:
    assert duration_s(script) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        ((Tool("t", ms=200), Sleep(300), Think()), 0.3),
        ((Sleep(300), Cpu(500), Think(), Sleep(100)), 0.8),
        ((Stream(chunks=100, per_second=5),), 0.2),
        ((Think(), Sleep(900)), 0.9),
        ((Parallel((Tool("a", ms=200), Tool("b", ms=700))),), 0.7),
    ],
)
def test_the_longest_pause_that_a_script_makes_itself(script: tuple[Step, ...], seconds: float) -> None:
    assert pause_s(script) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("script", "on_purpose"),
    [
        ((Think(), Result()), False),
        ((Fail(),), True),
        ((Think(), NoResult()), True),
        ((Parallel((Fail(),)),), True),
    ],
)
def test_a_script_that_fails_on_purpose_is_known(script: tuple[Step, ...], on_purpose: bool) -> None:
    assert fails(script) is on_purpose


@pytest.mark.parametrize(
    ("script", "made"),
    [
        ((Result(),), Makes()),
        ((Sleep(1), Cpu(1), Result(bytes=9)), Makes()),
        ((Think(), Think(), Result()), Makes(thoughts=2)),
        ((Tool("a", outcome="error"), Tool("b", thread=True), Result()), Makes(tools=2)),
        ((Stream(3), Stream(4, per_second=1), Result()), Makes(parts=7)),
        (
            (Parallel((Tool("a"), Think(), Parallel((Stream(2), Tool("b"))), Sleep(1))), Tool("c"), Result()),
            Makes(thoughts=1, tools=3, parts=2),
        ),
        ((Tool("a", ms=Uniform(1, 2)), Result()), Makes(tools=1)),
        # nothing that could be held against a run
        ((), None),
        ((Think(), Fail()), None),
        ((Parallel((Think(), Fail())), Result()), None),
        ((Think(), NoResult()), None),
    ],
)
def test_what_a_script_makes(script: tuple[Step, ...], made: Makes | None) -> None:
    assert makes(script) == made


def test_steps_are_written_as_the_server_reads_them() -> None:
    plain = [
        {"do": "tool", "name": "t", "ms": {"dist": "uniform", "low": 1.0, "high": 2.0}},
        {"do": "tool", "name": "t", "thread": True},
        {"do": "result"},
    ]
    assert msgspec.to_builtins(msgspec.convert(plain, tuple[Step, ...])) == tuple(plain)
