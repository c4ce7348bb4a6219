import time
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from streamgauge.cast import Cast, Part
from streamgauge.core.observation import Asked, Closed, Makes, Observation, Opened, Unsent
from streamgauge.protocol import Request
from tests.support.apart import INSIDE
from tests.support.peer import Peer

if TYPE_CHECKING or INSIDE:
    from gevent import GreenletExit, sleep
    from locust.env import Environment

    from streamgauge.load import AgentUser
    from streamgauge.load.bench import Bench
    from streamgauge.load.connection import Connection
    from streamgauge.load.user import MOST_UNDER_WAY, begin

Make = Callable[..., "Bench"]
Recorded = Callable[["Bench"], list[Observation]]
MS = 1_000_000


def started(bench: "Bench") -> "AgentUser":
    """A user of that bench, as Locust starts it."""
    begin(bench)
    return another()


def another() -> "AgentUser":
    user = AgentUser(Environment())
    user.on_start()
    return user


# When requests are due


@pytest.mark.parametrize("arrivals", ["constant", "lockstep"])
def test_every_due_time_comes_however_late_one_asks(make_bench: Make, arrivals: str) -> None:
    user = started(make_bench("accepts", arrivals={"kind": arrivals, "interval": 0.01}))
    dues: list[int] = []
    for late in (0.1, 0.0, 0.25):
        sleep(late)
        dues.extend(user.due())
    assert len(dues) > 30
    assert {later - due for due, later in pairwise(dues)} == {10 * MS}
    assert dues[-1] <= time.monotonic_ns() < dues[-1] + 1_000 * MS


def test_poisson_arrivals_keep_their_rate_and_their_seed(make_bench: Make) -> None:
    def gaps(seed: int) -> list[int]:
        user = started(make_bench("accepts", arrivals={"kind": "poisson", "interval": 0.001}, seed=seed))
        sleep(0.2)
        return [later - due for due, later in pairwise(user.due())][:100]

    assert gaps(1) == pytest.approx(gaps(1), abs=1)  # what is rounded differs by the start
    assert gaps(1) != pytest.approx(gaps(2), abs=1)
    assert 0.5 * MS < sum(gaps(1)) / 100 < 2 * MS


def test_nothing_is_due_ahead_of_time(make_bench: Make) -> None:
    user = started(make_bench("accepts", arrivals={"kind": "lockstep", "interval": 1_000}))
    assert list(user.due()) == []
    assert 0 < user.wait_time() <= 1_000


def test_who_is_late_does_not_wait(make_bench: Make) -> None:
    user = started(make_bench("accepts", arrivals={"kind": "constant", "interval": 0.001}))
    sleep(0.01)
    assert user.wait_time() == 0


def test_what_is_due_without_a_connection_is_unsent(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("leaves", arrivals={"kind": "constant", "interval": 0.01})
    user = started(bench)
    sleep(0.2)
    dues = list(user.due())
    assert len(dues) > 10
    assert [user.ask(due_ns) for due_ns in dues] == [None] * len(dues)
    unsent = [row for row in recorded(bench) if isinstance(row, Unsent)]
    assert [row.due_ns for row in unsent] == dues


def test_what_is_due_without_a_connection_is_counted_as_unsent(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("leaves", arrivals={"kind": "constant", "interval": 0.01})
    user = started(bench)
    sleep(0.1)
    asked = [user.ask(due_ns) for due_ns in user.due()]
    assert len(asked) > 5
    assert asked == [None] * len(asked)
    unsent = [row for row in recorded(bench) if isinstance(row, Unsent)]
    assert [row.why for row in unsent] == ["the connection was lost"] * len(asked)


# What is asked


def test_more_runs_than_a_user_may_have_under_way_are_unsent(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts")
    user = started(bench)
    runs = [user.ask(due_ns) for due_ns in range(MOST_UNDER_WAY + 2)]
    assert [run is None for run in runs] == [False] * MOST_UNDER_WAY + [True] * 2
    rows = recorded(bench)
    assert len([row for row in rows if isinstance(row, Asked)]) == MOST_UNDER_WAY
    assert [(row.due_ns, row.why) for row in rows if isinstance(row, Unsent)] == [
        (MOST_UNDER_WAY, "too many runs of the user under way"),
        (MOST_UNDER_WAY + 1, "too many runs of the user under way"),
    ]


def test_no_two_requests_are_alike_unless_a_scenario_says_so(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts")
    user = started(bench)
    other = another()
    for one in (user, user, other):
        one.ask(0)
    user.ask(0, request="q", thread="t")
    asked = [row for row in recorded(bench) if isinstance(row, Asked)]
    assert len({row.request for row in asked}) == len({row.thread for row in asked}) == 4
    assert len({row.context for row in asked}) == 4
    assert (asked[3].request, asked[3].thread) == ("q", "t")


def test_users_are_numbered_anew_in_every_run_and_never_share_a_canary(make_bench: Make) -> None:
    first, second = started(make_bench("accepts")), another()
    assert (first.name, second.name) == ("u0-1", "u0-2")
    again = started(make_bench("accepts"))
    assert again.name == "u0-1"
    assert len({first.canary, second.canary, again.canary}) == 3


# What a persona does


@pytest.mark.parametrize(("share", "said"), [("cancel_share", "cancel_run"), ("speak_share", "user_message")])
def test_a_persona_interrupts_its_runs_once_they_are_accepted(
    make_bench: Make, peer: Peer, share: str, said: str
) -> None:
    user = started(make_bench("accepts", personas=[{share: 1}]))
    run = user.ask(time.monotonic_ns())
    assert run is not None
    heard = peer.heard()
    assert (heard["type"], heard["payload"]["run_id"]) == (said, run.run)


def test_a_persona_that_leaves_comes_back_with_another_socket(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts", personas=[{"leave_share": 1}])
    user = started(bench)
    user.ask(time.monotonic_ns())
    sleep(0.3)
    assert user.tabs[0].open
    rows = recorded(bench)
    assert [row.conn for row in rows if isinstance(row, Opened)] == [1, 2]
    (left, _) = [row for row in rows if isinstance(row, Closed)]
    assert left == Closed(1, left.at_ns, 1000, ours=True)


def test_runs_go_round_the_tabs(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts", personas=[{"tabs": 2}])
    user = started(bench)
    for _ in range(4):
        user.ask(time.monotonic_ns())
    asked = [row.conn for row in recorded(bench) if isinstance(row, Asked)]
    assert sorted(asked) == [1, 1, 2, 2]


def test_who_thinks_asks_again_so_long_after_the_end_of_the_run(make_bench: Make) -> None:
    user = started(make_bench("answers", personas=[{"think": 5}]))
    run = user.ask(time.monotonic_ns())
    assert run is not None
    assert run.ended
    assert 4 < user.wait_time() <= 5


def test_a_script_moves_the_deadline_and_is_told_to_the_rules(make_bench: Make, recorded: Recorded) -> None:
    script = [{"do": "sleep", "ms": 2_000}, {"do": "fail"}]
    bench = make_bench("accepts", personas=[{"script": script}])
    user = started(bench)
    user.ask(due_ns=10**9)
    (asked,) = [row for row in recorded(bench) if isinstance(row, Asked)]
    assert (asked.deadline_ns - asked.at_ns, asked.pause_ns, asked.fails) == (7 * 10**9, 2 * 10**9, True)


SCRIPT = [{"do": "think"}, {"do": "tool", "name": "search"}, {"do": "stream", "chunks": 3}, {"do": "result"}]


@pytest.mark.parametrize(
    ("settings", "makes"),
    [
        ({"personas": [{"script": SCRIPT}]}, Makes(1, 1, 3)),
        ({"personas": [{}]}, None),
        ({"personas": [{"script": SCRIPT, "optional_script": True}]}, None),  # it is not sent to a target
    ],
)
def test_what_a_script_makes_is_told_to_the_rules_where_it_is_sent(
    make_bench: Make, recorded: Recorded, settings: dict[str, object], makes: Makes | None
) -> None:
    bench = make_bench("accepts", **settings)
    started(bench).ask(due_ns=10**9)
    (asked,) = [row for row in recorded(bench) if isinstance(row, Asked)]
    assert asked.makes == makes


# How a user comes and goes


@pytest.mark.parametrize(
    ("behaviour", "secret", "why"),
    [
        ("unknown", "a secret", "HTTP 401 Unauthorized"),
        ("accepts", "", "no secret: set STREAMGAUGE_SECRET to the target's own"),
    ],
)
def test_who_cannot_connect_stops_and_is_counted(
    make_bench: Make, behaviour: str, secret: str, why: str
) -> None:
    bench = make_bench(behaviour, secret=secret)
    begin(bench)
    for _ in range(2):
        user = AgentUser(Environment())
        with pytest.raises(GreenletExit):  # Locust would log every StopUser here
            user.on_start()
        user.on_stop()
    share = bench.finish()
    assert share.unconnected == {why: 2}
    assert share.troubles == ()


def test_nobody_starts_where_there_is_no_run_any_more(make_bench: Make) -> None:
    started(make_bench("accepts"))
    begin(None)
    with pytest.raises(GreenletExit):
        another()


def test_a_second_socket_takes_over_and_the_older_one_drains(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("answers", grace=0.1)
    user = started(bench)
    user.ask(time.monotonic_ns())
    user.reopen()
    user.ask(time.monotonic_ns())
    user.on_stop()
    assert not bench.connections
    rows = recorded(bench)
    assert [row.conn for row in rows if isinstance(row, Opened)] == [1, 2]
    assert [row.conn for row in rows if isinstance(row, Asked)] == [1, 2]
    assert [(row.code, row.ours) for row in rows if isinstance(row, Closed)] == [(1000, True)] * 2
    assert bench.runs == 2


# Once more


def texts_of(user: "AgentUser", asked: list[int]) -> list[str]:
    """What a user says to all that is due, but for its canary; when it was due stands in `asked`."""
    texts: list[str] = []
    request = user._request

    def listening(tab: "Connection", number: int) -> Request:
        made = request(tab, number)
        texts.append(made.text.removesuffix(user.canary))
        return made

    user._request = listening  # type: ignore[method-assign]
    for due_ns in user.due():
        user.ask(due_ns)
        asked.append(due_ns)
    return texts


def test_a_user_of_an_earlier_run_says_once_more_what_it_said(make_bench: Make, recorded: Recorded) -> None:
    settings: dict[str, object] = {
        "arrivals": {"kind": "poisson", "interval": 0.01},
        "personas": [{"prompts": [f"prompt {n}" for n in range(1_000)]}],
    }
    then = make_bench("answers", **settings)
    started(then)
    user = another()  # u0-2
    sleep(0.15)
    dues: list[int] = []
    texts = texts_of(user, dues)
    assert len(dues) > 5
    first, *rest = (due_ns - then.began_ns for due_ns in dues)

    again = make_bench("answers", **settings)
    begin(again, Cast((Part("u0-2", 0, (first, *rest), (2,)),), starts_ns=first, from_ns=rest[2]))
    user = another()
    assert (user.name, user.tabs[0].number) == ("u0-2", 2)
    sleep(0.2)
    assert texts_of(user, []) == texts
    asked = [row for row in recorded(again) if isinstance(row, Asked)]
    assert [row.due_ns - again.began_ns for row in asked] == [due_ns - first for due_ns in rest[2:]]
    assert [row.request for row in asked] == [f"q-u0-2.2.{n}" for n in range(4, len(dues) + 1)]


def test_a_user_who_came_late_comes_late_again(make_bench: Make) -> None:
    bench = make_bench("answers")
    begin(bench, Cast((Part("u0-9", opened_ns=5_200 * MS),), starts_ns=5_000 * MS))
    user = another()
    assert time.monotonic_ns() - bench.began_ns >= 200 * MS
    assert user.wait_time() > 3_600


def test_its_new_sockets_have_numbers_of_their_own(make_bench: Make) -> None:
    begin(make_bench("answers"), Cast((Part("u0-9", conns=(40,)),)))
    user = another()
    user.reopen()
    assert user.tabs[0].number == 41


def test_it_reckons_from_the_earlier_run_and_changes_no_socket_for_what_was_then(make_bench: Make) -> None:
    bench = make_bench("answers")
    part = Part("u0-9", opened_ns=2_000 * MS)
    begin(bench, Cast((part,), starts_ns=5_000 * MS, from_ns=5_300 * MS))
    user = another()
    assert bench.began_ns - user.began_ns == 5_000 * MS
    assert user.opened_ns - user.began_ns == 2_000 * MS
    (before,) = user.tabs
    user.reopen()
    assert user.tabs == [before]
    sleep(0.3)
    user.reopen()
    assert user.tabs != [before]


def test_who_thought_between_its_runs_asks_when_it_asked_then(make_bench: Make, recorded: Recorded) -> None:
    bench = make_bench("accepts", personas=[{"think": 0.5}])
    begin(bench, Cast((Part("u0-1", due_ns=(0, 10 * MS, 20 * MS)),)))
    user = another()
    sleep(0.05)
    assert all(user.ask(due_ns) for due_ns in user.due())
    asked = [row for row in recorded(bench) if isinstance(row, Asked)]
    assert [row.due_ns - bench.began_ns for row in asked] == [0, 10 * MS, 20 * MS]
