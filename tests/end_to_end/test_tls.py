"""The same runs over real TLS: the same verdicts, and clear words where it cannot be agreed on."""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from streamgauge.core.observation import Received
from streamgauge.core.recording import Recording
from streamgauge.core.stretch import unfolded
from tests.support.certificates import Certificates, Shown
from tests.support.command import SECRET, Done, Run, Server, Start

SHORT = ("--users", "40", "--duration", "4s", "--interval", "500ms")
Serve = Callable[[Shown], str]


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def serve(start: Start) -> Serve:
    """Start a reference server that shows this; its address."""

    def serve(shown: Shown) -> str:
        process = start("reference_server", "--port", "0", *shown.flags, secret=SECRET).process
        assert process.stdout is not None
        address: str = json.loads(process.stdout.readline())["listening"]
        return address

    return serve


def refused(done: Done) -> str:
    """The one line of a command that did not begin."""
    assert done.code == 2, done.out + done.err
    (line,) = done.err.splitlines()
    assert not done.results.exists() or not list(done.results.iterdir())
    return line


def test_a_correct_server_passes(streamgauge: Run, serve: Serve, certificates: Certificates) -> None:
    address = serve(certificates.good())
    assert address.startswith("wss://127.0.0.1:")
    done = streamgauge("run", *SHORT, "--target", address, "--ca-file", "ca.pem", secret=SECRET)
    assert done.code == 0, done.out + done.err
    report = done.report
    assert all(verdict.exercised for verdict in report.verdicts if verdict.required)
    assert report.server is not None, "its metrics were asked for over TLS"
    (path,) = done.folder.glob("recording/*.sgr")
    rows = [row for row in unfolded(Recording.of(path.read_bytes()).rows) if isinstance(row, Received)]
    of_one_read = Counter((row.conn, row.at_ns) for row in rows)
    single = [row for row in rows if of_one_read[row.conn, row.at_ns] == 1]
    assert len(single) > 200
    assert sum(row.exact for row in single) > 0.9 * len(single)
    assert f'ca_file = "{certificates.ca}"' in (done.folder / "plan.toml").read_text()


def test_a_plan_that_lies_in_a_result_folder_repeats_its_run(
    streamgauge: Run, serve: Serve, certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "conf").mkdir()
    certificates.ca.rename(tmp_path / "conf" / "own.pem")
    keys = f'target = "{serve(certificates.good())}"\nca_file = "own.pem"\nusers = 5\nduration = 2\n'
    (tmp_path / "conf" / "plan.toml").write_text(keys)
    done = streamgauge("run", "--plan", "conf/plan.toml", "--results", "first", secret=SECRET)
    assert done.code in {0, 3}, done.out + done.err  # so few runs may leave a rule unexercised
    (plan,) = (tmp_path / "first").glob("*/plan.toml")
    again = streamgauge("run", "--plan", str(plan), secret=SECRET)
    assert again.code in {0, 3}, again.out + again.err
    assert again.report.counts["events"] > 0


@pytest.mark.parametrize(
    ("fault", "rule"), [("drop-thinking", "thinking-present"), ("swap:0.2", "seq-contiguous")]
)
def test_a_fault_is_found_as_without_tls(
    streamgauge: Run, certificates: Certificates, fault: str, rule: str
) -> None:
    server = shlex.join([sys.executable, "-m", "reference_server", "--port", "0", *certificates.good().flags])
    flags = ("--server", server, "--fault", fault)
    sealed = streamgauge("run", *SHORT, *flags, "--ca-file", "ca.pem", "--results", "sealed")
    plain = streamgauge("run", *SHORT, "--fault", fault)
    assert (sealed.code, plain.code) == (1, 1), sealed.out + sealed.err
    sealed = sealed._replace(results=sealed.results.with_name("sealed"))
    assert sealed.failing == plain.failing
    assert rule in sealed.failing


def test_validate_asks_over_tls(streamgauge: Run, serve: Serve, certificates: Certificates) -> None:
    address = serve(certificates.good())
    done = streamgauge("validate", "--target", address, "--ca-file", "ca.pem", secret=SECRET)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].startswith("PASS")


def test_who_is_not_to_be_trusted_is_not_put_under_load(
    streamgauge: Run, serve: Serve, certificates: Certificates
) -> None:
    good = serve(certificates.good())
    for address, flags, says in (
        (good, ("--ca-file", "another.pem"), "certificate verify failed: unable to get local issuer"),
        (good, (), "name the CA that signed it by --ca-file, or ca_file in the plan"),
        (serve(certificates.expired()), ("--ca-file", "ca.pem"), "certificate has expired; the server needs"),
        (
            serve(certificates.good("other.example.test")),
            ("--ca-file", "ca.pem"),
            "IP address mismatch, certificate is not valid for '127.0.0.1'; name the target as",
        ),
    ):
        line = refused(streamgauge("run", "--target", address, *flags, secret=SECRET))
        assert line.startswith(f"streamgauge: {address}: ")
        assert says in line


def test_tls_and_no_tls_are_told_apart(
    streamgauge: Run, serve: Serve, server: Server, certificates: Certificates
) -> None:
    plain, sealed = server.address, serve(certificates.good())
    for address, says in (
        (plain.replace("ws://", "wss://"), "is the target ws:// and not wss://?"),
        (sealed.replace("wss://", "ws://"), "it speaks TLS there; is the target wss:// and not ws://?"),
    ):
        for command in ("run", "validate"):
            assert says in refused(streamgauge(command, "--target", address, secret=SECRET))


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--target", "wss://127.0.0.1:1/", "--ca-file", "nothing.pem"), "cannot be read (No such file"),
        (("--target", "wss://127.0.0.1:1/", "--ca-file", "noise.pem"), "holds no certificate in PEM form"),
        (("--target", "ws://127.0.0.1:1/", "--ca-file", "ca.pem"), "--ca-file: a ws:// target shows no"),
        (("--ca-file", "ca.pem"), "ca_file: a ws:// target shows no certificate"),
    ],
)
def test_a_ca_file_that_is_of_no_use(
    streamgauge: Run, certificates: Certificates, flags: tuple[str, ...], says: str
) -> None:
    certificates.ca.with_name("noise.pem").write_text("no PEM")
    assert says in refused(streamgauge("run", *flags, secret=SECRET))
