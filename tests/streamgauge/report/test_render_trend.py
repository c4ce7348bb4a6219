from collections.abc import Callable
from typing import Any

import msgspec

from streamgauge.core.finding import Finding
from streamgauge.report.model import Report, ServerCost
from streamgauge.report.render_trend import render_trend

Make = Callable[..., Report]


def line(report: Report) -> dict[str, Any]:
    data = render_trend(report, "20261122-100000-steady-3f2a1c9")
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    found: dict[str, Any] = msgspec.json.decode(data)
    return found


def test_a_line_says_what_ran_where_and_how_it_ended(make: Make) -> None:
    report = make(server=ServerCost(0.9, 12_000, 75_000.0, 54_000_000), plan_digest="06dd6e538484")
    found = line(report)
    assert found["started"] == "2026-11-22T10:00:00Z"
    assert found["revision"] == "3f2a1c9"
    assert (found["plan"], found["scenario"], found["outcome"]) == ("06dd6e538484", "steady", "pass")
    assert (found["findings"], found["events"], found["server_cpu_per_event_ns"]) == (0, 12_000, 75_000)
    assert found["events_per_s"] == 3_000
    assert found["folder"] == "20261122-100000-steady-3f2a1c9"
    assert found["durations"]["delivery latency"]["n"] == 1_000
    assert found["durations"]["delivery latency"].keys() == {"n", "p50_ns", "p99_ns"}


def test_what_the_sample_does_not_carry_is_left_out(make: Make) -> None:
    assert line(make(runs=100))["durations"]["run time"].keys() == {"n", "p50_ns"}
    assert line(make(runs=0))["durations"]["run time"] == {"n": 0}


def test_findings_are_counted_and_doubts_marked(
    make: Make, gap: Callable[..., Finding], lagging: Any
) -> None:
    found = line(make(gap(), gap(run="r-2"), doubts=[lagging]))
    assert (found["findings"], found["outcome"]) == (2, "fail")
    assert found["durations"]["run time"]["doubtful"] is True
    assert found["server_cpu_per_event_ns"] is None
