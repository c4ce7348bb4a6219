from collections.abc import Callable

import pytest
from msgspec.structs import replace

from streamgauge.cast import Cast, Part
from streamgauge.core.checks.sides import Rows
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Finding
from streamgauge.core.history import History
from streamgauge.core.interval import exact_interval
from streamgauge.core.observation import Observation, Opened, Unsent
from streamgauge.plan import Plan
from streamgauge.report.model import Report
from streamgauge.study.recurrence import (
    MOST_USERS,
    Attempt,
    CannotReplay,
    cast_of,
    conclude,
    conducts,
    exit_code,
    recurs,
    replay_plan,
    said_in,
)
from tests.support.history import SECOND, run, session, started, wait, whole

BEGAN = -3 * SECOND  # the run is three seconds old when all of these begin
GAP = Finding(Rule.SEQ_CONTIGUOUS, "gap", "ann", 1, SECOND // 20, run="r1", request="q1", numbers=((4, 4),))


def user(name: str, conn: int, *runs: History) -> list[Observation]:
    """The rows of a user whose runs these are, one after the other, 5 s between them."""
    return session(*(of_user(one, name, conn, number) for number, one in enumerate(runs, 1)))


def of_user(history: History, name: str, conn: int, number: int) -> History:
    """The same run at another user, by names of its own."""
    history.user, history.run, request = name, f"r-{name}-{number}", f"q-{name}-{number}"
    history.asked = replace(history.asked, conn=conn, request=request)
    history.events = [
        replace(
            received,
            conn=conn,
            event=replace(
                received.event, user=name, run=history.run, request=received.event.request and request
            ),
        )
        for received in history.events
    ]
    return history


def cast(found: Finding, *users: list[Observation]) -> Cast:
    return cast_of(found, BEGAN, conducts([Rows(rows) for rows in users]))


def names(of: Cast) -> list[str]:
    return [part.name for part in of.parts]


def test_the_guilty_the_other_and_whose_runs_were_under_way_take_part() -> None:
    slow = run(started(), wait(9), *whole()[1:])
    bystander = user("cy", 3, slow)
    idle = user("dee", 4, run(*whole()[:2], whole()[-1]))  # over after 30 ms
    leak = replace(GAP, other="ben")
    found = cast(leak, user("ann", 1, run(*whole())), user("ben", 2, run(*whole())), bystander, idle)
    assert names(found) == ["ann", "ben", "cy"]


def test_no_more_than_a_few_take_part() -> None:
    users = [user("ann", 1, run(*whole()))]
    users += [user(f"u{n}", n, run(*whole())) for n in range(2, 30)]
    assert len(cast(GAP, *users).parts) == MOST_USERS


def test_it_begins_a_second_before_the_request_and_ends_soon_after_the_finding() -> None:
    found = cast(GAP, user("ann", 1, run(*whole()), run(*whole())))  # the second is due after 5 s
    assert (found.starts_ns, found.from_ns) == (2 * SECOND, 3 * SECOND)
    assert found.parts == (Part("ann", 3 * SECOND, (3 * SECOND,), (1,)),)


def test_what_was_due_before_is_kept_to_be_drawn() -> None:
    rows = user("ann", 1, run(*whole()), run(*whole()))
    second = replace(GAP, at_ns=5 * SECOND + SECOND // 5)
    found = cast(second, rows)
    assert [part.due_ns for part in found.parts] == [(3 * SECOND, 8_100_000_000)]
    assert found.from_ns == 8_100_000_000


def test_what_could_not_be_sent_is_drawn_too() -> None:
    rows = [*user("ann", 1, run(*whole())), Unsent(1, 0, -SECOND, "too many")]
    assert cast(GAP, rows).parts[0].due_ns == (2 * SECOND, 3 * SECOND)


def test_a_silent_user_acts_beside_those_who_asked() -> None:
    silent: list[Observation] = [Opened(1, 0, "ann", "", 0)]
    found = cast(GAP, silent, user("ben", 2, run(*whole())))
    assert names(found) == ["ann", "ben"]
    assert found.parts[0].due_ns == ()


def test_connections_keep_their_numbers_where_these_are_free() -> None:
    leak = replace(GAP, other="ben")
    found = cast(leak, user("ann", 1, run(*whole())), user("ben", 1, run(*whole())))
    assert [part.conns for part in found.parts] == [(1,), ()]


def test_nobody_knows_what_an_unknown_user_did() -> None:
    with pytest.raises(CannotReplay, match="its users are not in the recording"):
        cast(replace(GAP, user="zoe"), user("ann", 1, run(*whole())))


def test_what_is_the_server_s_has_no_user_to_ask_again() -> None:
    left = Finding(Rule.RESOURCE, "connections left", user="", conn=0, at_ns=GAP.at_ns)
    with pytest.raises(CannotReplay, match="it is of the server and of no user"):
        cast(left, user("ann", 1, run(*whole())))


def test_without_any_request_there_is_nothing_to_drive() -> None:
    with pytest.raises(CannotReplay, match="no request"):
        cast(GAP, [Opened(1, 0, "ann", "", 0)])


# Whether it is the same


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (replace(GAP, numbers=((9, 12),), user="ben"), True),
        (replace(GAP, problem="repeat"), False),
        (replace(GAP, rule=Rule.OFFSET_CONTIGUOUS), False),
    ],
)
def test_the_same_is_of_one_rule_and_one_kind_whatever_its_numbers(
    make: Callable[..., Report], found: Finding, same: bool
) -> None:
    again = recurs(GAP, make(found))
    assert (again is not None) is same
    assert again is None or again.numbers == found.numbers


# The plan of a replay


CAST = Cast((Part("ann", 0, (5 * SECOND,)), Part("ben")), 4 * SECOND, 5 * SECOND)


def test_the_plan_is_the_same_but_for_who_and_how_long() -> None:
    plan = Plan(users=500, processes=2, thresholds=("p99(run) < 1s",), most_runs=9, faults=("swap",), seed=7)
    made = replay_plan(plan, CAST, GAP)
    assert (made.users, made.processes, made.duration) == (2, 1, 1.5)
    assert (made.required, made.thresholds, made.most_runs) == ((Rule.SEQ_CONTIGUOUS,), (), 0)
    assert (made.seed, made.faults, made.arrivals) == (plan.seed, plan.faults, plan.arrivals)


def test_slices_cannot_be_driven_apart() -> None:
    with pytest.raises(CannotReplay, match="slices"):
        replay_plan(Plan(slice_runs=4), CAST, GAP)


def test_an_attack_is_no_matter_of_users() -> None:
    with pytest.raises(CannotReplay, match="attack"):
        replay_plan(Plan(scenario="attack"), CAST, GAP)


def test_requests_are_compared_by_what_was_said_in_that_time() -> None:
    users = conducts([Rows(user("ann", 1, run(*whole()), run(*whole())))])
    found = cast_of(GAP, BEGAN, users)
    assert list(said_in(users, found, BEGAN)) == [("ann", "q-ann-1", "t1", "guide")]


# How often


DRIVEN = {True: Attempt(True), False: Attempt(False), None: Attempt(None)}


@pytest.mark.parametrize(
    ("attempts", "recurred", "driven", "code"),
    [
        ([True, False, False], 1, 3, 1),
        ([True, None], 1, 1, 1),
        ([False, False], 0, 2, 0),
        ([False, None], 0, 1, 3),
        ([None], 0, 0, 3),
    ],
)
def test_what_could_not_be_driven_is_never_that_it_does_not_recur(
    attempts: list[bool | None], recurred: int, driven: int, code: int
) -> None:
    found = conclude(GAP, "results/x", CAST, 1, [DRIVEN[one] for one in attempts])
    assert (found.recurred, found.driven, exit_code(found)) == (recurred, driven, code)
    bounds = exact_interval(recurred, driven) if driven else (None, None)
    assert (found.low, found.high) == bounds
