import json
from collections.abc import Callable

import pytest

from streamgauge.core.finding import Doubt, Finding
from streamgauge.core.metrics.goodput import GoodputState
from streamgauge.core.metrics.streams import StreamState
from streamgauge.core.threshold import Threshold
from streamgauge.report.model import SCHEMA, Fault, Report
from streamgauge.report.render_json import ReportError, read_json, render_json

Make = Callable[..., Report]
Gap = Callable[..., Finding]


def test_reading_gives_the_same_report(make: Make, gap: Gap, leak: Finding, lagging: Doubt) -> None:
    report = make(
        gap(),
        leak,
        doubts=[lagging],
        cut_short=True,
        faults=[Fault("drop", None)],
        plan={"scenario": "steady", "steps": [("think", 1.5), None], "odd": {"\x1b[31m<script>": "|\n"}},
    )
    assert read_json(render_json(report)) == report


def test_thresholds_goodput_and_streams_are_read_back(
    make: Make, demanded: tuple[Threshold, ...], streaming: StreamState
) -> None:
    limited = GoodputState(1_000, 990, 4, 5, {"run < 30s": 3})
    report = make(thresholds=demanded, streams=streaming, goodput=limited)
    data = render_json(report)
    assert read_json(data) == report
    assert render_json(read_json(data)) == data
    assert json.loads(data)["thresholds"][0]["threshold"]["limit"] == 50_000_000


def test_an_empty_run_is_read_back(make: Make) -> None:
    report = make(runs=0)
    assert read_json(render_json(report)) == report


def test_the_schema_comes_first_and_every_field_has_a_line(make: Make) -> None:
    data = render_json(make())
    assert list(json.loads(data)) == list(Report.__struct_fields__)
    assert data.startswith(b'{\n"schema": %d,\n' % SCHEMA)
    assert data.count(b"\n") == len(Report.__struct_fields__) + 2


def test_the_keys_of_maps_are_sorted(make: Make) -> None:
    one = make(plan={"b": 1, "a": {"d": 1, "c": 2}})
    two = make(plan={"a": {"c": 2, "d": 1}, "b": 1})
    assert render_json(one) == render_json(two)
    assert b'{"a":{"c":2,"d":1},"b":1}' in render_json(one)


def test_an_unknown_schema_is_refused(make: Make) -> None:
    data = render_json(make()).replace(b'"schema": %d' % SCHEMA, b'"schema": 99')
    with pytest.raises(ReportError, match="schema 99"):
        read_json(data)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{}", b'{"schema": %d}' % SCHEMA])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(ReportError, match="no report"):
        read_json(data)
