from xml.etree import ElementTree as ET

import pytest

from streamgauge.core.finding import Outcome
from streamgauge.study.assessment import (
    Look,
    cut_short,
    decide,
    merge_junit,
    render_markdown,
    render_text,
)

GOOD = Look("steady", Outcome.PASS, "1,000 events verified", "results/a")
BAD = Look("isolation", Outcome.FAIL, "isolation-canary: u1 | u2", "results/b")
DARK = Look("burst", Outcome.UNKNOWN, "connections lost", "results/c")


def document(answer: str = "") -> bytes:
    """What the run of a look left."""
    case = f'<testcase name="echo">{answer}</testcase>'
    return f'<testsuites><testsuite name="rules">{case}</testsuite></testsuites>'.encode()


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


def test_the_decision_gives_one_reason_and_names_the_others() -> None:
    last = render_text([GOOD, BAD, Look("burst", Outcome.FAIL, "echo"), DARK], "x").splitlines()[-1]
    assert last == "NO-GO  isolation: isolation-canary: u1 | u2; also burst"
    long = Look("steady", Outcome.FAIL, "x" * 700)
    assert len(render_text([long], "x").splitlines()[-1]) < 150


def test_an_interrupted_look_is_never_a_pass() -> None:
    assert cut_short(GOOD) == Look(
        "steady", Outcome.UNKNOWN, "interrupted: 1,000 events verified", "results/a"
    )
    assert cut_short(BAD).outcome is Outcome.FAIL


def test_junit_of_all_looks_is_one_document() -> None:
    merged = ET.fromstring(merge_junit([(GOOD, document()), (BAD, document("<failure/>"))]))
    assert [suite.get("name") for suite in merged] == ["steady: rules", "isolation: rules"]
    assert len(merged.findall(".//testcase")) == 2


def test_what_an_interrupted_looks_own_document_does_not_say_stands_beside_it() -> None:
    merged = ET.fromstring(merge_junit([(cut_short(GOOD), document())]))
    assert [suite.get("name") for suite in merged] == ["steady: look", "steady: rules"]
    (error,) = merged.findall("testsuite/testcase/error")
    assert error.get("message") == "interrupted: 1,000 events verified"
    told = ET.fromstring(merge_junit([(cut_short(DARK), document("<error/>"))]))
    assert [suite.get("name") for suite in told] == ["burst: rules"]


@pytest.mark.parametrize(
    ("look", "answer", "counts"),
    [
        (GOOD, None, ("0", "0", "0")),
        (BAD, "failure", ("1", "0", "0")),
        (DARK, "error", ("0", "1", "0")),
        (Look("overhead", None, "not measured"), "skipped", ("0", "0", "1")),
    ],
)
def test_a_look_without_a_document_is_a_case_of_its_own(
    look: Look, answer: str | None, counts: tuple[str, ...]
) -> None:
    (suite,) = ET.fromstring(merge_junit([(look, b"")]))
    (case,) = suite.findall("testcase")
    assert [(child.tag, child.get("message")) for child in case] == (
        [(answer, look.verdict)] if answer else []
    )
    assert tuple(suite.get(kind) for kind in ("failures", "errors", "skipped")) == counts
