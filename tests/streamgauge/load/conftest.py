"""The tests of this folder run in a process of their own.

Locust patches the standard library of whatever process imports it, so that
pytest's own must not. Here the test modules are collected without what they test;
when the first of their tests is due, another pytest, patched from its beginning,
runs them all, and its reports are handed on as if they were made here.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.apart import INSIDE
from tests.support.certificates import Certificates
from tests.support.command import SECRET, TIMEOUT_S
from tests.support.peer import Peer, peer_server

if TYPE_CHECKING or INSIDE:
    from streamgauge.core.observation import Observation
    from streamgauge.core.recording import Recording
    from streamgauge.core.stretch import unfolded
    from streamgauge.load.bench import Bench
    from streamgauge.plan import make_plan

HERE = Path(__file__).parent
REPORTS = "STREAMGAUGE_TEST_REPORTS"  # names the file that the inner pytest writes
INNER = """
from gevent import monkey
monkey.patch_all()
import pytest, sys
sys.exit(pytest.main(sys.argv[1:]))
"""


class Apart(NamedTuple):
    """What the inner pytest said."""

    reports: list[dict[str, Any]]
    output: str


APART = pytest.StashKey[Apart]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> object:
    if INSIDE or not item.path.is_relative_to(HERE):
        return None
    if APART not in item.session.stash:
        item.session.stash[APART] = _run_apart(item.session)
    apart = item.session.stash[APART]
    found = [pytest.TestReport._from_json(data) for data in apart.reports if data["nodeid"] == item.nodeid]
    if not found:
        text = f"the process of its own gave no report:\n{apart.output}"
        found = [pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")]
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in found:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run_apart(session: pytest.Session) -> Apart:
    tests = [item.nodeid for item in session.items if item.path.is_relative_to(HERE)]
    with tempfile.NamedTemporaryFile() as file:
        try:
            done = subprocess.run(
                [sys.executable, "-c", INNER, "-p", "no:cacheprovider", *tests],
                cwd=session.config.rootpath,
                env={**os.environ, REPORTS: file.name},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            output = done.stdout
        except subprocess.TimeoutExpired as late:
            output = f"{late}\n{late.output!r}"
        return Apart([json.loads(line) for line in file.read().splitlines()], output)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if INSIDE:
        with Path(os.environ[REPORTS]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(report._to_json()) + "\n")


# What the tests themselves need


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    with peer_server() as peer:
        yield peer


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def tls_peer(certificates: Certificates) -> Iterator[Peer]:
    """The same server over TLS."""
    with peer_server(certificates.good()) as peer:
        yield peer


Make = Callable[..., "Bench"]


@pytest.fixture
def make_bench(peer: Peer, tmp_path: Path) -> Iterator[Make]:
    """What measures a server of that behaviour; other settings of the plan as named."""
    made: list[Bench] = []

    def bench(behaviour: str = "answers", *, secret: str = SECRET, **settings: object) -> "Bench":
        plan = make_plan(
            {"target": peer.address(behaviour), "users": 5, "slack": 5, "grace": 0.1, **settings}
        )
        made.append(Bench(plan, "worker-1", 0, tmp_path, secret))
        return made[-1]

    yield bench
    for one in made:
        if not one._recorder._file.closed:
            one.finish()
        one.bury_all()


@pytest.fixture
def recorded() -> Callable[["Bench"], "list[Observation]"]:
    """The rows that a bench leaves, when it is finished, each event as one."""

    def rows(bench: "Bench") -> "list[Observation]":
        recording = Recording.of(Path(bench.finish().recording).read_bytes())
        assert recording.end is not None
        return list(unfolded(recording.rows))

    return rows
