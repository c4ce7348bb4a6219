"""Runs Tsung with its plan, and says what its log counts: `tsung.py`."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

KINDS: Final = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")
PLAN: Final = """<?xml version="1.0"?>
<!DOCTYPE tsung SYSTEM "/usr/share/tsung/tsung-1.0.dtd">
<tsung loglevel="notice">
  <clients><client host="localhost" use_controller_vm="true" maxusers="100"/></clients>
  <servers><server host={host} port={port} type="tcp"/></servers>
  <load><arrivalphase phase="1" duration="1" unit="second">
    <users maxnumber="10" arrivalrate="10" unit="second"/>
  </arrivalphase></load>
  <sessions>{sessions}</sessions>
</tsung>
"""
# Tsung substitutes nothing in a subprotocol: each user has a session of its own.
SESSION: Final = """
  <session name={user} probability="10" type="ts_websocket">
    <request><websocket type="connect" path="/ws" subprotocols="jwt-auth, jwt.{encoded}"/></request>
    <thinktime value="1"/>
    <for from="1" to={runs} var="number">
      <request subst="true">
        <match do="continue" when="match">run_accepted</match>
        <websocket type="message" frame="text" ack="parse">{asked}</websocket>
      </request>
      <thinktime value="1"/>
    </for>
    <request><websocket type="close"/></request>
  </session>
"""


def main() -> None:
    """End as Tsung does."""
    target = urlsplit(os.environ["PEER_TARGET"])
    asked = {
        "type": "start_agent",
        "payload": {
            "user_request": "Where does the money go?",
            "request_id": "q-%%_number%%",
            "agent_name": "scripted",
        },
    }
    users = [line.split(",") for line in Path(os.environ["PEER_USERS"]).read_text().split()]
    runs = quoteattr(str(round(float(os.environ["PEER_SECONDS"]))))
    sessions = [
        SESSION.format(user=quoteattr(user), encoded=encoded, runs=runs, asked=json.dumps(asked))
        for user, _, encoded in users
    ]
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder, "plan.xml")
        plan.write_text(
            PLAN.format(
                host=quoteattr(target.hostname or ""),
                port=quoteattr(str(target.port)),
                sessions="".join(sessions),
            )
        )
        command = ["tsung", "-f", str(plan), "-l", folder, "start"]
        code = subprocess.run(command, check=False, stdout=sys.stderr).returncode
        logs = sorted(Path(folder).glob("*/tsung.log"))
        text = logs[-1].read_text() if logs else ""
    print(json.dumps({"passed": total(text, "match"), "failed": total(text, "nomatch") + errors(text)}))  # noqa: T201
    sys.exit(code)


def total(log: str, counter: str) -> int:
    """The last total of a counter in Tsung's own log: `stats: NAME NOW TOTAL`."""
    found = re.findall(rf"^stats: {counter} \S+ (\d+)", log, re.MULTILINE)
    return int(found[-1]) if found else 0


def errors(log: str) -> int:
    """All that it calls an error."""
    names = set(re.findall(r"^stats: (error_\w+)", log, re.MULTILINE))
    return sum(total(log, name) for name in names)


if __name__ == "__main__":
    main()
