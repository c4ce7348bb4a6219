import hashlib
import json

import pytest
from msgspec.structs import replace

from streamgauge.core.analysis import Analysis
from streamgauge.core.checks.verdicts import conclude
from streamgauge.core.contract import Rule
from streamgauge.core.event import Event, Kind
from streamgauge.core.finding import Ranges
from streamgauge.core.observation import Malformed, Overheard, Received
from streamgauge.protocol.dialect import Echo, Request, Unreadable, context_digest
from streamgauge.protocol.native import NativeReader
from streamgauge.protocol.observe import Observer
from tests.support.history import CLOCK, LIMITS, SECOND, canary, opened, run

Payload = dict[str, object]

ANN, BEN, CAT = (canary(user) for user in ("ann", "ben", "cat"))


class Reader:
    """Reads a message as what it says: "joined TEXT" hands out a text, "bad" is unreadable."""

    def expect(self, request: Request, echo: Echo) -> None:
        pass

    def read(self, message: bytes) -> tuple[Event, bytes]:
        if message.startswith(b"bad"):
            raise Unreadable("it is bad")
        return Event(Kind.OTHER), message.removeprefix(b"joined ") if message.startswith(b"joined ") else b""

    def gather(self, *_: object) -> None:
        pass


def observe(message: str, *, max_bytes: int = 1000) -> Received | Malformed:
    observer = Observer(4, ANN, Reader(), max_bytes)
    return observer.observe(message.encode(), 20, 10, exact=True)


def test_a_message_becomes_a_row_with_its_stamps_and_size() -> None:
    assert observe("hallö") == Received(4, 20, 10, True, 6, Event(Kind.OTHER), "")


@pytest.mark.parametrize(("kernel_ns", "exact"), [(10, True), (10, False), (0, False)])
def test_stamps_are_exact_or_bounds_or_none(kernel_ns: int, exact: bool) -> None:
    row = Observer(4, ANN, Reader(), 9).observe(b"{}", 20, kernel_ns, exact=exact)
    assert isinstance(row, Received)
    assert (row.at_ns, row.kernel_ns, row.exact) == (20, kernel_ns, exact)


def test_an_unreadable_message_is_malformed_and_says_why() -> None:
    assert observe("bad") == Malformed(4, 20, 3, "it is bad", "")


@pytest.mark.parametrize("size", [99, 100])
def test_a_message_may_have_its_full_size(size: int) -> None:
    assert isinstance(observe("x" * size, max_bytes=100), Received)


def test_a_message_that_is_too_large_is_malformed_unread() -> None:
    assert observe("bad" * 34, max_bytes=101) == Malformed(4, 20, 102, "larger than 101 bytes", "")


@pytest.mark.parametrize(
    ("message", "foreign"),
    [
        (ANN, ""),
        (BEN, BEN),
        (f"{ANN} {BEN} {CAT}", f"{BEN} {CAT}"),
        (f"bad {BEN}", BEN),
        (f"bad {ANN}", ""),
        (f"joined {ANN}", ""),
        (f"joined {BEN}", BEN),  # in the message, too: one leak
        (f"joined {CAT} {BEN} {CAT}", f"{CAT} {BEN}"),
    ],
)
def test_other_users_canaries_are_found_before_and_apart_from_decoding(message: str, foreign: str) -> None:
    assert observe(message).foreign == foreign


def test_they_are_found_in_a_message_that_is_too_large() -> None:
    assert observe(BEN, max_bytes=5).foreign == BEN


def test_they_are_found_in_what_is_no_text_however_it_is_written() -> None:
    observer = Observer(4, ANN, Reader(), 1000)
    for found, message in (("", ANN), (BEN, BEN), (BEN, json.dumps(BEN).replace("s", "\\u0073"))):
        row = observer.refuse(message.encode(), 20, 77, "binary")
        assert row == Malformed(4, 20, 77, "binary", found)


def test_what_is_no_message_is_a_row_only_where_they_are_in_it() -> None:
    observer = Observer(4, ANN, Reader(), 1000)
    assert observer.overhear(f"{ANN} ".encode(), 20, "ping") is None
    assert observer.overhear(b"\x03\xe8" + BEN.encode(), 20, "close") == Overheard(
        4, 20, 2 + len(BEN), "close", BEN
    )


# With the native reader


def said(kind: str, seq: int, payload: Payload) -> bytes:
    envelope = {"run_id": "r1", "thread_id": "t1", "user_id": "ann", "agent_name": "guide"}
    numbers = {"seq": seq, "offset": seq, "emitted_ns": seq}
    return json.dumps({"type": kind, **envelope, **numbers, "payload": payload}).encode()


def streamed(*deltas: str, answer: str) -> list[bytes]:
    """A good run that streams these deltas and promises that answer."""
    echo: Payload = {"request_id": "q1", "context": {}}
    steps: list[Payload] = [{"source": "pipeline", "step_number": step} for step in (1, 2, 3)]
    parts: list[Payload] = [{"index": index, "delta": text} for index, text in enumerate(deltas)]
    digest = hashlib.sha256(answer.encode()).hexdigest()
    payloads = [
        ("agent_started", echo),
        *(("agent_thinking", step) for step in steps[:2]),
        *(("partial_result", part) for part in parts),
        ("agent_thinking", steps[2]),
        ("agent_completed", {**echo, "answer_sha256": digest}),
    ]
    return [said(kind, seq, payload) for seq, (kind, payload) in enumerate(payloads, 1)]


def failing(messages: list[bytes]) -> list[tuple[Rule, str, Ranges, str]]:
    """What Ann's user finds wrong with these messages: rule, problem, numbers, and the token of a leak."""
    analysis = Analysis(LIMITS, CLOCK, 0)
    observer = Observer(1, ANN, NativeReader(), 65_536)
    accepted = {"type": "run_accepted", "payload": {"request_id": "q1", "run_id": "r1", "thread_id": "t1"}}
    analysis.add(opened())
    analysis.add(replace(run().asked, context=context_digest({})))
    for at_ns, message in enumerate([json.dumps(accepted).encode(), *messages], 1):
        analysis.add(observer.observe(message, at_ns, 0, exact=False))
    state = analysis.finish(2 * SECOND)
    found = [finding for verdict in conclude(state.checks, ()) for finding in verdict.findings]
    return [(finding.rule, finding.problem, finding.numbers, finding.token) for finding in found]


def test_an_answer_that_arrives_whole_breaks_nothing() -> None:
    assert failing(streamed("one ", "two ", "three", answer="one two three")) == []


@pytest.mark.parametrize("answer", ["one two threE", "one two thre", "one two three."])
def test_one_byte_that_changed_on_the_way_is_seen(answer: str) -> None:
    broken = (Rule.PARTIAL_INTEGRITY, "deltas do not join to the answer", (), "")
    assert failing(streamed("one ", "two ", "three", answer=answer)) == [broken]


@pytest.mark.parametrize("cut", [3, 8, 15, 27])
def test_a_canary_that_was_cut_across_deltas_is_found_where_they_are_joined(cut: int) -> None:
    deltas = f"it is {BEN[:cut]}", f"{BEN[cut:]} she said"
    messages = streamed(*deltas, answer="".join(deltas))
    assert (Rule.ISOLATION_CANARY, "another user's canary", (), BEN) in failing(messages)


@pytest.mark.parametrize("cut", [3, 8, 15, 27])
def test_ones_own_may_be_cut_anywhere(cut: int) -> None:
    deltas = f"it is {ANN[:cut]}", f"{ANN[cut:]} she said", ANN[:cut], ANN
    assert failing(streamed(*deltas, answer="".join(deltas))) == []


def test_a_torn_message_breaks_protocol_and_leaves_a_gap() -> None:
    messages = streamed("one", answer="one")
    messages[2] = messages[2][:40] + messages[2]
    assert failing(messages) == [
        (Rule.SEQ_CONTIGUOUS, "gap", ((3, 3),), ""),
        (Rule.PROTOCOL, "not a JSON object with a type", (), ""),
    ]


@pytest.mark.parametrize("cut", [8, 15, 27])
def test_what_a_loss_brings_together_is_no_leak(cut: int) -> None:
    deltas = f"it is {ANN[:cut]}", f"{ANN[cut:]} who said ", "others"
    messages = streamed(*deltas, answer="".join(deltas))
    del messages[4]
    assert failing(messages) == [(Rule.SEQ_CONTIGUOUS, "gap", ((5, 5),), "")]
