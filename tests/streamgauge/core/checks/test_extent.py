from streamgauge.core.analysis import AnalysisState
from streamgauge.core.checks import extent
from streamgauge.core.checks.extent import Leaks, Losses
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Struck
from streamgauge.core.history import End
from streamgauge.core.observation import Closed, Malformed, Observation
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


def test_of_one_foreign_run_every_message_counts_and_the_run_once() -> None:
    rows = session(run(*whole()))
    strange = [
        heard(Event(Kind.THINKING, user="ben", run="r9", seq=seq), at=at)
        for seq, at in ((3, 0.02), (4, 0.03), (5, 0.04))
    ]
    assert struck(Rule.ISOLATION_ENVELOPE, *rows, *strange) == Struck(3, 1, 1)


def test_it_is_still_the_same_run_when_another_of_its_connection_is_settled() -> None:
    rows = session(run(*whole()))  # settled a second after its end
    strange = [heard(Event(Kind.THINKING, user="ben", run="r9", seq=3), at=at) for at in (0.02, 3)]
    assert struck(Rule.ISOLATION_ENVELOPE, *rows, *strange) == Struck(2, 1, 1)


def test_a_message_of_no_run_strikes_none() -> None:
    rows = session(run(*whole()))
    assert struck(Rule.PROTOCOL, *rows, Malformed(1, SECOND, 12, "no JSON")) == Struck(1, 0, 1)


def test_so_many_foreign_runs_are_remembered_that_memory_is_bounded() -> None:
    rows = session(run(*whole()))
    strange = [heard(Event(Kind.THINKING, user="ben", run=f"r{n}"), at=0.02) for n in range(1_000)]
    assert struck(Rule.ISOLATION_ENVELOPE, *rows, *strange) == Struck(1_000, 1_000, 1)
    counting = extent.Extent()
    for n in range(1_000):
        counting.message(Rule.ISOLATION_ENVELOPE, 1, f"r{n}")
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


# Whom leaks went to


def test_a_message_that_names_its_user_is_one_cell_whatever_canary_it_bears() -> None:
    rows = session(run(*whole()))
    leak = heard(Event(Kind.THINKING, user="ben", run="r9", seq=3), at=0.02, foreign=canary("ben"))
    assert after(*rows, leak, leak).checks.leaks == Leaks(named={"ann": {"ben": 2}}, cells=1)


def test_ones_own_message_leaks_from_the_owner_of_each_canary() -> None:
    rows = session(run(*whole()))
    leak = heard(Event(Kind.OTHER, user="ann"), at=0.02, foreign=f"{canary('ben')} {canary('cy')}")
    assert after(*rows, leak).checks.leaks.by_canary == {"ann": {canary("ben"): 1, canary("cy"): 1}}


def test_a_leak_that_does_not_tell_whose_it_is_counts_as_nobodys() -> None:
    leaks = Leaks()
    leaks.count("ann")
    assert leaks.by_canary == {"ann": {"": 1}}


def test_pairs_beyond_the_limit_are_only_counted() -> None:
    leaks = Leaks()
    for number in range(20_005):
        leaks.count("ann", sender=f"u{number}")
    leaks.count("ann", sender="u0", times=3)
    assert (leaks.cells, leaks.beyond) == (20_000, 5)
    assert leaks.named["ann"]["u0"] == 4


def test_leaks_of_several_processes_add_up() -> None:
    one, two = Leaks(), Leaks()
    one.count("ann", sender="ben")
    two.count("ann", sender="ben", times=2)
    two.count("cy", token="t")
    one.beyond, two.beyond = 2, 3
    both = one.merge(two)
    assert (both.cells, both.beyond) == (2, 5), "a pair that is known to both is one"
    assert (both.named, both.by_canary) == ({"ann": {"ben": 3}}, {"cy": {"t": 1}})
