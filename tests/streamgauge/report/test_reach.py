from collections.abc import Callable

from msgspec.structs import replace

from streamgauge.core.checks.extent import Leaks as CheckLeaks
from streamgauge.core.checks.extent import Losses
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding, Struck
from streamgauge.report import reach
from streamgauge.report.model import Bound, Leak, Leaks, Report
from streamgauge.report.render_html import render_html
from streamgauge.report.render_markdown import render_markdown
from streamgauge.report.render_text import render_text

Make = Callable[..., Report]


def test_a_bound_is_never_stated_too_low() -> None:
    assert reach.bound(Bound("run", 1_000, 0.0029912)) == "at most 1 in 334 runs"


def test_a_wide_bound_is_a_percentage_alone(make: Make) -> None:
    assert reach.bound(Bound("connection", 3, 0.6316)) == "at most 63.16 % of connections"
    assert reach.bound(Bound("connection", 29, 0.0981)) == "at most 1 in 10 connections"
    few = make(runs=30)  # of 3 connections
    (by_connection,) = {
        row[2:] for row in reach.bounds(few).rows if row[0] == "loss" and row[2] == "3 connections"
    }
    assert by_connection == ("3 connections", "", "63.16 %", "")


def test_what_was_seen_has_its_interval() -> None:
    seen = Bound("connection", 10, 0.93326, "loss", 7, 0.34755)
    assert reach.bound(seen) == "7 of 10 connections: 70.00 % (34.76 % – 93.33 %)"


def test_the_widest_bound_is_the_honest_one() -> None:
    narrow, wide = Bound("message", 30_000, 0.0001), Bound("connection", 100, 0.03)
    assert reach.widest([narrow, wide]) is wide


def test_leaks_that_were_seen_are_told_by_connection(make: Make) -> None:
    leak = Finding(Rule.ISOLATION_CANARY, "leak", "u1", 1, 0)
    both = {Rule.ISOLATION_CANARY: Struck(1, 1, 1), Rule.ISOLATION_ENVELOPE: Struck(1, 1, 1)}
    leaks = CheckLeaks()
    leaks.count("u1", sender="u2")
    figure = reach.leaks_figure(
        make(leak, replace(leak, rule=Rule.ISOLATION_ENVELOPE), struck=both, leaks=leaks)
    )
    assert figure == ("leaks", "1", "1 of 100 connections: 1.00 % (0.025 % – 5.45 %)")


def test_how_many_more_it_may_have_been_is_said() -> None:
    seen = Bound("run", 336, 0.0778, "isolation-canary", 11, 0.0165, more=7)
    assert reach.bound(seen) == "11 of 336 runs, and up to 7 more: 3.27 % (1.65 % – 7.78 %)"


def test_the_table_of_bounds_says_how_many_more_it_may_have_been(make: Make) -> None:
    struck = {Rule.ISOLATION_CANARY: Struck(18, 11, 1, more_runs=7)}
    rows = reach.bounds(make(struck=struck)).rows
    assert (
        next(row[1] for row in rows if row[0] == Rule.ISOLATION_CANARY and "runs" in row[2]) == "11 (+ ≤ 7)"
    )


def test_from_which_shift_on_stamps_would_lie_is_said_where_a_delivery_tells(make: Make) -> None:
    """The quickest of the deliveries took a millisecond."""
    told = "more than 1.00 ms further ahead would show"
    assert reach.stamps_figures(make()) == (("stamps ahead", "none seen", told),)
    some = make(counts={"deliveries before their emission": 3})
    assert reach.stamps_figures(some) == (("stamps ahead", "3", told),)
    assert reach.stamps_figures(make(runs=0)) == ()
    for page in (render_text(make()), render_markdown(make()), render_html(make())):
        assert told in page


def test_losses_stand_by_their_place(make: Make) -> None:
    lost = make(losses=Losses(gaps=3, gap_runs=2, tails=1, unbegun=1, cut=2, unplaced=1, runs=4))
    assert [what for what, _ in reach.losses(lost).rows] == [
        "3 events of 2 runs",
        "1 end",
        "1 run",
        "1 number",
        "2 runs",
    ]
    assert reach.losses_figure(lost) == ("losses", "3 events of 2 runs", "while connected (+4 more places)")
    for page in (render_text(lost), render_markdown(lost), render_html(lost)):
        assert "3 events of 2 runs" in page
        assert "at a cut" in page


def test_every_page_shows_whom_leaks_went_to(make: Make) -> None:
    leaks = CheckLeaks()
    leaks.count("u77", sender="u66", times=12)
    leaking = make(leaks=leaks)
    for page in (render_text(leaking), render_markdown(leaking), render_html(leaking)):
        assert "leaked from" in page
        assert "u66" in page
        assert "u77" in page
    assert "leaked from" not in render_text(make())


def test_what_of_the_matrix_is_not_shown_is_said() -> None:
    first = (Leak("a", "b", 5), Leak("b", "a", 2))
    assert not reach.leaks_left_out(Leaks(7, 2, 0, first), 20)
    assert (
        reach.leaks_left_out(Leaks(9, 4, 0, first), 20)
        == "2 of 4 pairs shown; 2 of 9 messages are of the others"
    )
    assert reach.leaks_left_out(Leaks(7, 2, 3, first), 1) == (
        "1 of 2 pairs shown; 5 of 10 messages are of the others, "
        "some of pairs that were too many to tell apart"
    )
