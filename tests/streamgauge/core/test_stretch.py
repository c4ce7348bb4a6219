from array import array
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Observation, Received, Stretch
from streamgauge.core.stretch import KINDS, PIPELINE, form_of, unfold, unfolded
from tests.support.history import (
    Said,
    accepted,
    completed,
    ended,
    idea,
    opened,
    part,
    run,
    started,
    thought,
    tool,
    whole,
)
from tests.support.stretches import gathered, plain, stretched

SUCCESS, ERROR, TIMEOUT, CANCELLED = range(4)


def form(kind: Kind, detail: int = 0) -> int:
    return kind | detail << 3


def said(kind: Kind, **fields: Any) -> Event:
    """What the run says of itself in every event, and what one says of its own."""
    return Event(kind, user="ann", run="r1", thread="t1", agent="guide", clock="boot", **fields)


def forms(*said: Said) -> bytes | None:
    """The form of a run whose events came one by one."""
    return form_of(plain(run(*said)).stretches)


def cut(*places: int, said: tuple[Said, ...]) -> bytes | None:
    """The form of a run that was read in parts."""
    return form_of(plain(run(*said), *places).stretches)


# The rows that a stretch stands for


def test_a_stretch_says_of_each_event_what_a_row_would() -> None:
    stretch = Stretch(
        conn=4,
        at_ns=90,
        kernel_ns=80,
        exact=True,
        user="ann",
        run="r1",
        thread="t1",
        agent="guide",
        clock="boot",
        seq=3,
        offset=17,
        forms=bytes(
            [
                form(Kind.STARTED),
                form(Kind.THINKING, 2 << 1 | 1),
                form(Kind.THINKING, 5 << 1),
                form(Kind.TOOL_EXECUTING, 1),
                form(Kind.TOOL_COMPLETED, TIMEOUT * 8),
                form(Kind.PARTIAL),
                form(Kind.PARTIAL),
                form(Kind.COMPLETED),
            ]
        ),
        sizes=array("I", range(100, 108)).tobytes(),
        emitted=array("q", range(50, 58)).tobytes(),
        calls=("c", "d"),
        request="q1",
        context="c1",
        answer="sum",
        joined="other",
        index=6,
        parts=array("I", (11, 12)).tobytes(),
    )
    opening = {"request": "q1", "context": "c1"}
    events = [
        said(Kind.STARTED, **opening),
        said(Kind.THINKING, pipeline=True, step=2),
        said(Kind.THINKING, step=5),
        said(Kind.TOOL_EXECUTING, call="d"),
        said(Kind.TOOL_COMPLETED, call="c", status="timeout"),
        said(Kind.PARTIAL, index=6, size=11),
        said(Kind.PARTIAL, index=7, size=12),
        said(Kind.COMPLETED, **opening, answer="sum", joined="other"),
    ]
    assert unfold(stretch) == [
        Received(
            4,
            90,
            80,
            n == 7,
            100 + n,
            replace(event, seq=3 + n, offset=17 + n, emitted_ns=50 + n),
        )
        for n, event in enumerate(events)
    ]


def test_the_acceptance_comes_first_where_it_is_part_of_it() -> None:
    rows = [accepted(), *run(started(), thought(1)).events]
    rows = [replace(row, at_ns=7, size=30 + place) for place, row in enumerate(rows)]
    stretch = gathered(rows)
    assert stretch.accepted == 30
    assert unfold(stretch) == rows
    assert unfold(replace(stretch, accepted=0)) == rows[1:]


def test_only_the_last_stamp_is_exact() -> None:
    rows = [replace(row, at_ns=7, kernel_ns=5) for row in run(started(), thought(1)).events]
    rows[-1] = replace(rows[-1], exact=True)
    assert [row.exact for row in unfold(gathered(rows))] == [False, True]
    rows[-1] = replace(rows[-1], exact=False)
    assert [row.exact for row in unfold(gathered(rows))] == [False, False]


def test_other_rows_stand_where_they_stood() -> None:
    stretch = gathered([replace(row, at_ns=7) for row in run(started(), thought(1)).events])
    rows: list[Observation] = [opened(), stretch, accepted(), stretch]
    assert list(unfolded(rows)) == [opened(), *unfold(stretch), accepted(), *unfold(stretch)]


@pytest.mark.parametrize("place", range(10))
def test_the_rows_of_any_part_of_a_run_come_back(place: int) -> None:
    rows = [replace(row, at_ns=7) for row in run(*whole()).events]
    assert unfold(gathered(rows[place:])) == rows[place:]
    assert unfold(gathered(rows[: place + 1])) == rows[: place + 1]


def test_every_status_and_every_call_has_its_place() -> None:
    calls = [f"c{n}" for n in range(8)]
    said = (started(), *map(tool, calls), *(ended(call, "error") for call in calls), ended("c7", "cancelled"))
    rows = [replace(row, at_ns=7) for row in run(*said).events]
    assert unfold(gathered(rows)) == rows


# The helper of the tests itself


def test_what_is_no_plain_event_is_no_part_of_a_stretch() -> None:
    rows = [replace(row, at_ns=7, event=replace(row.event, emitted_ns=1)) for row in run(*whole()).events]
    (one,) = stretched(rows, Random(3))
    assert isinstance(one, Stretch)
    odd = replace(rows[4], foreign="sgcanary")
    assert odd in stretched([*rows[:4], odd, *rows[5:]], Random(3))


# Forms


def test_a_form_holds_what_the_order_of_events_is_judged_by() -> None:
    assert forms(
        started(), thought(2), idea(2), tool("c"), ended("c", "error"), part(0), completed()
    ) == bytes(
        [
            form(Kind.STARTED),
            form(Kind.THINKING, 2 << 1 | 1),
            form(Kind.THINKING, 2 << 1),
            form(Kind.TOOL_EXECUTING, 0),
            form(Kind.TOOL_COMPLETED, ERROR * 8),
            form(Kind.PARTIAL),
            form(Kind.COMPLETED),
        ]
    )


def test_of_every_form_the_kind_is_known() -> None:
    for kind in (Kind.STARTED, Kind.THINKING, Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED, Kind.COMPLETED):
        assert {KINDS[form(kind, detail)] for detail in range(32)} == {kind}


def test_the_pipelines_thoughts_are_these_three() -> None:
    assert forms(*map(thought, (1, 2, 3))) == bytes(PIPELINE)


@pytest.mark.parametrize(
    "other",
    [
        (started(), thought(1), tool("c"), ended("c"), completed()),
        (started(), idea(2), tool("c"), ended("c"), completed()),
        (started(), thought(2), tool("c"), ended("c", "error"), completed()),
        (started(), thought(2), ended("c"), tool("c"), completed()),
        (started(), thought(2), tool("c"), ended("d"), completed()),
        (started(), thought(2), tool("c"), ended("c"), part(0), completed()),
    ],
)
def test_runs_of_different_order_have_different_forms(other: tuple[Said, ...]) -> None:
    assert forms(*other) != forms(started(), thought(2), tool("c"), ended("c"), completed())


def test_runs_that_differ_in_names_sizes_and_times_have_one_form() -> None:
    one = plain(run(started(), tool("c"), ended("c"), part(0, 9)))
    other = plain(run(started(), tool("x"), ended("x"), part(0, 3), name="r2", request="q2", user="ben"))
    assert form_of(one.stretches) == form_of(other.stretches)


CALLS = (started(), tool("c"), tool("d"), ended("d"), ended("c"), part(0), part(1), completed())


@pytest.mark.parametrize("places", [(1,), (3,), (6,), (7,), (3, 6)])
def test_wherever_a_run_was_cut_it_has_the_form_of_the_whole(places: tuple[int, ...]) -> None:
    together = gathered([replace(row, at_ns=7) for row in run(*CALLS).events])
    assert form_of([together]) == together.forms
    assert cut(*places, said=CALLS) in (together.forms, None)


@pytest.mark.parametrize(("place", "known"), [(1, True), (2, False), (3, False), (4, True), (5, True)])
def test_a_stretch_that_numbers_calls_otherwise_than_its_run_has_no_form(place: int, known: bool) -> None:
    """Cut before a call that is not its run's first, the stretch would call it so."""
    form = cut(place, said=CALLS)
    assert (form is not None) == known, place


@pytest.mark.parametrize(
    ("said", "places"),
    [
        ((started(), part(1)), ()),
        ((started(), part(1), completed()), (2,)),
        ((started(), part(0), part(2)), ()),
        ((started(), part(0), part(0)), ()),
        ((started(), part(1), part(0)), ()),
    ],
)
def test_where_parts_do_not_go_up_by_one_there_is_no_form(
    said: tuple[Said, ...], places: tuple[int, ...]
) -> None:
    assert cut(*places, said=said) is None


def test_nor_is_there_one_of_a_read_that_begins_with_a_later_part() -> None:
    events = run(part(1), part(2), completed()).events
    assert form_of([gathered([replace(row, at_ns=7) for row in events])]) is None


def test_parts_may_go_on_in_another_stretch() -> None:
    said = (started(), part(0), part(1), part(2), completed())
    assert cut(2, said=said) == cut(3, said=said) == forms(*said)
