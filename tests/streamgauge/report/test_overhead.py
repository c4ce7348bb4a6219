"""What events cost, as every report tells it."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.finding import Outcome
from streamgauge.core.overhead import Cost, Effect, Overhead
from streamgauge.report import quantity, tables, wording
from streamgauge.report.model import Report
from streamgauge.report.render_json import read_json, render_json
from streamgauge.report.render_markdown import render_markdown
from streamgauge.report.render_text import WIDTH, render_text

Make = Callable[..., Report]


def about(value: float, half: float) -> Effect:
    return Effect(value, value - half, value + half, value + 1_000, 150)


CPU = Cost(
    550_000, about(231_000, 15_200), about(90_000, 12_000), about(141_000, 11_000), about(-7_000, 20_000)
)
TIME = Cost(15_500_000, about(31_000, 3_000), about(20_000, 2_000), about(11_000, 1_000), about(0, 500))
RUN = Cost(15_500_000, about(5_100_000, 620_000), about(1e6, 4e5), about(4e6, 5e5), about(2e5, 9e5))
SOME = Overhead(150, 1, 19_200, 11.0, CPU, TIME, RUN)
SENTENCE = (
    "events cost a run 231 ± 15 µs of server CPU (42 %) and 31.0 ± 3.0 µs of the run's own time (0.20 %)"
)


@pytest.fixture
def report(make: Make) -> Report:
    return replace(make(), overhead=SOME)


def test_the_answer_is_one_sentence() -> None:
    assert wording.overhead(SOME) == SENTENCE
    assert wording.overhead(replace(SOME, cpu=None)) == (
        "events cost a run 31.0 ± 3.0 µs of the run's own time (0.20 %)"
    )
    assert wording.overhead(replace(SOME, cpu=None, emission=None)) == "what events cost is not known"


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (31_000, 3_100, "31.0 ± 3.1 µs"),
        (231_400, 15_200, "231 ± 15 µs"),
        (5_100_000, 620_000, "5.10 ± 0.62 ms"),
        (-7_000, 20_000, "−7 ± 20 µs"),
        (400, 2_000_000, "0.0 ± 2.0 ms"),
        (12_000, 0, "12.000 ± 0.000 µs"),
        (3e9, 1e8, "3.00 ± 0.10 s"),
    ],
)
def test_a_difference_has_the_digits_that_its_interval_carries(value: float, half: float, text: str) -> None:
    assert quantity.plus_minus(about(value, half)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.39, "39 %"),
        (0.0034, "0.34 %"),
        (0.021, "2.1 %"),
        (-0.09, "−9.0 %"),
        (1.2, "120 %"),
        (0, "0 %"),
        (1e-9, "0.000 %"),
    ],
)
def test_shares_have_two_digits(value: float, text: str) -> None:
    assert quantity.percent(value) == text


def test_every_cost_stands_with_its_parts_and_its_control(report: Report) -> None:
    table = tables.overhead(report)
    assert [row[0] for row in table.rows] == [
        *("server CPU", "  encoding", "  sending", "  A/A control"),
        *("run's own time", "  encoding", "  sending", "  A/A control"),
        *("run time", "  encoding", "  sending", "  A/A control"),
    ]
    assert table.rows[0] == ("server CPU", "231 µs", "216 µs – 246 µs", "232 µs", "21.0 µs", "42 %")
    assert table.rows[3] == (
        "  A/A control",
        "−7.00 µs",
        "−27.0 µs – 13.0 µs",
        "−6.00 µs",
        "−0.636 µs",
        "−1.3 %",
    )


def test_without_slices_there_is_no_word_of_it(make: Make) -> None:
    report = make()
    assert report.overhead is None
    assert tables.overhead(report).rows == ()
    assert "events cost" not in render_text(report) + render_markdown(report)


def test_the_terminal_shows_the_answer_among_its_last_lines(report: Report) -> None:
    lines = render_text(report, path="results/x").splitlines()
    assert " ".join(" ".join(lines[-4:-2]).split()) == SENTENCE
    assert any(line.startswith("emission overhead") for line in lines)
    assert all(len(line) <= WIDTH for line in lines)


def test_markdown_has_the_table_and_the_answer(report: Report) -> None:
    shown = render_markdown(report)
    assert "## Emission overhead" in shown
    assert f"{SENTENCE}: 150 blocks, 19,200 runs, 1 left out." in shown


def test_json_keeps_it(report: Report) -> None:
    assert read_json(render_json(report)).overhead == SOME


def test_a_run_that_was_to_measure_it_and_could_not_is_unknown(make: Make) -> None:
    report = make(plan={"scenario": "overhead", "slice_runs": 1})
    assert report.outcome is Outcome.UNKNOWN
    assert [doubt.name for doubt in report.doubts] == ["overhead"]
