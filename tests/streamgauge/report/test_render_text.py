import re
from collections.abc import Callable

import pytest

from streamgauge.core.contract import Rule
from streamgauge.core.control import Control
from streamgauge.core.finding import Doubt, Finding
from streamgauge.core.threshold import Threshold
from streamgauge.report.model import Fault, Report
from streamgauge.report.render_text import WIDTH, render_text

Make = Callable[..., Report]
Gap = Callable[..., Finding]
PATH = "results/2026-11-22-steady-3f2a1c9/report.json"


def lines_of(report: Report) -> list[str]:
    return render_text(report, path=PATH).splitlines()


def test_a_clean_run_is_short_and_ends_in_its_verdict(make: Make) -> None:
    lines = lines_of(make(runs=11_000))
    assert len(lines) <= 42
    assert max(map(len, lines)) <= WIDTH
    assert lines[-2:] == [
        f"report  {PATH}",
        "PASS  steady: 132,000 events of 1,100 users verified, 0 findings",
    ]
    for rule in Rule:
        assert sum(line.startswith(f"{rule} ") for line in lines) == 1
    for figure in ("request to first event", "request to first thought", "delivery latency", "generator lag"):
        assert any(line.startswith(f"{figure} ") for line in lines)


def test_a_failing_run_shows_findings_and_ends_in_its_verdict(make: Make, gap: Gap, leak: Finding) -> None:
    text = render_text(make(*(gap(f"r-{n}") for n in range(40)), leak))
    assert text.splitlines()[-1].startswith("FAIL  isolation-canary: 1 finding in 12,000 messages: u17 (conn")
    assert text.splitlines()[-1].endswith("(+1 more reason)")
    assert "u17 (connection 18) and u23: another user's canary" in text
    assert "    >  1.500000  tool_executing    5" in text
    assert text.count("gap: seq 4 never came") == 4  # three, and the reason
    assert "17 more with witnesses in report.json; 20 more were only counted" in text
    assert "sgcanary" not in text


def test_unknown_by_doubt(make: Make, dead: Doubt) -> None:
    text = render_text(make(doubts=[dead]))
    assert text.splitlines()[-1] == "UNKNOWN  worker 3 sent no state"
    assert "this voids the verdict; look into its log" in text


def test_doubtful_latency_is_marked(make: Make, lagging: Doubt) -> None:
    text = render_text(make(doubts=[lagging]))
    assert "delivery latency (doubtful)" in text
    assert "use fewer users a worker" in text
    assert "doubtful" not in render_text(make())


def test_cut_short(make: Make) -> None:
    text = render_text(make(cut_short=True))
    assert text.splitlines()[-1].endswith("0 findings (cut short)")
    assert "4.00 s, cut short" in text


def test_nothing_exercised(make: Make) -> None:
    lines = render_text(make(runs=0)).splitlines()
    assert lines[-1].startswith("UNKNOWN  started-first: required, and not exercised")
    assert sum("not exercised" in line for line in lines if "required  " in line) == len(Rule)


def test_faults_and_cuts_are_told(make: Make) -> None:
    text = render_text(make(faults=[Fault("drop-event", 12)], plan={"x": ["y" * 999] * 99}))
    assert "drop-event: 12 times" in text
    assert "plan: all of its" in text


def test_the_control_is_told_where_there_was_one(make: Make) -> None:
    text = render_text(make(control=Control(problem="its proxy fell")))
    assert "control: what was seeded beside the run\n  - its proxy fell" in text
    assert "INVALID, its proxy fell" in text.splitlines()[-1]
    assert "control" not in render_text(make())


def test_without_a_path_there_is_no_line_for_it(make: Make) -> None:
    assert "report  " not in render_text(make())


def test_colours_only_where_asked(make: Make, gap: Gap) -> None:
    report = make(gap())
    assert "\x1b" not in render_text(report)
    coloured = render_text(report, colour=True)
    assert "\x1b[31mFAIL\x1b[0m  seq-contiguous" in coloured
    assert coloured.count("\x1b[31m") == 2  # the rule and the verdict
    assert "\x1b[32mPASS\x1b[0m" in render_text(make(), colour=True)


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b]0;owned\x07", "a\nPASS  all is well", "\u202e" * 50, "x" * 5_000]
)
def test_hostile_ids_stay_in_their_place(make: Make, gap: Gap, hostile: str) -> None:
    report = make(
        gap(run=hostile, user=hostile, detail=hostile),
        doubts=[Doubt(hostile, hostile, hostile, hostile, "verdict")],
        faults=[Fault(hostile, 1)],
        plan={"scenario": hostile},
    )
    text = render_text(report)
    assert not set(text) & set("\x1b\x07\u202e\r")
    assert "\nPASS" not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.splitlines()[-1].startswith("FAIL  seq-contiguous")


def test_long_lists_are_cut_and_say_so(make: Make) -> None:
    report = make(doubts=[Doubt(f"doubt {n}", "", "", "", "verdict") for n in range(500)])
    lines = render_text(report).splitlines()
    assert lines.count("  … and 480 more in report.json") == 2  # doubts, and why
    assert len(lines) < 100


def test_the_worst_report_is_bounded(make: Make) -> None:
    findings = [Finding(rule, "x" * 9_000, "u", 1, n) for rule in Rule for n in range(50)]
    text = render_text(make(*findings))
    assert len(text) < 30_000
    assert text.count("30 more were only counted") == len(Rule)


def test_thresholds_stand_with_limit_value_interval_and_n(
    make: Make, demanded: tuple[Threshold, ...]
) -> None:
    lines = lines_of(make(thresholds=demanded))
    assert max(map(len, lines)) <= WIDTH
    (line,) = [line for line in lines if line.startswith("p99(delivery)")]
    assert re.split(" {2,}", line) == [
        *("p99(delivery)", "< 50.0 ms", "fail", "pass"),
        *("1.99 ms", "(1.97 ms – 1.99 ms)", "1,000"),
    ]
    assert lines[-1].startswith("FAIL  p50(run) < 1ms: 1.50 ms (1.47 ms – 1.53 ms), n = 1,000 (+1 more")
    assert "  - p99.9(run) < 1s: n = 1,000, needs 2,995" in lines
    assert not any(line.startswith("threshold ") for line in lines_of(make()))


def test_thresholds_are_painted_by_what_they_do(make: Make, demanded: tuple[Threshold, ...]) -> None:
    coloured = render_text(make(thresholds=demanded), colour=True)
    assert "\x1b[31mp50(run)" in coloured
    assert "\x1b[33mp99.9(run)" in coloured
    assert "\x1b[33mmax(lag)" in coloured  # it only warns
    assert "\np99(delivery)" in coloured
