import json
import random
from typing import Any

import pytest

from reference_server.script import (
    DEFAULT_SCRIPT,
    BadScript,
    Exponential,
    LogNormal,
    Milliseconds,
    Parallel,
    Result,
    Sleep,
    Stream,
    Think,
    Tool,
    Uniform,
    draw_ms,
    read_script,
)


def read(*steps: dict[str, Any], max_bytes: int = 1_000) -> Any:
    return read_script(json.dumps(steps).encode(), max_bytes)


def test_steps_become_data() -> None:
    assert read(
        {"do": "think", "text": "hm"},
        {"do": "parallel", "steps": [{"do": "tool", "name": "a", "ms": 3}, {"do": "sleep", "ms": 1.5}]},
        {"do": "tool", "name": "b", "thread": True},
        {"do": "stream", "chunks": 3, "per_second": 10, "bytes": 4},
        {"do": "result", "bytes": 9},
    ) == (
        Think("hm"),
        Parallel((Tool("a", 3.0), Sleep(1.5))),
        Tool("b", thread=True),
        Stream(3, 10.0, 4),
        Result(9),
    )


def test_times_may_be_distributions() -> None:
    assert read({"do": "cpu", "ms": {"dist": "uniform", "low": 1, "high": 2}})[0].ms == Uniform(1.0, 2.0)
    assert read({"do": "sleep", "ms": {"dist": "exponential", "mean": 5}})[0].ms == Exponential(5.0)
    assert read({"do": "sleep", "ms": {"dist": "lognormal", "median": 5, "sigma": 1}})[0].ms == LogNormal(
        5.0, 1.0
    )


def test_the_same_seed_draws_the_same_times() -> None:
    times: list[Milliseconds] = [Uniform(1.0, 2.0), Exponential(5.0), LogNormal(5.0, 1.0), 7.0]
    first, second = ([draw_ms(time, rng) for time in times] for rng in (random.Random(3), random.Random(3)))
    assert first == second
    assert 1 <= first[0] <= 2
    assert first[3] == 7.0


def test_no_drawn_time_is_longer_than_ten_minutes() -> None:
    assert draw_ms(LogNormal(600_000.0, 10.0), random.Random(2)) == 600_000.0


def test_the_default_script_has_the_shape_of_a_real_run() -> None:
    assert [type(step).__name__ for step in DEFAULT_SCRIPT] == ["Think", "Tool", "Stream", "Result"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("{}", "Expected `array`"),
        ('[{"do":"dance"}]', "Invalid value 'dance' - at `$[0].do`"),
        ('[{"do":"tool","name":"a","ms":"long"}]', "$[0].ms"),
        ('[{"do":"tool","name":"a","ms":-1}]', "$[0].ms"),
        ('[{"do":"tool","name":"a","mss":1}]', "unknown field `mss`"),
        ('[{"do":"tool","name":"","ms":1}]', "$[0].name"),
        ('[{"do":"tool","name":"a","outcome":"maybe"}]', "$[0].outcome"),
        ('[{"do":"sleep","ms":{"dist":"uniform","low":2,"high":1}}]', "low 2.0 is above high 1.0"),
        ('[{"do":"stream","chunks":0}]', "$[0].chunks"),
        ('[{"do":"fail","type":"not a name"}]', "$[0].type"),
        ('[{"do":"result"},{"do":"sleep","ms":1}]', "only the last step"),
        ('[{"do":"parallel","steps":[{"do":"no_result"}]}]', "only the last step"),
        ('[{"do":"result","bytes":1001}]', "1001 bytes in one text, at most 1000"),
        ('[{"do":"stream","chunks":11,"bytes":60},{"do":"stream","chunks":11,"bytes":60}]', "1320 bytes"),
        (json.dumps([{"do": "sleep", "ms": 0}] * 1_001), "more than 1000 steps"),
        ("[" * 5_000, "options.script"),
    ],
)
def test_a_bad_script_is_refused_with_fault_and_place(script: str, said: str) -> None:
    with pytest.raises(BadScript, match=r"options\.script") as bad:
        read_script(script.encode(), 1_000)
    assert said in str(bad.value)


def test_parallel_has_a_depth() -> None:
    step: dict[str, Any] = {"do": "sleep", "ms": 0}
    for _ in range(3):
        step = {"do": "parallel", "steps": [step]}
    assert read(step)
    with pytest.raises(BadScript, match="nested deeper"):
        read({"do": "parallel", "steps": [step]})


def test_an_empty_script_is_one() -> None:
    assert read() == ()
