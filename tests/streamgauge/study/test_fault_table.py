"""The instrument's table of faults, the user's page of them, and what the server can commit."""

import re
from pathlib import Path

import pytest

from reference_server.faults import FAULTS
from streamgauge.study.fault_table import LATER, LEAST_CHANCES, ROWS, THRESHOLD, Row

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
TABLE = re.compile(r"^\| `([\w-]+)` \|[^|]*\|([^|]*)\|([^|]*)\|", re.MULTILINE)
BY_NAME = {row.name: row for row in ROWS}
ON_PAGE = {name: (must, may) for name, must, may in TABLE.findall(PAGE.read_text())}


def named(cell: str) -> set[str]:
    """The rules, doubts and thresholds that a cell of the page names."""
    return set(re.findall(r"`([\w-]+)`", cell)) | ({THRESHOLD} if THRESHOLD in cell else set())


def test_names_and_numbers_are_given_once() -> None:
    assert len(BY_NAME) == len(ROWS)
    numbers = [row.number for row in ROWS] + [name.partition(" ")[0] for name in LATER]
    assert sorted(numbers) == [f"F{n:02}" for n in range(1, 37)]


@pytest.mark.parametrize("name", FAULTS)
def test_what_the_server_commits_is_in_the_table(name: str) -> None:
    assert name in BY_NAME


@pytest.mark.parametrize("name", ON_PAGE)
def test_the_page_says_what_the_table_says(name: str) -> None:
    row, (must, may) = BY_NAME[name], ON_PAGE[name]
    assert named(must) == set(row.must or (row.doubt,))
    assert named(may) == set(row.may)
    assert row.problem in must or row.name == "drop-thinking"


def test_the_page_names_what_the_server_commits() -> None:
    assert set(ON_PAGE) == set(FAULTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_has_one_way_to_be_found(row: Row) -> None:
    assert bool(row.must) != bool(row.doubt)
    assert not set(row.must) & set(row.may)


def test_the_server_is_told_a_name_a_rate_and_a_time_where_there_are_any() -> None:
    assert [BY_NAME["swap"].committed(rate) for rate in (1, 0.01)] == ["swap", "swap:0.01"]
    assert [BY_NAME["silence"].committed(rate) for rate in (1, 0.01)] == ["silence:1:4s", "silence:0.01:4s"]


def test_the_low_rate_may_be_expected_to_strike() -> None:
    """With no strike in so many chances one would be very unlucky: e⁻¹⁰."""
    assert LEAST_CHANCES * 0.01 >= 10
