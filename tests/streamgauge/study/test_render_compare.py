from streamgauge.study.compare import Launch, Study, study
from streamgauge.study.render_compare import render_text
from tests.support.launches import launch, side_by_side

STEADY = [80_000.0, 80_400, 79_700, 80_100, 79_900, 80_300]


def of(base: list[float], head: list[float], *gated: str) -> Study:
    sides = zip(("base", "head"), side_by_side(base, head), strict=True)
    one, other = (
        [Launch(f"{side}/{n}", report) for n, report in enumerate(reports)] for side, reports in sides
    )
    return study(one, other, gated)


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(name))


def test_what_was_compared_stands_first_and_the_verdict_last() -> None:
    lines = render_text(of(STEADY, STEADY)).splitlines()
    assert lines[:2] == [
        "launches: 6 of base, 6 of head, side by side",
        "machine 2c9b191aa582 (AMD EPYC, 2 cores), plan 06dd6e538484",
    ]
    assert lines[-1] == (
        "PASS  head is no worse than base: all of server-cpu-per-event, events-per-second, "
        "first-event-p50, delivery-p50 within their limits"
    )


def test_a_row_is_a_line_of_a_forest() -> None:
    text = render_text(of(STEADY, [cost * 1.2 for cost in STEADY]))
    assert row(text, "server-cpu") == (
        "server-cpu-per-event  80.1 µs  96.1 µs  1.200  1.195 – 1.203  "
        "··············│·┊···●········  1.050  FAIL        +5.6 %"
    )
    assert text.splitlines()[-1] == "FAIL  server-cpu-per-event +20.0 % (+19.5 % to +20.3 %), allowed +5.0 %"


def test_what_lies_beyond_the_axis_stands_at_its_end() -> None:
    text = render_text(of(STEADY, [cost * 9 for cost in STEADY]))
    assert "··············│·┊···········●  1.050  FAIL" in row(text, "server-cpu")


def test_what_is_unknown_says_what_could_have_been_seen() -> None:
    noisy = [80_000.0, 120_000, 70_000, 90_000]
    text = render_text(of(noisy, noisy[::-1], "server-cpu-per-event"))
    (why,) = (line for line in text.splitlines() if line.startswith("server-cpu-per-event: "))
    assert "the smallest change that 4 launches a side find is +" in why
    assert "; if there is no change, about " in why
    assert text.splitlines()[-1] == (
        "INCONCLUSIVE  nothing is known to be worse, and not enough is known of server-cpu-per-event"
    )


def test_a_single_pair_says_how_many_it_takes() -> None:
    text = render_text(of([80_000], [160_000]))
    assert (
        "server-cpu-per-event: one launch a side does not tell chance from change: "
        "it takes 2 a side at least, 12 as a rule"
    ) in text
    assert "INCONCLUSIVE" in text.splitlines()[-1]


def test_what_one_side_lacks_and_what_both_lack() -> None:
    bare = [Launch(f"base/{n}", launch(10 * n, None)) for n in range(3)]
    full = [Launch(f"head/{n}", launch(10 * n)) for n in range(3)]
    assert "server-cpu-per-event: nothing to compare: one side has no figure" in render_text(
        study(bare, full, ["server-cpu-per-event"])
    )
    others = [Launch(f"head/{n}", launch(10 * n, None)) for n in range(3)]
    assert "not measured on either side: server-cpu-per-event, server-memory" in render_text(
        study(bare, others)
    )


def test_what_is_at_the_limit_says_so() -> None:
    text = render_text(of(STEADY, [cost * 1.05 for cost in STEADY]))
    assert "it lies near the limit: only more launches tell" in text
