from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.control import Control
from streamgauge.core.finding import Doubt, Finding
from streamgauge.core.metrics.streams import StreamState
from streamgauge.core.threshold import Threshold
from streamgauge.report import render_markdown as module
from streamgauge.report.model import Fault, Report, Worker
from streamgauge.report.render_markdown import MOST_BYTES, escaped, render_markdown

Make = Callable[..., Report]
Gap = Callable[..., Finding]
HOSTILE = "<script>|`*_[x](http://e.test)\n# @all\x1b[31m"


def test_a_clean_run(make: Make) -> None:
    text = render_markdown(make(runs=3_000))
    assert text.startswith("# PASS steady\n\nsteady: 36,000 events of 300 users verified, 0 findings\n")
    for rule in Rule:
        assert f"| {rule} | pass |" in text
    assert "| p50 | p90 | p99 | p99.9 |" in text
    assert "| leaks | none seen |" in text
    assert "## Findings" not in text
    assert "## Why" not in text


def test_a_failing_run_with_a_leak(make: Make, gap: Gap, leak: Finding) -> None:
    text = render_markdown(make(*(gap(f"r-{n}") for n in range(40)), leak))
    assert text.startswith("# FAIL steady\n")
    assert "- isolation-canary: 1 finding" in text
    assert "Finding isolation-canary-1: u17 (connection 18) and u23: another user's canary" in text
    assert "| &gt; | 1.500000 | tool\\_executing | 5 | 19 | 388 | call-1 |" in text
    assert "17 more with witnesses in report.json; 20 more were only counted" in text
    assert "seq-contiguous-4" not in text
    assert "sgcanary" not in text


def test_unknown_by_doubt(make: Make, dead: Doubt) -> None:
    text = render_markdown(make(doubts=[dead]))
    assert text.startswith("# UNKNOWN steady\n\nworker 3 sent no state\n")
    assert "- worker 3 sent no state — this voids the verdict; look into its log" in text


def test_doubtful_latency_is_marked(make: Make, lagging: Doubt) -> None:
    assert "| run time (doubtful) |" in render_markdown(make(doubts=[lagging]))
    assert "doubtful" not in render_markdown(make())


def test_cut_short_faults_and_cuts(make: Make) -> None:
    text = render_markdown(make(cut_short=True, faults=[Fault("drop", 12)], plan={"x": ["y" * 999] * 99}))
    assert "**The run was cut short**" in text
    assert "- drop: 12 times" in text
    assert "## Left out for size\n\n- plan: all" in text


def test_the_control_is_told_where_there_was_one(make: Make) -> None:
    title = "## Control: what was seeded beside the run\n\n- its proxy fell"
    assert title in render_markdown(make(control=Control(problem="its proxy fell")))
    assert "Control" not in render_markdown(make())


def test_nothing_exercised(make: Make) -> None:
    text = render_markdown(make(runs=0))
    assert text.startswith("# UNKNOWN")
    assert text.count("| unknown, required | not exercised |") == len(Rule)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>&", "&lt;script&gt;&amp;"),
        ("a|b", "a\\|b"),
        ("a\nb", "a\\\\nb"),
        ("`x` *y* _z_", "\\`x\\` \\*y\\* \\_z\\_"),
        ("[t](u)", "\\[t\\](u)"),
        ("https://e.test www.e.test", "https&#58;//e.test www&#46;e.test"),
        ("@all #1", "&#64;all \\#1"),
        ("\x1b[31m", "\\\\x1b\\[31m"),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_hostile_strings_break_nothing(make: Make, gap: Gap) -> None:
    calm = make(
        gap(), doubts=[Doubt("d", "", "", "", "")], faults=[Fault("f", 1)], workers=[Worker("w", 1, 1, 1)]
    )
    wild = make(
        gap(run=HOSTILE, user=HOSTILE, detail=HOSTILE),
        plan={"scenario": HOSTILE},
        doubts=[Doubt(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "")],
        faults=[Fault(HOSTILE, 1)],
        workers=[Worker(HOSTILE, 1, 1, 1)],
        recordings=[HOSTILE],
    )
    wild_text, calm_text = (render_markdown(report) for report in (wild, replace(calm, recordings=("r",))))
    assert "<script" not in wild_text
    assert "\x1b" not in wild_text
    assert "://" not in wild_text
    assert wild_text.count("\n") == calm_text.count("\n")
    unescaped = [text.replace("\\|", "").count("|") for text in (wild_text, calm_text)]
    assert unescaped[0] == unescaped[1]


def test_long_lists_are_cut_and_say_so(make: Make) -> None:
    text = render_markdown(make(faults=[Fault(f"fault {n}", 1) for n in range(500)]))
    assert "- … and 400 more in report.json" in text
    assert "fault 100" not in text


def test_the_worst_report_stays_below_the_limit(make: Make) -> None:
    doubts = [Doubt("<" * 1_900 + str(n), "<" * 1_900, "", "<" * 1_900, "verdict") for n in range(900)]
    findings = [Finding(rule, "<" * 9_000, "u", 1, n) for rule in Rule for n in range(50)]
    report = make(*findings, doubts=doubts, recordings=["<" * 1_900] * 999)
    text = render_markdown(report)
    assert len(text.encode()) <= MOST_BYTES
    assert text.endswith("*The rest was left out for its size: see report.json.*\n")
    assert "left out for its size" not in render_markdown(make())


def test_every_limit_is_kept(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    report = make()
    for limit in range(200, 3_000, 7):
        monkeypatch.setattr(module, "MOST_BYTES", limit)
        text = render_markdown(report)
        assert len(text.encode()) <= limit
        assert text.startswith("# PASS steady\n")
        assert "left out for its size" in text


def test_thresholds_and_streams(make: Make, demanded: tuple[Threshold, ...], streaming: StreamState) -> None:
    text = render_markdown(make(thresholds=demanded, streams=streaming))
    assert "## Thresholds\n\n| threshold | limit | level | outcome | value | 95 % interval | n |\n" in text
    assert "| p50(run) | &lt; 1.00 ms | fail | fail | 1.50 ms | (1.47 ms – 1.53 ms) | 1,000 |\n" in text
    assert "- p50(run) &lt; 1ms: 1.50 ms" in text
    assert "## Streams\n\n| answer streams | n | p1 | p10 | p50 | p90 |\n" in text
    assert "| chunks per second | 300 | 20.1/s (20.1/s – " in text
    for title in ("## Thresholds", "## Streams"):
        assert title not in render_markdown(make())
