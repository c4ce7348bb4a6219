from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit

SCRIPT = """
import structlog
from reference_server.log import LogFormat, LogLevel, configure
configure(LogLevel.INFO, LogFormat.{format})
log = structlog.get_logger(part="test")
log.debug("hidden")
try:
    raise ValueError("what the user wrote")
except ValueError:
    log.exception("failed", run_id="r1")
"""


def test_an_exception_is_logged_by_kind_and_place_not_by_its_text(kit: Kit) -> None:
    logged = json.loads(kit.python("-c", SCRIPT.format(format="JSON")).stderr)
    assert (logged["event"], logged["error"], logged["run_id"]) == ("failed", "ValueError", "r1")
    assert logged["where"] == "<string>:8"
    assert "what the user wrote" not in str(logged)


def test_the_default_is_logfmt_on_standard_error(kit: Kit) -> None:
    ended = kit.python("-c", SCRIPT.format(format="LOGFMT"))
    assert "level=error part=test event=failed" in ended.stderr
    assert (ended.stdout, len(ended.stderr.splitlines())) == ("", 1)
