from msgspec.structs import replace

from streamgauge.core.finding import Outcome
from streamgauge.study.calibration import Calibration, Figure, Load, Spread
from streamgauge.study.render_calibration import render_text

LOAD = Load(
    name="20 %",
    outcome=Outcome.PASS,
    wanted=0.2,
    cpu_share=0.213,
    events=4_000,
    exact=3_900,
    unknown=0,
    outside=39,
    figures=(
        Figure(0.5, 6, 3_500_000, 31_000, 9_000, 85_000),
        Figure(0.99, 299, 10_100_000, -40_000, 14_000, 2_100_000),
        Figure(0.999, 2_995),
    ),
    spread=(Spread(0.01, 299, 3_000, 20_000), Spread(0.5, 6, 9_000, 85_000)),
)


def lines(*loads: Load, outcome: Outcome = Outcome.PASS) -> list[str]:
    return render_text(Calibration(outcome, loads)).splitlines()


def test_a_load_is_four_lines_of_quantiles_and_two_of_single_events() -> None:
    assert lines(LOAD)[:9] == [
        "load  generator CPU  exact stamps    share  delivery latency            p50       p99  p99.9",
        "20 %           21 %         3,900  97.50 %  true                    3.50 ms   10.1 ms      -",
        "                                            error by kernel stamp  +9.00 µs  +14.0 µs      -",
        "                                            error as reported      +31.0 µs  −40.0 µs      -",
        "                                            error by read time     +85.0 µs  +2.10 ms      -",
        "",
        "load  exact stamps  outside   share  error of single events        p1       p50",
        "20 %         3,900       39  1.00 %  by kernel stamp         +3.00 µs  +9.00 µs",
        "                                     by read time            +20.0 µs  +85.0 µs",
    ]


def test_the_verdict_is_the_last_line() -> None:
    assert lines(LOAD)[-1] == (
        "PASS  p99 by kernel stamp is off by at most 100 µs under every load: 20 % +14.0 µs"
    )
    median, _, highest = LOAD.figures
    far = median, Figure(0.99, 299, 10_100_000, 0, -200_000, 0), highest
    off = replace(LOAD, name="70 %", outcome=Outcome.FAIL, figures=far)
    assert lines(LOAD, off, outcome=Outcome.FAIL)[-1] == (
        "FAIL  p99 by kernel stamp is off by more than 100 µs: 70 % −200 µs"
    )


def test_what_is_unknown_says_why() -> None:
    few = replace(LOAD, outcome=Outcome.UNKNOWN, figures=(Figure(0.99, 299),), remarks=("it was cut off",))
    assert lines(few, outcome=Outcome.UNKNOWN)[-3:] == [
        "20 %: it was cut off",
        "20 %: the p99 needs 299 exact stamps: give a longer --duration",
        "INCONCLUSIVE  not known of the load 20 %",
    ]
