"""The proxy in front of servers over real sockets: each fault, and not a byte but for it."""

import json
import signal
import socket
import time
from pathlib import Path

import pytest

from streamgauge.core.observation import Received
from streamgauge.core.strike import Strike
from streamgauge.protocol import PROTOCOLS, Request
from streamgauge.protocol.login import mint_token
from streamgauge.rig.one_run import Patience, one_run
from tests.support.certificates import Certificates
from tests.support.command import SECRET, Done, Run, Server, Start
from tests.support.server_stream import SWITCHED, frame
from tests.support.through_proxy import Client, canned_server, proxied

SHORT = ("--users", "10", "--duration", "3s", "--interval", "300ms")
NATIVE = PROTOCOLS["native"]
PLACE = 1_500  # bytes: behind the greeting, within a run
SAID = tuple(frame(b'{"type":"number %d"}' % n) for n in range(200))
NO_STRIKE = ("--drop-at", "1000000", "--swap-at", "1000000")


def one_run_through(address: str) -> list[Received]:
    """The events of one run, as they came."""
    token = mint_token("ann", SECRET, 2e9)
    request = Request("why?", "q1", "t1", "scripted", {})
    rows = one_run(address, NATIVE, token, "ann", "", request, Patience(20, 0.1))
    return [row for row in rows if isinstance(row, Received) and row.event.seq]


def hear(address: str) -> bytes:
    """All that a client hears who says nothing but its handshake."""
    with Client(address) as client:
        return client.hear()


def delays(events: list[Received]) -> list[float]:
    """Seconds from the emission of each to when it was read: one machine, one clock."""
    return [(row.at_ns - row.event.emitted_ns) / 1e9 for row in events]


def ran(streamgauge: Run, address: str) -> Done:
    return streamgauge("run", "--target", address, *SHORT, secret=SECRET)


@pytest.mark.parametrize("faults", [(), NO_STRIKE], ids=["bytes", "messages"])
def test_without_a_fault_every_byte_is_the_servers(start: Start, faults: tuple[str, ...]) -> None:
    with canned_server(*SAID) as (target, _):
        proxy = proxied(start, target, *faults)
        assert hear(proxy.address) == SWITCHED + b"".join(SAID)
    counts = proxy.end()
    assert counts["connections"] == 1
    assert counts["bytes"] == len(SWITCHED) + sum(map(len, SAID))
    assert not any(counts["strikes"].values())


def test_a_run_through_it_passes(start: Start, streamgauge: Run, server: Server) -> None:
    proxy = proxied(start, server.address, *NO_STRIKE)
    done = ran(streamgauge, proxy.address)
    assert done.code == 0, done.out + done.err
    assert proxy.end()["connections"] >= 10


@pytest.mark.parametrize(
    ("fault", "rule", "problem"),
    [
        ("drop", "seq-contiguous", "gap"),
        ("double", "seq-contiguous", "repeat"),
        ("swap", "seq-contiguous", "step back"),
        ("transplant", "isolation-canary", "another user's canary"),
    ],
)
def test_a_message_that_is_struck_is_found_where_it_was(
    start: Start, streamgauge: Run, server: Server, tmp_path: Path, fault: str, rule: str, problem: str
) -> None:
    log = tmp_path / "strikes.jsonl"
    flags = (f"--{fault}-at", "30", "--provable", "--log", str(log))
    proxy = proxied(start, server.address, *flags)
    done = ran(streamgauge, proxy.address)
    assert done.code == 1, done.out + done.err
    (strike,) = (json.loads(line) for line in log.read_text().splitlines())
    assert proxy.end()["strikes"] == {fault: 1}
    (verdict,) = (verdict for verdict in done.report.verdicts if verdict.rule == rule)
    (finding,) = verdict.findings
    assert finding.problem == problem
    assert finding.run == strike["run"]
    assert finding.token == (strike["canary"] if fault == "transplant" else "")


def test_rates_strike_as_often_as_they_say(
    start: Start, streamgauge: Run, server: Server, tmp_path: Path
) -> None:
    log = tmp_path / "strikes.jsonl"
    proxy = proxied(start, server.address, "--drop", "0.05", "--double", "0.05", "--log", str(log))
    report = ran(streamgauge, proxy.address).report
    counts = proxy.end()["strikes"]
    inner = report.counts["events"] + counts["drop"] - counts["double"] - 2 * report.counts["runs"]
    for struck in counts.values():
        assert 0.02 < struck / inner < 0.1
    assert len(log.read_text().splitlines()) == sum(counts.values())


def test_latency_is_added_to_every_event_and_jitter_differs(start: Start, server: Server) -> None:
    proxy = proxied(start, server.address, "--latency", "80ms", "--jitter", "200ms")
    events = one_run_through(proxy.address)
    assert [row.event.seq for row in events] == list(range(1, len(events) + 1))
    assert len(events) > 5
    assert min(delays(events)) >= 0.08
    assert max(delays(events)) - min(delays(events)) > 0.005
    assert proxy.end()["toxics"] == {"latency": 1, "jitter": 1}


def test_bandwidth_is_not_exceeded(start: Start, server: Server) -> None:
    proxy = proxied(start, server.address, "--bandwidth", "8000")
    began = time.monotonic()
    assert len(one_run_through(proxy.address)) > 5
    took_s = time.monotonic() - began
    assert proxy.end()["bytes"] / took_s <= 8_000


def test_a_cut_comes_after_exactly_so_many_bytes(start: Start, server: Server) -> None:
    proxy = proxied(start, server.address, "--cut-at", str(PLACE))
    with Client(proxy.address) as client:
        client.ask()
        client.hear()
    counts = proxy.end()
    assert (counts["bytes"], counts["toxics"]) == (PLACE, {"cut": 1})


def test_a_reset_is_a_reset(start: Start, server: Server) -> None:
    proxy = proxied(start, server.address, "--reset-at", str(PLACE))
    with Client(proxy.address) as client:
        client.ask()
        with pytest.raises(ConnectionResetError):
            client.hear()
    assert proxy.end()["toxics"] == {"reset": 1}


def test_nothing_comes_out_of_a_black_hole_until_the_client_leaves(start: Start, server: Server) -> None:
    proxy = proxied(start, server.address, "--blackhole-at", str(PLACE), "--drain", "1s")
    with Client(proxy.address) as client:
        client.ask()
        with pytest.raises(TimeoutError):
            client.hear(within_s=1)
        counts = proxy.counts()
        assert (counts["bytes"], counts["open"], counts["toxics"]) == (PLACE, 1, {"blackhole": 1})
    deadline = time.monotonic() + 20
    while proxy.counts()["open"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert proxy.end()["open"] == 0


def test_a_slow_close_comes_late(start: Start) -> None:
    with canned_server(*SAID) as (target, _):
        proxy = proxied(start, target, "--slow-close", "1s")
        with Client(proxy.address) as client:
            heard, last = 0, time.monotonic()
            while data := client.socket.recv(65_536):
                heard, last = heard + len(data), time.monotonic()
            assert heard == len(SWITCHED) + sum(map(len, SAID))
            assert time.monotonic() - last >= 0.5  # it began when the server closed, a little earlier
    assert proxy.end()["toxics"] == {"slow_close": 1}


def test_a_rate_strikes_a_share_of_the_connections_the_same_for_a_seed(start: Start) -> None:
    with canned_server(*SAID) as (target, _):
        cut = []
        for _ in range(2):
            proxy = proxied(start, target, "--cut-at", "200-300:0.5", "--seed", "3")
            cut.append([len(hear(proxy.address)) for _ in range(40)])
            assert proxy.end()["toxics"]["cut"] == sum(size <= 300 for size in cut[-1])
    assert cut[0] == cut[1]
    assert 8 <= sum(size <= 300 for size in cut[0]) <= 32


def test_who_is_not_read_is_not_read_from(start: Start) -> None:
    """However much a server has to say, the proxy holds only so much of it."""
    piece = frame(b"x" * 60_000)
    with canned_server(*[piece] * 1_000) as (target, sent):
        proxy = proxied(start, target, *NO_STRIKE)
        with Client(proxy.address) as client:
            before = -1
            while len(sent) != before:
                before = len(sent)
                time.sleep(1)
            assert before < 700  # more than the kernel's buffers and ours can take
            assert client.hear() == SWITCHED + piece * 1_000


def test_the_target_may_speak_tls(start: Start, streamgauge: Run, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    shown = certificates.good()
    process = start("reference_server", "--port", "0", *shown.flags, secret=SECRET).process
    assert process.stdout is not None
    target = json.loads(process.stdout.readline())["listening"]
    proxy = proxied(start, target, "--ca-file", str(certificates.ca))
    assert (target[:6], proxy.address[:5]) == ("wss://", "ws://")
    done = ran(streamgauge, proxy.address)
    assert done.code == 0, done.out + done.err


def test_where_the_target_is_not_there_the_client_is_told(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    proxy = proxied(start, f"ws://127.0.0.1:{port}/")
    with pytest.raises(ConnectionResetError):
        hear(proxy.address)
    assert proxy.end()["connections"] == 1


def test_ctrl_c_lets_open_connections_end_and_a_second_one_does_not(start: Start) -> None:
    with canned_server(stays=True) as (target, _):
        proxy = proxied(start, target, "--drain", "60s")
        with Client(proxy.address) as client:
            assert client.socket.recv(65_536) == SWITCHED
            proxy.process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            assert proxy.process.poll() is None
            with pytest.raises(ConnectionRefusedError):
                Client(proxy.address)
            assert proxy.end()["connections"] == 1


def test_a_strike_is_logged_as_data(start: Start, server: Server, tmp_path: Path) -> None:
    log = tmp_path / "strikes.jsonl"
    proxy = proxied(start, server.address, "--drop-at", "1", "--log", str(log))
    events = one_run_through(proxy.address)
    (line,) = log.read_text().splitlines()
    assert set(json.loads(line)) == set(Strike.__struct_fields__)
    assert json.loads(line)["seq"] not in [row.event.seq for row in events]
