"""The offsets of a session: what a run explains is not said twice, and what none does is."""

import pytest
from msgspec.structs import replace

from streamgauge.core.checks import fold
from streamgauge.core.checks.fold import Checks
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Ranges
from streamgauge.core.observation import Received
from tests.support.history import (
    LIMITS,
    accepted,
    failed,
    heard,
    lost,
    opened,
    run,
    session,
    started,
    swapped,
    thought,
    twice,
    whole,
)
from tests.support.judged import checked, failures, findings, numbered, verdicts, with_offsets

R = Rule


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ((started(), lost(thought(1)), thought(2), failed()), R.SEQ_CONTIGUOUS),
        ((started(), twice(thought(1)), thought(2), failed()), R.SEQ_CONTIGUOUS),
        ((swapped(started(), thought(1)), thought(2), failed()), R.SEQ_CONTIGUOUS),
        ((started(), twice(failed())), R.SEQ_CONTIGUOUS),
        ((lost(started()), thought(1), thought(2), failed()), R.STARTED_FIRST),
        ((lost(started()), thought(1), lost(thought(2)), thought(3), failed()), R.STARTED_FIRST),
    ],
)
@pytest.mark.parametrize("leaves", [True, False])
def test_a_run_explains_its_sessions_departure(said: tuple[Event, ...], rule: Rule, leaves: bool) -> None:
    state = checked(*session(run(*said), run(*whole(), name="r2", request="q2"), leaves=leaves))
    assert {rule for rule, _ in failures(state)} <= {rule, R.SEQ_CONTIGUOUS}
    assert failures(state)[0][0] is rule


def test_an_abandoned_runs_gap_explains_its_sessions_too() -> None:
    rows = session(run(started(), lost(thought(1)), thought(2)))
    assert numbered(checked(*rows)) == [(R.SEQ_CONTIGUOUS, "gap", ((2, 2),))]


@pytest.mark.parametrize(
    ("offsets", "problem", "numbers"),
    [
        ((1, 2, 4, 5, 6, 7, 8, 9, 10, 11), "gap", ((3, 3),)),
        ((2, 3, 4, 5, 6, 7, 8, 9, 10, 19), "gap", ((1, 1), (11, 18))),
        ((1, 2, 2, 3, 4, 5, 6, 7, 8, 9), "repeat", ((2, 2),)),
        ((1, 3, 2), "step back", ((2, 2),)),
    ],
)
def test_what_no_run_explains_breaks_offset_contiguous(
    offsets: tuple[int, ...], problem: str, numbers: Ranges
) -> None:
    state = checked(*with_offsets(*offsets))
    assert numbered(state) == [(R.OFFSET_CONTIGUOUS, problem, numbers)]
    assert verdicts(state)[R.OFFSET_CONTIGUOUS].exercised == 10


def test_other_numbered_messages_count_too_and_no_run_explains_them() -> None:
    reports = [heard(Event(Kind.REPORT, run="r1", offset=offset)) for offset in (1, 3, 2)]
    state = checked(opened(), *reports)
    assert numbered(state) == [(R.OFFSET_CONTIGUOUS, "step back", ((2, 2),))]


def test_a_jump_to_any_offset_costs_nothing() -> None:
    state = checked(*with_offsets(1, 2, 3, 4, 5, 6, 7, 8, 9, 2**63 - 1))
    assert numbered(state) == [(R.OFFSET_CONTIGUOUS, "gap", ((10, 2**63 - 2),))]


def test_an_offset_without_a_seq_is_explained_by_no_run() -> None:
    once = heard(Event(Kind.WORK, run="r1", offset=1), at=0.02)
    again = replace(once, at_ns=once.at_ns + 1)
    state = checked(opened(), run().asked, accepted(), once, again)
    assert (R.OFFSET_CONTIGUOUS, "repeat", ((1, 1),)) in numbered(state)


def renumbered(received: Received, offset: int, user: str = "ann") -> Received:
    return replace(received, event=replace(received.event, offset=offset, user=user))


def test_a_run_explains_its_offset_whatever_name_it_bears() -> None:
    told = run(started(), swapped(thought(1), thought(2)), failed())
    first, third, second, fourth = told.events
    report = heard(Event(Kind.REPORT, run="r1", offset=3), at=0.02)
    early, late = renumbered(third, 4, "ben"), renumbered(second, 2)
    state = checked(opened(), told.asked, accepted(), first, early, report, late, renumbered(fourth, 5))
    assert numbered(state) == [
        (R.SEQ_CONTIGUOUS, "step back", ((2, 2),)),
        (R.OFFSET_CONTIGUOUS, "gap", ((4, 4),)),  # out of order it took no number
        (R.ISOLATION_ENVELOPE, "another user's message", ()),
    ]


def test_strange_runs_do_not_pile_up_and_ones_own_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "_MOST_STRANGE", 2)
    checks = Checks(LIMITS)
    checks.add(opened())
    for n in range(10):
        checks.add(heard(Event(Kind.WORK, user="ben", run=f"b{n}", seq=1, offset=50), at=n))
    track = checks.track(1)
    assert track is not None
    assert len(track.runs) == 3
    for place in range(2):
        checks.add(heard(Event(Kind.WORK, user="ann", run="r1", seq=1, offset=1), at=20 + place))
    assert R.OFFSET_CONTIGUOUS not in checks.state.found


def test_the_first_event_of_a_run_explains_no_offset_of_another_s() -> None:
    rows = session(run(*whole()), run(started(), failed(), name="r2", request="q2"))
    rows = [
        replace(row, event=replace(row.event, offset=row.event.offset - 8))
        if isinstance(row, Received) and row.event.run == "r2" and row.event.seq
        else row
        for row in rows
    ]
    assert numbered(checked(*rows)) == [(R.OFFSET_CONTIGUOUS, "repeat", ((3, 4),))]


def reports(*offsets: int) -> list[Received]:
    """Numbered messages that no run explains, one after the other."""
    return [
        heard(Event(Kind.REPORT, run="r1", offset=offset), at=place)
        for place, offset in enumerate(offsets, 1)
    ]


@pytest.mark.parametrize(
    ("offsets", "found"),
    [
        ((1, 2, 3, 1, 2, 3, 4), [("repeat", ((1, 3),))]),  # it begins anew
        ((1, 2, 3, 1, 2, 3, 4, 1, 2), [("repeat", ((1, 3),)), ("repeat", ((1, 2),))]),
        ((1, 2, 3, 3, 1, 1, 2), [("repeat", ((3, 3), (1, 1), (1, 2)))]),
        ((1, 4, 2, 3, 5), [("step back", ((2, 3),))]),
        ((1, 4, 3, 2, 5), [("step back", ((3, 3), (2, 2)))]),
        ((1, 4, 1, 2, 3, 4, 5), [("repeat", ((1, 1),)), ("step back", ((2, 3),)), ("repeat", ((4, 4),))]),
        ((1, 1, 2, 2, 3, 3), [("repeat", ((1, 1),)), ("repeat", ((2, 2),)), ("repeat", ((3, 3),))]),
    ],
)
def test_what_departs_alike_and_in_a_row_is_one_finding(
    offsets: tuple[int, ...], found: list[tuple[str, Ranges]]
) -> None:
    state = checked(opened(), *reports(*offsets))
    assert [(problem, numbers) for _, problem, numbers in numbered(state)] == found
    departing = sum(low <= number <= high for _, pairs in found for low, high in pairs for number in range(9))
    assert (state.found[R.OFFSET_CONTIGUOUS], state.struck[R.OFFSET_CONTIGUOUS].messages) == (
        *(len(found), departing),
    )


def test_the_first_of_a_row_is_its_witness() -> None:
    (finding,) = findings(checked(opened(), *reports(1, 2, 3, 1, 2, 3)))
    assert [(witness.offset, witness.guilty) for witness in finding.witnesses] == [(1, True)]
    assert finding.at_ns == finding.witnesses[0].at_ns


def test_a_row_that_is_not_kept_disturbs_none_that_is() -> None:
    many = [number for number in range(1, 30) for _ in range(2)]
    state = checked(opened(), *reports(*many, 1, 2, 5))
    assert [finding.numbers for finding in findings(state)] == [((n, n),) for n in range(1, 21)]
    assert state.found[R.OFFSET_CONTIGUOUS] == 29


def test_the_rows_of_two_sessions_are_two() -> None:
    others = [replace(report, conn=2) for report in reports(1, 2, 1, 2)]
    state = checked(opened(), opened("ben", 2), *reports(1, 2, 1, 2), *others)
    assert [finding.numbers for finding in findings(state)] == [((1, 2),), ((1, 2),)]


def test_a_gap_in_the_offsets_shows_what_came_instead() -> None:
    state = checked(*with_offsets(1, 2, 5))
    gap = next(finding for finding in findings(state) if finding.rule is R.OFFSET_CONTIGUOUS)
    assert [witness.offset for witness in gap.witnesses] == [5]


@pytest.mark.parametrize(
    ("offsets", "numbers", "shown"),
    [
        ((1, 2, 3, 9), ((4, 8),), [9]),
        (tuple(range(2, 22, 2)), tuple((n, n) for n in range(1, 20, 2)), [2, 4, 6, 8, 10, 12]),
    ],
)
def test_of_what_came_after_gaps_the_first_six_are_shown(
    offsets: tuple[int, ...], numbers: Ranges, shown: list[int]
) -> None:
    rest = tuple(range(offsets[-1] + 1, offsets[-1] + 11 - len(offsets)))
    (finding,) = findings(checked(*with_offsets(*offsets, *rest)))
    assert (finding.problem, finding.numbers, finding.more) == ("gap", numbers, 0)
    assert [witness.offset for witness in finding.witnesses] == shown
    assert all(witness.guilty for witness in finding.witnesses)


def test_of_many_gaps_the_first_twenty_are_kept_and_the_others_counted() -> None:
    reports = [heard(Event(Kind.REPORT, run="r1", offset=offset), at=offset) for offset in range(3, 78, 3)]
    (finding,) = findings(checked(opened(), *reports))
    assert finding.numbers == tuple((offset, offset + 1) for offset in range(1, 61, 3))
    assert finding.more == 2 * 5


def test_what_a_run_explains_is_no_witness_of_what_none_does() -> None:
    rows = session(run(started(), lost(thought(1)), thought(2), failed()), leaves=False)
    after = heard(Event(Kind.REPORT, run="r1", offset=6), at=1)
    gap = findings(checked(*rows, after))[-1]
    assert [witness.offset for witness in gap.witnesses] == [6]


def test_a_gap_after_many_that_runs_explain_shows_what_came_instead_too() -> None:
    def came(offset: int, seq: int = 0) -> Received:
        kind = Kind.WORK if seq else Kind.REPORT
        return heard(Event(kind, user="ann", run="r1", seq=seq, offset=offset), at=offset / 100)

    lossy = [came(offset, seq=offset) for offset in range(1, 16, 2)]  # seven gaps
    state = checked(opened(), run().asked, accepted(), *lossy, came(17), came(18))
    gap = next(finding for finding in findings(state) if finding.rule is R.OFFSET_CONTIGUOUS)
    assert gap.numbers == ((16, 16),)
    assert [(witness.offset, witness.guilty) for witness in gap.witnesses] == [(17, True)]
