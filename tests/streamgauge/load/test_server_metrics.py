from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.support.apart import INSIDE
from tests.support.peer import Peer

if TYPE_CHECKING or INSIDE:
    from streamgauge.core.resources import Held
    from streamgauge.load.server_metrics import Holding, Inquiry, ServerMetrics, ask, cost, moment, read
    from streamgauge.report.model import ServerCost

OURS = """
process_cpu_seconds_total {ticks}
process_resident_memory_bytes 5.4e+07
process_start_time_seconds 1.7e+09
streamgauge_server_cpu_seconds {cpu}
streamgauge_server_events_total{{type="agent_started"}} {started}
streamgauge_server_events_total{{type="agent_thinking"}} {thinking}
streamgauge_server_fault_strikes_total{{fault="swap"}} 3.0
streamgauge_server_fault_opportunities_total{{fault="swap"}} 40.0
"""
FOREIGN = "process_cpu_seconds_total {cpu}\nprocess_start_time_seconds 1.7e+09\n"


class Metrics:
    """A server whose next answers are in `says`; the last one it repeats."""

    def __init__(self, port: int) -> None:
        self.target = f"ws://127.0.0.1:{port}/ws"
        self.says: list[str] = []
        self.asked = 0


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.asked += 1
            said = answers.says.pop(0) if len(answers.says) > 1 else answers.says[0]
            self.send_response(200 if said else 404)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answers = Metrics(server.server_port)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield answers
    server.shutdown()
    thread.join()
    server.server_close()


def inquired(target: str) -> "Inquiry":
    inquiry = Inquiry(target)
    inquiry.begin()
    inquiry.all_users_are_there()
    inquiry.users_are_told_to_stop()
    inquiry.all_is_over()
    return inquiry


def ours(cpu: float, events: int) -> str:
    return OURS.format(ticks=round(cpu, 2), cpu=cpu, started=events // 4, thinking=events - events // 4)


def test_what_our_own_server_says() -> None:
    said = read(ours(1.2345678, 1_000).encode())
    assert said == ServerMetrics(1.2345678, 1_000, 54_000_000, 1.7e9, {"swap": 3}, {"swap": 40})


def test_the_finer_count_of_processor_time_is_taken_where_there_is_one() -> None:
    assert read(b"process_cpu_seconds_total 1.23\n") == ServerMetrics(1.23)


@pytest.mark.parametrize("said", ["", "<html>no metrics</html>", "\N{SNOWMAN} {"])
def test_what_is_no_such_text_says_nothing(said: str) -> None:
    found = read(said.encode())
    assert found is None or found.cpu_s is None
    assert read(b"\xff\xfe") is None


def test_events_cost_what_was_spent_between_all_being_there_and_their_being_told_to_stop(
    metrics: Metrics,
) -> None:
    metrics.says = [ours(0.5, 0), ours(0.7, 100), ours(1.7, 10_100), ours(2.9, 10_400)]
    found = inquired(metrics.target).cost(events_read=9_999)
    assert found is not None
    assert found.cpu_s == pytest.approx(1.0)
    assert (found.events, found.rss_bytes) == (10_000, 54_000_000)
    assert found.cpu_per_event_ns == pytest.approx(100_000)


def test_any_other_server_is_credited_with_the_events_that_were_read_in_the_whole_run(
    metrics: Metrics,
) -> None:
    metrics.says = [FOREIGN.format(cpu=cpu) for cpu in (0.5, 0.7, 1.7, 2.5)]
    found = inquired(metrics.target).cost(events_read=4_000)
    assert found is not None
    assert (found.cpu_s, found.events, found.rss_bytes) == (2.0, 4_000, None)
    assert found.cpu_per_event_ns == pytest.approx(500_000)


def test_a_run_that_ended_before_all_were_there_is_taken_whole(metrics: Metrics) -> None:
    metrics.says = [ours(0.5, 0), ours(0.9, 400)]
    inquiry = Inquiry(metrics.target)
    inquiry.begin()
    inquiry.all_is_over()
    found = inquiry.cost(events_read=400)
    assert found is not None
    assert found.cpu_per_event_ns == pytest.approx(1_000_000)


def test_who_has_no_metrics_is_asked_once(metrics: Metrics, peer: Peer) -> None:
    metrics.says = [""]
    assert inquired(metrics.target).cost(100) is None
    assert metrics.asked == 1
    for nobody in ("ws://127.0.0.1:1/ws", peer.address("answers")):
        inquiry = inquired(nobody)
        assert (ask(nobody), inquiry.cost(100), inquiry.all_that_was_said()) == (None, None, None)


def test_strikes_are_those_at_the_end(metrics: Metrics) -> None:
    metrics.says = [ours(1, 1)]
    said = inquired(metrics.target).all_that_was_said()
    assert said is not None
    assert (said.strikes, said.opportunities) == ({"swap": 3}, {"swap": 40})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((2.0, 1.0), (1.0, 1.0)),
        ((1.0, 1.0), (2.0, 9.0)),
        ((None, 1.0), (2.0, 1.0)),
        ((1.0, 1.0), (None, 1.0)),
    ],
    ids=["less than before", "started anew", "unsaid before", "unsaid after"],
)
def test_what_is_not_of_one_process_is_no_cost(
    before: tuple[float | None, float], after: tuple[float | None, float]
) -> None:
    one, other = (ServerMetrics(cpu_s, 0, 0, started) for cpu_s, started in (before, after))
    assert cost(one, other, 10) is None


def test_without_events_nothing_is_divided() -> None:
    assert cost(ServerMetrics(1.0), ServerMetrics(1.5), 0) == ServerCost(0.5, 0, None, None)


HOLDS = """
# HELP streamgauge_server_connections open WebSocket connections
streamgauge_server_connections {connections}.0
streamgauge_server_runs_active {runs}.0
streamgauge_server_tasks 9.0
process_resident_memory_bytes 5.4e+07
process_start_time_seconds 1.7e+09
"""


def holds(connections: int, runs: int = 0) -> str:
    return HOLDS.format(connections=connections, runs=runs)


def test_what_a_server_holds_is_read_from_its_own_words() -> None:
    now = moment(holds(3, 2).encode(), Held(3, 2))
    assert (now.connections, now.runs, now.tasks, now.rss_bytes) == (3, 2, 9, 54_000_000)
    assert (now.started_s, now.held, now.counts) == (1.7e9, Held(3, 2), True)
    assert not moment(FOREIGN.format(cpu=1).encode()).counts


def test_the_end_is_waited_for_until_nothing_is_left(metrics: Metrics) -> None:
    metrics.says = [holds(1), holds(4), holds(2), holds(1), holds(7)]
    inquiry = Inquiry(metrics.target, linger_s=30)
    inquiry.begin()
    inquiry.all_is_over()
    account = inquiry.account()
    assert account is not None
    assert account.after is not None
    assert account.after.connections == 1
    assert 0 < account.waited_ns < account.linger_ns
    assert metrics.asked == 4


@pytest.mark.parametrize(("linger_s", "hurried"), [(0.5, False), (30, True)])
def test_but_no_longer_than_it_may_take_and_anybody_has_time(
    metrics: Metrics, linger_s: float, hurried: bool
) -> None:
    metrics.says = [holds(0), holds(4)]
    inquiry = Inquiry(metrics.target, linger_s=linger_s)
    inquiry.begin()
    inquiry.all_is_over(lambda: not hurried)
    account = inquiry.account()
    assert account is not None
    assert (account.waited_ns >= account.linger_ns) is not hurried
    assert account.waited_ns < 5e9


def test_in_mid_run_it_may_hold_the_most_there_was_around_its_answer(metrics: Metrics) -> None:
    metrics.says = [holds(0), holds(5, 1)]
    inquiry = Inquiry(metrics.target)
    inquiry.begin()
    had = iter([Holding(Held(5, 0), opened=5, asked=7), Holding(Held(2, 1), opened=6, asked=10)])
    inquiry.look(lambda: next(had))
    inquiry.look()
    account = inquiry.account()
    assert account is not None
    assert [now.held for now in account.during] == [Held(6, 3), None]


def test_of_a_server_without_metrics_there_is_no_account(peer: Peer) -> None:
    inquiry = inquired(peer.address("answers"))
    inquiry.look()
    assert inquiry.account() is None
