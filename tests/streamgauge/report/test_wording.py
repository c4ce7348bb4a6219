from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.control import Control, Seeded
from streamgauge.core.finding import NOTHING, Doubt, Excess, Finding, Outcome, Verdict
from streamgauge.core.histogram import Distribution
from streamgauge.core.strike import Fault, Strike
from streamgauge.core.threshold import Threshold
from streamgauge.report import wording
from streamgauge.report.model import Duration, Quantile, Report, ShareOf
from streamgauge.report.model import Fault as ServerFault

Make = Callable[..., Report]
Gap = Callable[..., Finding]


def test_a_finding_names_run_and_user(gap: Gap) -> None:
    assert wording.finding(gap()) == "r-7f3a of u17: gap: seq 4 never came"


def test_what_is_of_the_server_names_no_user() -> None:
    left = Finding(Rule.RESOURCE, "runs left", "", 0, 1, excess=Excess(1, 0, 10 * 10**9, 2 * 10**9))
    said = "1 run left 10 s after the last user closed, baseline 0; allowed by linger = 2"
    assert wording.finding(left) == f"the server: {said}"


def test_a_finding_without_a_run_names_its_request_or_its_connection(gap: Gap) -> None:
    assert wording.finding(gap(run="")).startswith("request q-1 of u17: ")
    assert wording.finding(replace(gap(run=""), request="")).startswith("connection 18 of u17: ")


def test_a_finding_before_the_greeting_has_no_user(gap: Gap) -> None:
    assert wording.finding(gap(user="")).startswith("r-7f3a of an unknown user: ")


def test_a_leak_names_both_users(leak: Finding) -> None:
    known = wording.finding(replace(leak, other="u23", token="2d756cbd"))
    assert known == "u17 (connection 18) and u23: another user's canary 2d756cbd, in run r-7f3a"
    assert "another user, unknown" in wording.finding(leak)


def test_long_ids_are_shortened(gap: Gap) -> None:
    sentence = wording.finding(gap(run="r" * 99))
    assert "r" * 19 + "…" in sentence
    assert "r" * 20 not in sentence


def verdict(found: int, kept: int, finding: Finding) -> Verdict:
    return Verdict(Rule.SEQ_CONTIGUOUS, Outcome.FAIL, True, 1_000, 0, found, (finding,) * kept)


@pytest.mark.parametrize(
    ("found", "kept", "shown", "text"),
    [
        (2, 2, 3, ""),
        (9, 9, 3, "3 of 9 shown; 6 more with witnesses in report.json"),
        (
            2_020,
            20,
            3,
            "3 of 2,020 shown; 17 more with witnesses in report.json; 2,000 more were only counted",
        ),
        (21, 20, 20, "20 of 21 shown; 1 more were only counted"),
    ],
)
def test_what_is_not_shown_is_said(gap: Gap, found: int, kept: int, shown: int, text: str) -> None:
    assert wording.more(verdict(found, kept, gap()), shown) == text


def test_a_broken_rule_counts_and_shows_the_first(gap: Gap) -> None:
    text = wording.broken(verdict(40, 20, gap()))
    assert text == "seq-contiguous: 40 findings in 1,000 runs: r-7f3a of u17: gap: seq 4 never came"
    assert wording.broken(verdict(40, 0, gap())) == "seq-contiguous: 40 findings in 1,000 runs"


def test_an_unknown_rule_says_why() -> None:
    idle = Verdict(Rule.TOOL_PAIRING, Outcome.UNKNOWN, True, 0, 0, 0)
    assert wording.unjudged(idle) == "tool-pairing: required, and not exercised"
    assert wording.unjudged(replace(idle, required=False)) == "tool-pairing: not required, and not exercised"
    masked = wording.unjudged(replace(idle, exercised=9, unknown=7))
    assert masked == "tool-pairing: required, and masked by another finding in 7 runs"


def test_shares_in_words() -> None:
    assert wording.incomplete(ShareOf("x", 1, 4, Outcome.FAIL)) == "x: 25.00 %, 1 of 4 runs"
    assert wording.incomplete(ShareOf("x", 0, 0, Outcome.UNKNOWN)) == "x: nothing to count"


def test_a_doubt_says_what_it_voids_and_what_to_do(lagging: Doubt, dead: Doubt) -> None:
    assert wording.advised(lagging) == (
        "generator lag p99: 12 ms (limit 5 ms) — this voids the latency; use fewer users a worker"
    )
    assert wording.doubt(dead) == "worker 3 sent no state"
    assert wording.advised(Doubt("odd", "", "3", "", "")) == "odd (limit 3)"
    assert wording.advised(Doubt("odd", "5", "3", "be even", NOTHING)) == "odd: 5 (limit 3) — be even"


SEEDED = Seeded(
    "loss",
    Strike(Fault.DROP, 1, 2, "r-0123456789abcdef0123", "partial", 8),
    (Rule.SEQ_CONTIGUOUS,),
    Rule.SEQ_CONTIGUOUS,
)


def test_what_a_control_seeded_in_words() -> None:
    assert wording.control(Control((SEEDED,))) == (
        "loss, partial (seq 8) of r-0123456789abcdef0…: caught by seq-contiguous",
    )
    assert wording.seeded(replace(SEEDED, caught=None)).endswith(": NOT caught by seq-contiguous")
    assert wording.seeded(replace(SEEDED, strike=None, caught=None)) == (
        "loss: not seeded, no event came that seq-contiguous would tell of"
    )
    assert wording.control(None) == ()
    assert wording.control(Control(problem="its proxy fell")) == ("its proxy fell",)


def test_a_control_says_what_its_protocol_cannot_show() -> None:
    by_parts = replace(SEEDED, expected=(Rule.TOOL_PAIRING, Rule.PROTOCOL), caught=None)
    words, beside = wording.control(Control((by_parts,)))
    assert words.endswith("NOT caught by tool-pairing or protocol")
    assert beside.startswith("this protocol does not count its events")


def test_faults_in_words() -> None:
    assert wording.fault(ServerFault("drop", 1)) == "drop: 1 time"
    assert wording.fault(ServerFault("drop", None)) == "drop: the server does not say how often"


def test_the_verdict_of_a_pass(make: Make) -> None:
    assert wording.verdict(make(), 99) == "steady: 12,000 events of 100 users verified, 0 findings"
    assert wording.verdict(make(plan={}), 99).startswith("12,000 events")


def test_a_verdict_that_is_cut_keeps_what_comes_after(make: Make, gap: Gap, dead: Doubt) -> None:
    text = wording.verdict(make(gap(), doubts=[dead], cut_short=True), 60)
    assert len(text) == 60
    assert text.startswith("seq-contiguous: 1 finding")
    assert text.endswith("… (+1 more reason) (cut short)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egnp", "\\u202egnp"),
        ("\ufffe", "\\ufffe"),
        ("grün – 好", "grün – 好"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text: str, shown: str) -> None:
    assert wording.visible(text) == shown


def test_a_threshold_says_what_came_of_it(make: Make, demanded: tuple[Threshold, ...]) -> None:
    assert [wording.threshold(result) for result in make(thresholds=demanded).thresholds] == [
        "p99(delivery) < 50ms: 1.99 ms (1.97 ms – 1.99 ms), n = 1,000",
        "p50(run) < 1ms: 1.50 ms (1.47 ms – 1.53 ms), n = 1,000",
        "p99.9(run) < 1s: n = 1,000, needs 2,995",
        "max(lag) < 1us: 2.00 ms, n = 1,000",
        "rate(leaks) == 0: 0 % (0 % – 0.025 %), n = 12,000",
    ]


def test_the_title_of_a_run(make: Make) -> None:
    assert wording.title(make()) == (
        "streamgauge steady · revision 3f2a1c9 · 4.00 s · 1 worker, 2 cores · Linux 6.1 · "
        "2026-11-22T10:00:00Z"
    )
    assert "4.00 s, cut short" in wording.title(make(cut_short=True))


def test_the_busiest_second(make: Make) -> None:
    assert wording.peak(make()) == "at most 7,000 in one second"
    assert wording.peak(make(runs=0)) == ""


def test_doubtful_times_say_so(make: Make, lagging: Doubt) -> None:
    assert wording.timed(make().durations[0]) == "connect"
    assert wording.timed(make(doubts=[lagging]).durations[0]) == "connect (doubtful)"


def test_times_between_two_machines_say_how_well_their_clocks_are_known() -> None:
    median = Quantile(0.5, 2_000_000, 1_900_000, 2_100_000)
    of = Duration("delivery latency", 9, 2e6, 3_000_000, (median,), Distribution(), bound_ns=85_000)
    assert wording.timed(of) == "delivery latency (server clock mapped, ± 85.0 µs)"
    wide = replace(of, bound_ns=2_000_001)
    assert wording.timed(wide) == "delivery latency (clocks known to ± 2.00 ms only)"
    below = replace(of, name="delivery latency, upper bounds")
    assert wording.timed(below) == "delivery latency, upper bounds (± 85.0 µs)"
    assert wording.timed(replace(below, bound_ns=2_000_001)).endswith("(known to ± 2.00 ms)")
    assert [wording.hidden_by_clocks(one) for one in (of, wide)] == [False, True]
