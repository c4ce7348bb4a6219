"""What a breach is in words: the kind and its numbers are data until here."""

import pytest

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Excess, Finding, Ranges
from streamgauge.report.problems import sentence

R = Rule
SECOND = 1_000_000_000


def said(rule: Rule, problem: str, numbers: Ranges = (), more: int = 0) -> str:
    return sentence(Finding(rule, problem, "ann", 1, 1, numbers=numbers, more=more))


@pytest.mark.parametrize(
    ("rule", "problem", "numbers", "text"),
    [
        (R.SEQ_CONTIGUOUS, "gap", ((4, 4),), "gap: seq 4 never came"),
        (R.SEQ_CONTIGUOUS, "gap", ((4, 4), (7, 9)), "gap: seq 4, 7–9 never came"),
        (R.SEQ_CONTIGUOUS, "gap", ((2, 2**63 - 2),), f"gap: seq 2–{2**63 - 2} never came"),
        (R.STARTED_FIRST, "head missing", ((1, 1),), "head missing: seq 1 never came"),
        (R.STARTED_FIRST, "head missing", ((1, 2),), "head missing: seq 1–2 never came"),
        (R.SEQ_CONTIGUOUS, "repeat", ((3, 3), (4, 4), (3, 3)), "repeat of seq 3, 4, 3"),
        (R.SEQ_CONTIGUOUS, "step back", ((2, 2),), "step back to seq 2"),
        (R.OFFSET_CONTIGUOUS, "repeat", ((7, 7),), "repeat to offset 7"),
        (R.OFFSET_CONTIGUOUS, "step back", ((12, 12),), "step back to offset 12"),
        (R.PARTIAL_INTEGRITY, "wrong index", ((3, 3), (2, 2)), "index 3 where 2 was due"),
        (
            *(R.TOOL_PAIRING, "not the tools of the script", ((0, 0), (1, 1))),
            "not the tools of the script: 0 where 1 was due",
        ),
        (
            *(R.THINKING_PRESENT, "not the thoughts of the script", ((3, 3), (0, 0))),
            "not the thoughts of the script: 3 where 0 were due",
        ),
        (
            *(R.PARTIAL_INTEGRITY, "not the parts of the script", ((0, 0), (1_200, 1_200))),
            "not the parts of the script: 0 where 1,200 were due",
        ),
    ],
)
def test_a_kind_is_told_with_its_numbers(rule: Rule, problem: str, numbers: Ranges, text: str) -> None:
    assert said(rule, problem, numbers) == text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (((3, 3),), "gap: offset 3 never came"),
        (((4, 8),), "gap: offset 4, 5, 6, 7, 8 never came"),
        (((4, 9),), "gap: offset 4, 5, 6, 7, 8 … never came"),
        (((1, 1), (11, 2**63 - 2)), "gap: offset 1, 11, 12, 13, 14 … never came"),
    ],
)
def test_of_a_session_the_first_five_are_told(numbers: Ranges, text: str) -> None:
    assert said(R.OFFSET_CONTIGUOUS, "gap", numbers) == text


@pytest.mark.parametrize(
    ("rule", "problem", "more", "text"),
    [
        (R.SEQ_CONTIGUOUS, "gap", 37, "gap: seq 4, 7–9 and 37 more never came"),
        (R.SEQ_CONTIGUOUS, "repeat", 2_980, "repeat of seq 4, 7–9 and 2,980 more"),
    ],
)
def test_numbers_that_were_only_counted_are_told_so(rule: Rule, problem: str, more: int, text: str) -> None:
    assert said(rule, problem, ((4, 4), (7, 9)), more) == text


def test_a_silence_is_told_to_a_tenth_of_a_second() -> None:
    silent = Finding(R.NO_SILENCE, "silent", "ann", 1, 1, lasted_ns=3_249_000_000)
    assert sentence(silent) == "silent for 3.2 s"


@pytest.mark.parametrize(
    ("problem", "excess", "text"),
    [
        (
            "connections left",
            Excess(13, 1, 10 * SECOND, 10 * SECOND),
            "12 connections left 10 s after the last user closed, baseline 1; allowed by linger = 10",
        ),
        (
            "runs left",
            Excess(1, 0, 3 * SECOND, 5 * SECOND // 2),
            "1 run left 3 s after the last user closed, baseline 0; allowed by linger = 2.5",
        ),
        (
            "tasks left",
            Excess(3_001, 1_000, 10 * SECOND, 10 * SECOND),
            "2,001 tasks left 10 s after the last user closed, baseline 1,000; allowed by linger = 10",
        ),
        ("more runs than there can be", Excess(4, 3), "1 run more than there can be: 4 counted"),
        (
            "more connections than there can be",
            Excess(2_006, 4),
            "2,002 connections more than there can be: 2,006 counted",
        ),
    ],
)
def test_what_a_server_kept_is_told_beside_what_it_may(problem: str, excess: Excess, text: str) -> None:
    assert sentence(Finding(R.RESOURCE, problem, "", 0, 1, excess=excess)) == text


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (R.COMPLETE, "never ended"),
        (R.THINKING_PRESENT, "step 1 missing, step 3 missing"),
        (R.PROTOCOL, "gap"),  # a reader's word, whatever another rule calls so
        (R.SEQ_CONTIGUOUS, "gap"),  # without its numbers
    ],
)
def test_any_other_kind_says_itself(rule: Rule, problem: str) -> None:
    assert said(rule, problem) == problem
