"""Users log in as the plan says, to servers that want it so."""

from pathlib import Path

import pytest

from tests.end_to_end.test_ag_ui import ag_ui_server
from tests.support.artifacts import content
from tests.support.command import SECRET, Run, Server

SHORT = ("--users", "5", "--duration", "2s", "--interval", "200ms")


@pytest.mark.parametrize(
    "login",
    [
        '{ kind = "subprotocol" }',
        '{ kind = "bearer", audience = "streamgauge", lifetime = 60, claims = { tenant = "acme" } }',
    ],
)
def test_the_server_knows_its_users_whatever_way_the_token_comes(
    streamgauge: Run, server: Server, tmp_path: Path, login: str
) -> None:
    (tmp_path / "plan.toml").write_text(f"login = {login}\n")
    done = streamgauge("run", "--plan", "plan.toml", "--target", server.address, *SHORT, secret=SECRET)
    assert done.code == 0, done.out + done.err
    for path in done.results.rglob("*"):
        assert not path.is_file() or b"eyJ" not in content(path), path


def test_a_token_for_somebody_else_is_refused(streamgauge: Run, server: Server, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('login = { audience = "acme" }\n')
    done = streamgauge("run", "--plan", "plan.toml", "--target", server.address, *SHORT, secret=SECRET)
    assert done.code == 2
    assert "refused the token (HTTP 401" in done.err


def test_where_nobody_logs_in_no_secret_is_needed(streamgauge: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('login = { kind = "none" }\n')
    with ag_ui_server() as target:
        for command in (("validate", *target[:4]), ("run", *target)):
            done = streamgauge(*command, "--plan", "plan.toml")
            assert done.code == 0, done.out + done.err
