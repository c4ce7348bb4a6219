"""A tiny stream from bytes to a verdict, by whatever readers this process has."""

import json
import sys

from msgspec.structs import replace
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from streamgauge.core.analysis import Analysis
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.observation import Stretch
from streamgauge.protocol.dialect import context_digest
from streamgauge.report.problems import sentence
from streamgauge.wire import ClientSession
from tests.support import history
from tests.support.compiled import READERS
from tests.support.native_stream import CALL, CONN, CONTEXT, KERNEL_NS, observer, run


def main() -> None:
    """Tell in JSON which readers there were, how many rows were stretches, and what the verdict is."""
    sent = run()
    del sent[CALL]  # a tool ends that never began, and a number is missing
    stream = b"".join(Frame(Opcode.TEXT, message).serialize(mask=False) for message in sent)
    messages = opened().receive(stream)
    assert messages == sent
    analysis = Analysis(history.LIMITS, history.CLOCK, 0)
    analysis.add(replace(history.opened(), conn=CONN))
    analysis.add(replace(history.run().asked, conn=CONN, context=context_digest(CONTEXT)))
    by, place, stretches = observer(), 0, 0
    while place < len(messages):
        stretch: Stretch | None = by.gather(messages, place, place + 1, KERNEL_NS, exact=False)
        if stretch is not None:
            analysis.add(stretch)
            place += len(stretch.forms) + (stretch.accepted > 0)
            stretches += 1
        else:
            message = messages[place]
            assert isinstance(message, bytes)
            place += 1
            analysis.add(by.observe(message, place, KERNEL_NS, exact=False))
    verdicts = [
        (
            verdict.rule,
            verdict.outcome.name,
            verdict.exercised,
            [sentence(finding) for finding in verdict.findings],
        )
        for verdict in conclude(analysis.finish(2 * history.SECOND).checks, ())
    ]
    said = {
        "readers": [name for name in READERS if sys.modules.get(name)],
        "stretches": stretches,
        "verdicts": verdicts,
    }
    json.dump(said, sys.stdout)


def opened() -> ClientSession:
    """A session after its handshake."""
    session, server = ClientSession("ws://example.test/"), ServerProtocol()
    server.receive_data(session.open())
    (request,) = server.events_received()
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    session.receive(b"".join(server.data_to_send()))
    return session
