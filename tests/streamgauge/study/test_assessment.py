from xml.etree import ElementTree as ET

import pytest

from streamgauge.core.finding import Outcome
from streamgauge.study.assessment import (
    PARTS,
    Look,
    decide,
    merge_junit,
    render_markdown,
    render_text,
    seconds_for,
)

GOOD = Look("steady", Outcome.PASS, "1,000 events verified", "results/a")
BAD = Look("isolation", Outcome.FAIL, "isolation-canary: u1 | u2", "results/b")
DARK = Look("burst", Outcome.UNKNOWN, "connections lost", "results/c")


@pytest.mark.parametrize(
    ("looks", "outcome", "last"),
    [
        ([GOOD, GOOD], Outcome.PASS, "GO  all 2 looks passed"),
        ([GOOD, DARK], Outcome.UNKNOWN, "NO-GO, for it is not known  burst: connections lost"),
        ([GOOD, DARK, BAD], Outcome.FAIL, "NO-GO  isolation: isolation-canary: u1 | u2"),
    ],
)
def test_only_passes_make_a_go_and_the_reason_is_said(looks: list[Look], outcome: Outcome, last: str) -> None:
    assert decide(looks) is outcome
    assert render_text(looks, "results/x").splitlines()[-1] == last
    assert render_markdown(looks).splitlines()[0] == f"# {last}"


def test_what_the_target_does_not_allow_counts_for_nothing_and_is_said() -> None:
    left = Look("overhead", None, "not measured")
    assert decide([GOOD, left]) is Outcome.PASS
    assert decide([BAD, left]) is Outcome.FAIL
    assert decide([left]) is Outcome.UNKNOWN
    assert render_text([GOOD, left], "x").splitlines()[-1] == "GO  all 1 looks passed, 1 not allowed"
    assert "| overhead | not allowed | not measured |" in render_markdown([GOOD, left])


def test_a_look_is_a_row_of_the_table() -> None:
    assert "| isolation | fail | isolation-canary: u1 \\| u2 | results/b |" in render_markdown([BAD])


@pytest.mark.parametrize("time_s", [60, 120, 600])
def test_the_looks_share_the_time(time_s: float) -> None:
    looks = {look: seconds_for(look, time_s) for look in PARTS}
    assert sum(looks.values()) < time_s
    assert max(looks, key=looks.__getitem__) == "steady"


def test_no_look_is_too_short_to_mean_anything() -> None:
    assert all(seconds_for(look, 1) >= 4 for look in PARTS)


def test_junit_of_all_looks_is_one_document() -> None:
    one = b'<testsuites><testsuite name="rules"><testcase name="echo"/></testsuite></testsuites>'
    merged = ET.fromstring(merge_junit([("steady", one), ("burst", one)]))
    assert [suite.get("name") for suite in merged] == ["steady: rules", "burst: rules"]
    assert len(merged.findall(".//testcase")) == 2
