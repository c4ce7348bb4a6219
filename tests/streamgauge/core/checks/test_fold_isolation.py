"""What one user receives of another's is a leak, and disturbs nothing else."""

import pytest
from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Struck
from streamgauge.core.history import History
from streamgauge.core.observation import Asked, Observation, Received
from tests.support.history import SECOND, accepted, canary, heard, lost, opened, run, session, started, whole
from tests.support.judged import ANNS, checked, failures, findings, verdicts

R = Rule


def ben(*events: Event) -> list[Observation]:
    """Ben's own good run, and what else came over his socket meanwhile, after its second event."""
    rows = session(run(*whole(), user="ben", conn=2, name="r2", request="q2"))
    strange = [heard(event, conn=2, at=0.025) for event in events]
    return [*rows, *strange]


def test_another_users_event_is_judged_by_isolation_alone_and_opens_no_run() -> None:
    state = checked(*session(run(*whole())), *ben(ANNS))
    (finding,) = findings(state)
    assert (finding.rule, finding.user, finding.conn, finding.other, finding.run) == (
        *(R.ISOLATION_ENVELOPE, "ben", 2, "ann", "r1"),
    )


@pytest.mark.parametrize("offset", [1, 2, 3, 50])
def test_its_offset_disturbs_nothing(offset: int) -> None:
    event = replace(ANNS, offset=offset)
    state = checked(*session(run(*whole())), *ben(event))
    assert [rule for rule, _ in failures(state) if rule is not R.OFFSET_CONTIGUOUS] == [R.ISOLATION_ENVELOPE]
    assert len(failures(state)) == (2 if offset == 3 else 1)  # numbered as Ben's own, it took one of his


def test_another_users_start_of_a_run_opens_none() -> None:
    start = replace(run(started()).events[0].event, request="q2", run="r9")  # even where it names his request
    asked = Asked(2, 0, "q2", "t1", "guide", "c1", 0, SECOND)
    state = checked(opened("ben", 2), asked, heard(start, conn=2, at=0.1))
    assert failures(state) == [(R.COMPLETE, "never began"), (R.ISOLATION_ENVELOPE, "another user's message")]


def test_a_foreign_canary_names_its_user_once_all_is_known() -> None:
    leak = replace(accepted(conn=2), event=Event(Kind.OTHER), foreign=f"{canary('ann')} sgcanarynobodys")
    state = checked(opened("ben", 2)).merge(checked(opened("ben", 2), leak)).merge(checked(opened("ann", 1)))
    assert [(f.rule, f.user, f.other, f.token) for f in findings(state)] == [
        (R.ISOLATION_CANARY, "ben", "ann", canary("ann")),
        (R.ISOLATION_CANARY, "ben", "", "sgcanarynobodys"),
    ]


@pytest.mark.parametrize(
    ("length", "other"),
    [(11, "ann"), (10, ""), (8, ""), (0, "")],  # "sgcanaryann…", "sgcanaryan…": also Andy's
)
def test_a_canary_that_was_cut_names_its_user_where_it_can_be_no_others(length: int, other: str) -> None:
    leak = heard(Event(Kind.OTHER), conn=2, foreign=canary("ann")[:length] or "sgcanaryzoe")
    state = checked(opened(), opened("ben", 2), opened("andy", 3), leak)
    assert [finding.other for finding in findings(state)] == [other]


def test_another_users_words_under_ones_own_name_are_a_leak_and_no_stray() -> None:
    mixed_up = replace(ANNS, user="ben", offset=3)
    rows = ben()
    state = checked(*session(run(*whole())), *rows, heard(mixed_up, conn=2, at=0.025, foreign=canary("ann")))
    assert (R.ISOLATION_CANARY, "another user's canary") in failures(state)
    assert {rule for rule, _ in failures(state)} <= {R.ISOLATION_CANARY, R.OFFSET_CONTIGUOUS}


def test_another_users_run_under_ones_own_name_is_known_after_merging() -> None:
    stray = replace(ANNS, user="ben", offset=0)
    bens, anns = checked(*ben(stray)), checked(*session(run(*whole())))
    assert failures(bens) == [(R.PROTOCOL, "an event of a run that no socket asked for")]
    for state in (bens.merge(anns), anns.merge(bens)):
        assert failures(state) == [(R.ISOLATION_ENVELOPE, "an event of another user's run")]
        assert findings(state)[0].other == "ann"


ASTRAY = (R.PROTOCOL, "an event of one's own run on another socket")
TABS = opened("ann", 2), opened("ann", 3)


def in_tab(place: int, conn: int = 2, at: float = 0.03) -> Received:
    """An event of Ann's run, on another of her sockets."""
    return heard(replace(run(*whole()).events[place].event, offset=0), conn=conn, at=at)


@pytest.mark.parametrize("at", [0, 0.03, 0.1, 4, 90])
def test_an_event_of_ones_own_run_on_another_socket_is_a_breach_there(at: float) -> None:
    state = checked(*session(run(*whole()), leaves=False), *TABS, in_tab(4, at=at))
    (finding,) = findings(state)
    assert (finding.rule, finding.problem) == ASTRAY
    assert (finding.user, finding.conn, finding.run) == ("ann", 2, "r1")
    assert [witness.guilty for witness in finding.witnesses] == [True]


def test_all_of_them_on_one_socket_are_one_finding() -> None:
    state = checked(*session(run(*whole())), *TABS, *(in_tab(n, conn) for n in range(10) for conn in (2, 3)))
    assert failures(state) == [ASTRAY, ASTRAY]
    assert verdicts(state)[R.PROTOCOL].found == 2
    assert verdicts(state)[R.PROTOCOL].struck == Struck(messages=20, runs=2, connections=2)


def test_so_it_is_where_its_user_asked_for_another_run_there() -> None:
    there = session(run(*whole(), conn=2, name="r2", request="q2"))
    assert failures(checked(*session(run(*whole())), *there, in_tab(4))) == [ASTRAY]


@pytest.mark.parametrize(
    ("lossy", "rules"),
    [
        (run(*whole()[:4], lost(whole()[4]), *whole()[5:]), {R.SEQ_CONTIGUOUS}),
        (run(*whole()[:4], deadline=30), {R.COMPLETE}),
        (run(deadline=30), {R.COMPLETE}),
    ],
)
def test_where_its_own_socket_lost_it_that_is_the_finding(lossy: History, rules: set[Rule]) -> None:
    for at in (0.03, 50):
        state = checked(*session(lossy, leaves=False), *TABS, in_tab(4, at=at), in_tab(5, at=at))
        assert {rule for rule, _ in failures(state)} == rules


def test_a_run_whose_socket_was_left_may_have_lost_it() -> None:
    assert failures(checked(*session(run(*whole()[:4])), *TABS, in_tab(4))) == []


def test_what_reached_others_as_well_is_a_leak_and_nothing_else() -> None:
    stray = replace(in_tab(4), conn=9)
    state = checked(*session(run(*whole())), *TABS, opened("ben", 9), in_tab(4), stray)
    assert {rule for rule, _ in failures(state)} == {R.ISOLATION_ENVELOPE}


def test_what_came_before_the_acceptance_on_the_same_socket_came_to_no_other() -> None:
    rows = session(run(*whole()))
    rows.insert(2, heard(replace(ANNS, seq=0, offset=0)))
    assert failures(checked(*rows)) == []


def test_an_event_of_nobodys_run_breaks_protocol() -> None:
    stray = replace(ANNS, run="r9", offset=0)
    state = checked(opened(), heard(stray, at=1))
    assert failures(state) == [(R.PROTOCOL, "an event of a run that no socket asked for")]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_one_run_id_at_two_users_is_one_finding_wherever_it_was_seen(order: tuple[int, ...]) -> None:
    sessions: list[list[Observation]] = [
        session(run(*whole(), user="ann", conn=1)),
        session(run(*whole(), user="ben", conn=2)),
        session(run(*whole(), user="ann", conn=3)),
    ]
    apart = [checked(*sessions[place]) for place in order]
    together = checked(*(row for place in order for row in sessions[place]))
    left, right = apart[0].merge(apart[1]).merge(apart[2]), apart[0].merge(apart[1].merge(apart[2]))
    for state in (together, left, right):
        (finding,) = findings(state)
        assert (finding.rule, finding.problem) == (R.ISOLATION_ENVELOPE, "one run id at two users")
        assert (finding.run, finding.user, finding.other) == ("r1", "ann", "ben")


@pytest.mark.parametrize("at", [0, 0.05, 4])
def test_a_run_accepted_twice_for_one_user_is_no_leak_but_no_echo_either(at: float) -> None:
    state = checked(*session(run(*whole())), accepted(at=at))
    assert failures(state) == [(R.ECHO, "accepted what was not asked, or once more")]
    assert [witness.kind for witness in findings(state)[0].witnesses if witness.guilty] == ["accepted"]


def test_another_users_name_on_an_event_of_ones_own_run_is_isolation_and_no_gap() -> None:
    rows = session(run(*whole()))
    seen = rows[6]
    assert isinstance(seen, Received)
    rows[6] = replace(seen, event=replace(seen.event, user="ben"))
    assert {rule for rule, _ in failures(checked(*rows))} == {Rule.ISOLATION_ENVELOPE}


def test_a_run_does_not_tell_the_socket_of_another_users_canary_in_it() -> None:
    rows = session(run(*whole()))
    seen = rows[6]
    assert isinstance(seen, Received)
    rows[6] = replace(seen, foreign=canary("eve"))
    (leak,) = findings(checked(*rows, opened("eve", 2, at=1)))
    assert (leak.user, leak.other, leak.other_conn) == ("ann", "eve", 0)


def test_users_are_counted_by_their_canaries_and_their_runs() -> None:
    assert checked(*session(run(*whole())), opened("eve", 2)).users == 2


def test_a_leak_names_the_socket_it_came_from() -> None:
    own = session(run(*whole()))
    seen = own[5]
    assert isinstance(seen, Received)
    stolen = replace(seen, conn=2, event=replace(seen.event, user="ben"))
    state = checked(opened("ben", 2), *own, replace(stolen, at_ns=own[-1].at_ns))
    (leak,) = verdicts(state)[Rule.ISOLATION_ENVELOPE].findings
    assert (leak.user, leak.conn, leak.other, leak.other_conn) == ("ben", 2, "ann", 1)
