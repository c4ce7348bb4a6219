from itertools import product

import pytest

from streamgauge.protocol.ag_ui_parts import TABLE, Group, Judged, Move, Part, Parts, Standing

BEGIN, GO_ON, END = Move
FINE, BROKEN, MASKED = Judged
MESSAGE = Part(Group.MESSAGE, "m1")
SUBAGENT = Part(Group.SUBAGENT, "s1")


def judged(*moves: Move, part: Part = MESSAGE) -> list[Judged]:
    parts = Parts()
    return [parts.take(part, move) for move in moves]


def test_the_table_says_what_happens_for_every_standing_and_move() -> None:
    assert TABLE.keys() == set(product(Standing, Move))


@pytest.mark.parametrize(
    "moves",
    [
        (BEGIN, END),
        (BEGIN, GO_ON, GO_ON, END),
        (BEGIN, GO_ON, END, BEGIN, GO_ON, END),  # an id may be used again
    ],
)
def test_a_part_may_go_like_this(moves: tuple[Move, ...]) -> None:
    assert judged(*moves) == [FINE] * len(moves)


@pytest.mark.parametrize(
    ("moves", "broken"),
    [
        ((GO_ON, GO_ON, END), 0),  # the beginning is lost
        ((END,), 0),
        ((BEGIN, BEGIN, GO_ON, END), 1),  # doubled
        ((BEGIN, GO_ON, END, END), 3),
        ((GO_ON, BEGIN, GO_ON, END), 0),  # swapped
        ((END, BEGIN), 0),
        ((BEGIN, GO_ON, END, GO_ON), 3),
        ((BEGIN, END, GO_ON, GO_ON, END), 2),
    ],
)
def test_one_cause_is_said_once(moves: tuple[Move, ...], broken: int) -> None:
    said = judged(*moves)
    assert [place for place, judgement in enumerate(said) if judgement is BROKEN] == [broken]


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        ((GO_ON, BEGIN, GO_ON, END), [BROKEN, MASKED, FINE, FINE]),
        ((GO_ON, GO_ON, END), [BROKEN, MASKED, MASKED]),
        ((END, GO_ON, BEGIN), [BROKEN, MASKED, MASKED]),
    ],
)
def test_what_follows_from_it_is_masked(moves: tuple[Move, ...], said: list[Judged]) -> None:
    assert judged(*moves) == said


def test_what_comes_twice_too_often_is_said_twice() -> None:
    assert judged(END, END) == [BROKEN, BROKEN]
    assert judged(BEGIN, END, END, END) == [FINE, FINE, BROKEN, BROKEN]


def test_a_subagent_s_id_is_used_once() -> None:
    assert judged(BEGIN, END, BEGIN, part=SUBAGENT) == [FINE, FINE, BROKEN]


def test_parts_are_told_apart_by_group_name_and_owner() -> None:
    parts = Parts()
    alike = [Part(group, "x", owner) for group in Group for owner in ("", "s1")]
    assert {parts.take(part, BEGIN) for part in alike} == {FINE}


def test_what_is_open_is_named_once_and_not_where_it_was_out_of_place() -> None:
    parts = Parts()
    for name in ("m1", "m2", "m3"):
        parts.take(Part(Group.MESSAGE, name), BEGIN)
    parts.take(Part(Group.MESSAGE, "m3"), END)
    parts.take(Part(Group.STEP, "s"), BEGIN)
    parts.take(Part(Group.THOUGHT, "t"), GO_ON)
    assert parts.unclosed() == [Group.MESSAGE, Group.STEP]
    assert parts.is_unclosed(Part(Group.THOUGHT, "t"))
    assert not parts.is_unclosed(Part(Group.MESSAGE, "m3"))
    assert not parts.is_unclosed(Part(Group.MESSAGE, "m4"))


@pytest.mark.parametrize(("owner", "agrees"), [("s1", True), (None, True), ("s2", False), ("", False)])
def test_a_part_stays_with_the_subagent_that_began_it(owner: str | None, agrees: bool) -> None:
    parts = Parts()
    assert parts.agrees(MESSAGE, "s1", BEGIN)
    assert parts.agrees(MESSAGE, owner, GO_ON) is agrees
    assert parts.agrees(Part(Group.MESSAGE, "never begun"), owner, END)


def test_texts_are_given_away_at_their_end_and_the_rest_apart() -> None:
    parts = Parts()
    for name, text in (("m1", "Grü"), ("m2", "b"), ("m1", "ße"), ("m3", "c")):
        parts.add(Part(Group.MESSAGE, name), text)
    assert parts.text(MESSAGE) == "Grüße".encode()
    assert parts.text(MESSAGE) == b""
    assert parts.rest() == b"b\nc"
    assert parts.rest() == b""
