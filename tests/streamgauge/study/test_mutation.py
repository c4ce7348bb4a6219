"""What a mutation makes of the rows of a correct server, and that nothing else changes."""

from random import Random

import pytest

from streamgauge.core.event import Kind
from streamgauge.core.observation import Observation, Received, Stretch
from streamgauge.core.stretch import unfolded
from streamgauge.study.mutation import Mutated, Mutation, Original
from tests.support.generated import START, recording
from tests.support.history import SECOND, canary, completed, ended, part, run, session, started, thought, tool
from tests.support.stretches import read_together, stretched

WHOLE = (started(), thought(1), thought(2), tool("c"), ended("c"), part(0), thought(3), completed("s", "s"))


def two_users() -> list[Observation]:
    """Ann and bob, side by side, a run each."""
    ann = session(run(*WHOLE, name="r1", user="ann", conn=1))
    bob = session(run(*WHOLE, name="r2", user="bob", conn=2))
    return sorted([*ann, *bob], key=lambda row: row.at_ns)


def struck(mutation: Mutation, strikes: int = 1, seed: int = 1) -> tuple[Original, Mutated]:
    original = Original(two_users())
    return original, original.mutated(mutation, strikes, Random(seed))


def events(rows: list[Observation], conn: int) -> list[tuple[str, int]]:
    """The runs and numbers of the events on a socket, as they arrived."""
    return [
        (row.event.run, row.event.seq)
        for row in unfolded(rows)
        if isinstance(row, Received) and row.conn == conn and row.event.seq
    ]


def only(mutated: Mutated) -> list[Observation]:
    (rows,) = mutated.rows.values()
    return rows


def test_all_events_are_counted_and_the_inner_ones_may_be_struck() -> None:
    original = Original(two_users())
    assert original.events == 2 * len(WHOLE)
    assert [len(socket.inner) for socket in original.sockets] == [len(WHOLE) - 2] * 2


@pytest.mark.parametrize("seed", range(20))
def test_a_loss_takes_one_event_that_is_neither_first_nor_last(seed: int) -> None:
    _, mutated = struck(Mutation.LOSS, seed=seed)
    rows = only(mutated)
    (run_name,) = {name for name, _ in events(rows, rows[0].conn)}
    (missing,) = {(run_name, seq) for seq in range(1, 9)} - set(events(rows, rows[0].conn))
    assert missing[1] not in {1, 8}
    assert mutated.struck == 1


def test_a_repeat_comes_at_once_again() -> None:
    _, mutated = struck(Mutation.REPEAT)
    numbers = [seq for _, seq in events(only(mutated), only(mutated)[0].conn)]
    assert len(numbers) == 9
    (again,) = [place for place in range(8) if numbers[place] == numbers[place + 1]]
    assert numbers[: again + 1] + numbers[again + 2 :] == list(range(1, 9))


@pytest.mark.parametrize("seed", range(20))
def test_a_swap_lets_two_neighbours_arrive_in_each_others_place(seed: int) -> None:
    original, mutated = struck(Mutation.SWAP, seed=seed)
    if not mutated.struck:  # before a run's end there is no neighbour to swap with
        return
    rows = only(mutated)
    numbers = [seq for _, seq in events(rows, rows[0].conn)]
    assert sorted(numbers) == list(range(1, 9))
    wrong = [place for place, seq in enumerate(numbers) if seq != place + 1]
    assert len(wrong) == 2
    assert wrong[1] == wrong[0] + 1
    before = next(socket for socket in original.sockets if socket.rows[0].conn == rows[0].conn)
    assert [row.at_ns for row in rows] == [row.at_ns for row in before.rows]


def test_a_corruption_changes_what_the_deltas_make_and_nothing_else() -> None:
    original, mutated = struck(Mutation.CORRUPTION)
    ((number, rows),) = mutated.rows.items()
    changed = [(old, new) for old, new in zip(original.sockets[number].rows, rows, strict=True) if old != new]
    ((_, last),) = changed
    assert isinstance(last, Received)
    assert last.event.kind == Kind.COMPLETED
    assert last.event.joined != last.event.answer


@pytest.mark.parametrize("mutation", [Mutation.LEAK, Mutation.LEAK_BY_RUN])
def test_a_leak_goes_to_the_other_user_who_is_there(mutation: Mutation) -> None:
    original, mutated = struck(mutation)
    assert len(mutated.rows) == 2
    rows = [row for each in mutated.rows.values() for row in each]
    (astray,) = [
        row for row in rows if isinstance(row, Received) and row.event.seq and row.event.run != f"r{row.conn}"
    ]
    owner = original.sockets[0 if astray.event.run == "r1" else 1]
    assert astray.event.user != owner.user  # under the receiver's name
    assert astray.foreign == (canary(owner.user) if mutation is Mutation.LEAK else "")
    assert len(events(rows, owner.rows[0].conn)) == 7
    for each in mutated.rows.values():
        assert [row.at_ns for row in each] == sorted(row.at_ns for row in each)


def test_a_run_is_struck_once_at_most() -> None:
    _, mutated = struck(Mutation.LOSS, strikes=12)
    assert mutated.struck == 2


def test_nobody_gets_what_is_sent_when_he_is_not_there() -> None:
    ann = session(run(*WHOLE, name="r1", user="ann", conn=1))
    bob = session(run(*WHOLE, name="r2", user="bob", conn=2), leaves=True)
    eve = session(run(*WHOLE, name="r3", user="eve", conn=3))[:2]  # greeted by nobody
    original = Original(sorted([*ann, *bob, *eve], key=lambda row: row.at_ns))
    for seed in range(20):
        mutated = original.mutated(Mutation.LEAK, 1, Random(seed))
        assert not any(row.conn == 3 for rows in mutated.rows.values() for row in rows)
    assert original.sockets[0].is_open(SECOND)


@pytest.mark.parametrize("mutation", Mutation)
@pytest.mark.parametrize("seed", range(10))
def test_packed_rows_are_mutated_as_those_they_stand_for(mutation: Mutation, seed: int) -> None:
    rng = Random(seed)
    rows = read_together(recording(6, 3, seed), rng, START)
    packed = stretched(rows, rng)
    assert any(isinstance(row, Stretch) for row in packed)
    of_rows = Original(rows).mutated(mutation, 4, Random(seed))
    of_packed = Original(packed).mutated(mutation, 4, Random(seed))
    assert of_packed.struck == of_rows.struck
    changed = {number: list(unfolded(each)) for number, each in of_packed.rows.items()}
    assert changed == of_rows.rows
