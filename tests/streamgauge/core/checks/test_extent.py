from msgspec.structs import replace

from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks import extent
from streamgauge.core.checks.extent import LeakedRuns, Leaks, Losses
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Struck
from streamgauge.core.history import End
from streamgauge.core.observation import Closed, Malformed, Observation
from streamgauge.core.ownership import digest
from tests.support.analysed import analysed, merged
from tests.support.history import (
    LIMITS,
    SECOND,
    canary,
    completed,
    heard,
    lost,
    run,
    session,
    started,
    swapped,
    thought,
    twice,
    whole,
)

STEPS = (started(), thought(1), thought(2), thought(3), completed())
HOLED = (started(), thought(1), lost(thought(2)), lost(thought(3)), completed())
UNENDED = (started(), thought(1), thought(2))


def after(*rows: Observation) -> AnalysisState:
    return analysed(sorted(rows, key=lambda row: row.at_ns), LIMITS)


def lost_in(*rows: Observation) -> Losses:
    return after(*rows).checks.losses


def struck(rule: Rule, *rows: Observation) -> Struck:
    return after(*rows).checks.struck.get(rule, Struck())


# What was lost, and where


def test_nothing_is_lost_of_a_good_session() -> None:
    assert lost_in(*session(run(*whole()))) == Losses()


def test_a_gap_is_lost_while_connected() -> None:
    assert lost_in(*session(run(*HOLED))) == Losses(gaps=2, gap_runs=1, runs=1, connections=1)


def test_a_run_whose_end_never_came_lost_its_tail() -> None:
    rows = session(run(*UNENDED, deadline=3), leaves=False)
    assert lost_in(*rows) == Losses(tails=1, runs=1, connections=1)


def test_a_request_of_which_nothing_came_is_lost_whole() -> None:
    rows = [row for row in session(run(deadline=3), leaves=False) if not isinstance(row, Closed)]
    assert lost_in(*rows) == Losses(unbegun=1, runs=1, connections=1)


def test_a_run_that_the_server_cut_is_told_apart() -> None:
    rows = session(run(*UNENDED), leaves=False)
    closed = Closed(1, rows[-1].at_ns + 1, 1011, ours=False)
    assert lost_in(*rows, closed) == Losses(cut=1)
    left = Closed(1, rows[-1].at_ns + 1, 1000, ours=True)
    assert lost_in(*rows, left) == Losses()


def test_a_server_that_closes_an_idle_connection_cuts_nothing() -> None:
    rows = session(run(*whole()), leaves=False)
    assert lost_in(*rows, Closed(1, rows[-1].at_ns + SECOND, 1011, ours=False)) == Losses()


def test_a_gap_in_a_run_that_was_cut_is_lost_all_the_same() -> None:
    said = (started(), lost(thought(1)), thought(2))
    rows = session(run(*said, end=End.ABANDONED), leaves=False)
    closed = Closed(1, rows[-1].at_ns + 1, 1011, ours=False)
    assert lost_in(*rows, closed) == Losses(gaps=1, gap_runs=1, cut=1, runs=1, connections=1)


def test_a_number_that_no_run_explains_is_of_the_session() -> None:
    rows = session(run(*whole()))
    noise = heard(Event(Kind.OTHER, user="ann", offset=14), at=1)  # 11, 12 and 13 are missing
    assert lost_in(*rows, noise) == Losses(unplaced=3, connections=1)


def test_losses_add_up_over_connections_and_processes() -> None:
    anns = session(run(*HOLED))
    bens = session(run(*HOLED, user="ben", conn=2, name="r2", request="q2"))
    both = Losses(gaps=4, gap_runs=2, runs=2, connections=2)
    assert lost_in(*anns, *bens) == both
    assert merged([after(*anns), after(*bens)]).checks.losses == both


def test_how_much_is_lost_at_least() -> None:
    assert Losses(gaps=5, tails=2, unbegun=1, cut=9, unplaced=9).least == 8


# What findings are of


def test_a_run_counts_once_however_many_findings_it_has() -> None:
    said = (started(), twice(thought(1)), swapped(thought(2), thought(3)), completed())
    assert struck(Rule.SEQ_CONTIGUOUS, *session(run(*said))) == Struck(runs=1, connections=1)


def test_two_runs_of_one_connection_count_twice_and_it_once() -> None:
    rows = session(run(*HOLED), run(*HOLED, name="r2", request="q2"))
    assert struck(Rule.SEQ_CONTIGUOUS, *rows) == Struck(runs=2, connections=1)


def test_of_one_run_every_message_counts_and_the_run_once() -> None:
    rows = session(run(*whole()))
    odd = [heard(Event(Kind.THINKING, user="ann", run="r9", breach="odd"), at=at) for at in (0.02, 0.03)]
    assert struck(Rule.PROTOCOL, *rows, *odd) == Struck(2, 1, 1)


def test_it_is_still_the_same_run_when_another_of_its_connection_is_settled() -> None:
    rows = session(run(*whole()))  # settled a second after its end
    odd = [heard(Event(Kind.OTHER, user="ann", run="r9", breach="odd"), at=at) for at in (0.02, 3)]
    assert struck(Rule.PROTOCOL, *rows, *odd) == Struck(2, 1, 1)


def test_a_message_that_breaks_a_rule_twice_is_one_message() -> None:
    limits = replace(LIMITS, greets=True)
    rows = sorted(session(run(*whole())), key=lambda row: row.at_ns)
    odd = heard(Event(Kind.OTHER, user="ann", breach="odd"), at=0.0001)  # and before the greeting
    state = analysed([rows[0], odd], limits).checks
    assert state.found[Rule.PROTOCOL] == 2
    assert state.struck[Rule.PROTOCOL] == Struck(1, 0, 1)


def test_a_message_of_no_run_strikes_none() -> None:
    rows = session(run(*whole()))
    assert struck(Rule.PROTOCOL, *rows, Malformed(1, SECOND, 12, "no JSON")) == Struck(1, 0, 1)


def test_so_many_runs_are_remembered_that_memory_is_bounded() -> None:
    counting = extent.Extent()
    for n in range(1_000):
        counting.message(Rule.PROTOCOL, 1, f"r{n}")
    assert counting.struck() == {Rule.PROTOCOL: Struck(1_000, 1_000, 1)}
    assert len(counting._under_way[1]) == 256
    counting.closed(1, 0, cut=False)
    assert not counting._under_way


def test_the_rules_of_a_connection_are_told_in_one_order_however_they_were_broken() -> None:
    counting = extent.Extent()
    for rule, conn in ((Rule.PROTOCOL, 1), (Rule.ECHO, 1), (Rule.NO_SILENCE, 2)):
        counting.session(rule, conn)
    assert counting.rules_of(1) == (Rule.ECHO, Rule.PROTOCOL)


def test_two_canaries_in_one_message_are_one_message() -> None:
    rows = session(run(*whole()))
    both = heard(Event(Kind.OTHER, user="ann"), at=0.02, foreign=f"{canary('ben')} {canary('cy')}")
    state = after(*rows, both).checks
    assert state.found[Rule.ISOLATION_CANARY] == 2
    assert state.struck[Rule.ISOLATION_CANARY].messages == 1


# Which runs leaked


def test_a_run_that_many_received_leaked_once() -> None:
    rows = [*session(run(*whole())), *session(run(*whole(), user="cy", conn=3, name="r3", request="q3"))]
    bens = Event(Kind.THINKING, user="ben", run="r2", seq=3)
    leak = [heard(bens, conn, at, foreign=canary("ben")) for conn, at in ((1, 0.02), (1, 0.03), (3, 0.02))]
    state = after(*rows, *leak).checks
    both: dict[str, set[int]] = {
        Rule.ISOLATION_ENVELOPE: {digest("r2")},
        Rule.ISOLATION_CANARY: {digest("r2")},
    }
    assert state.leaked == LeakedRuns(both)
    assert state.struck[Rule.ISOLATION_ENVELOPE] == Struck(3, 0, 2), "its runs are in `leaked`"


def test_nothing_is_remembered_of_runs_that_break_any_other_rule() -> None:
    odd = heard(Event(Kind.THINKING, user="ann", run="r9", breach="odd"), at=0.02)
    assert after(*session(run(*HOLED)), odd).checks.leaked == LeakedRuns()


def test_a_message_that_does_not_say_its_run_may_be_of_any() -> None:
    rows = session(run(*whole()))
    noise = heard(Event(Kind.OTHER, user="ben", request="q1"), at=0.02)
    broken = Malformed(1, SECOND, 12, "no JSON", foreign=canary("ben"))
    leaked = after(*rows, noise, noise, broken).checks.leaked
    assert leaked.untold == {Rule.ISOLATION_ENVELOPE: 2, Rule.ISOLATION_CANARY: 1}
    assert not any(leaked.runs.values())


def test_so_many_leaking_runs_are_remembered_that_memory_is_bounded() -> None:
    leaked = LeakedRuns()
    for n in range(100_003):
        leaked.add("a", f"r{n}")
    leaked.add("a", "r0", 5)
    leaked.add("a", "another", 7)
    leaked.add("b", "r0")
    assert {rule: len(runs) for rule, runs in leaked.runs.items()} == {"a": 100_000, "b": 1}
    assert leaked.untold == {"a": 10}


def test_a_run_that_two_processes_saw_leaking_is_one() -> None:
    one = LeakedRuns({"a": {1, 2}, "b": {1}}, {"a": 1})
    two = LeakedRuns({"a": {2, 3}, "c": {4}}, {"a": 2, "c": 3})
    both = LeakedRuns({"a": {1, 2, 3}, "b": {1}, "c": {4}}, {"a": 3, "c": 3})
    assert one.merge(two) == two.merge(one) == both


# Whom leaks went to


def test_a_message_that_names_its_user_is_one_cell_whatever_canary_it_bears() -> None:
    rows = session(run(*whole()))
    leak = heard(Event(Kind.THINKING, user="ben", run="r9", seq=3), at=0.02, foreign=canary("ben"))
    assert after(*rows, leak, leak).checks.leaks == Leaks(named={"ann": {"ben": 2}}, cells=1, messages=2)


def test_ones_own_message_leaks_from_the_owner_of_each_canary() -> None:
    rows = session(run(*whole()))
    leak = heard(Event(Kind.OTHER, user="ann"), at=0.02, foreign=f"{canary('ben')} {canary('cy')}")
    leaks = after(*rows, leak).checks.leaks
    assert leaks.by_canary == {"ann": {canary("ben"): 1, canary("cy"): 1}}
    assert leaks.messages == 1, "however many it is of"


def test_a_leak_that_does_not_tell_whose_it_is_counts_as_nobodys() -> None:
    leaks = Leaks()
    leaks.count("ann")
    assert leaks.by_canary == {"ann": {"": 1}}


def test_pairs_beyond_the_limit_are_only_counted() -> None:
    leaks = Leaks()
    for number in range(20_005):
        leaks.count("ann", sender=f"u{number}")
    leaks.count("ann", sender="u0", times=3)
    assert (leaks.cells, leaks.beyond, leaks.messages) == (20_000, 5, 20_008)
    assert leaks.named["ann"]["u0"] == 4


def test_leaks_of_several_processes_add_up() -> None:
    one, two = Leaks(), Leaks()
    one.count("ann", sender="ben")
    two.count("ann", sender="ben", times=2)
    two.count("cy", token="t")
    one.beyond, two.beyond = 2, 3
    both = one.merge(two)
    assert (both.cells, both.beyond) == (2, 5), "a pair that is known to both is one"
    assert both.messages == 4
    assert (both.named, both.by_canary) == ({"ann": {"ben": 3}}, {"cy": {"t": 1}})
