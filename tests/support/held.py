"""Holds the compiled readers against the references: a stream is read both ways, and nothing may differ."""

from random import Random
from typing import NamedTuple

from websockets.frames import Frame, Opcode

from streamgauge.core.stretch import unfold
from streamgauge.protocol.dialect import Echo, Request, context_digest
from streamgauge.protocol.native import NativeReader
from streamgauge.protocol.observe import Observer
from streamgauge.wire import frames
from streamgauge.wire.message import Message
from tests.support.compiled import compiled
from tests.support.native_mutations import Reads, stream
from tests.support.native_stream import ANN, AT_NS, CONN, CONTEXT, KERNEL_NS, Rows, one_by_one


class Held(NamedTuple):
    """Of how many messages a stretch was made, of how many not, and how many of each were broken."""

    taken: int = 0
    left: int = 0
    broken_taken: int = 0
    broken_left: int = 0

    def plus(self, other: "Held") -> "Held":
        return Held(*map(sum, zip(self, other, strict=True)))


def hold(rng: Random) -> Held:
    """Reads a stream of the generator's choice, in stretches as often as it likes."""
    gathering = rng.choice([1, 1, 0.5])
    max_bytes = rng.choice([65_536, 65_536, 400])
    return held(stream(rng), rng, gathering, max_bytes)


def held(reads: Reads, rng: Random, gathering: float = 1, max_bytes: int = 65_536) -> Held:
    """What became of a stream's messages, having seen that both ways say the same and remember the same."""
    tested_reader, reference_reader = NativeReader(), NativeReader()
    tested = Observer(CONN, ANN, tested_reader, max_bytes)
    reference = Observer(CONN, ANN, reference_reader, max_bytes)
    if rng.random() < 0.5:
        request = Request("", "q1", "t1", "guide", CONTEXT)
        for observer in (tested, reference):
            observer.expect(request, Echo("t1", "guide", context_digest(CONTEXT)))
    result = Held()
    for read in reads:
        messages = [sent.message for sent in read]
        rows: Rows = []
        place = 0
        while place < len(messages):
            stretch = None
            if rng.random() < gathering:
                stretch = tested.gather(messages, place, AT_NS, KERNEL_NS, exact=True)
            if stretch is not None:
                said = unfold(stretch)
                rows += said
                broken = sum(sent.broken for sent in read[place : place + len(said)])
                result = result.plus(Held(len(said), 0, broken, 0))
                place += len(said)
                continue
            message = messages[place]
            result = result.plus(Held(0, 1, 0, read[place].broken))
            place += 1
            if isinstance(message, bytes):
                exact = place == len(messages)
                rows.append(tested.observe(message, AT_NS, KERNEL_NS, exact=exact))
        assert rows == one_by_one(reference, messages)
        assert (tested_reader._clock, tested_reader._deltas) == (
            reference_reader._clock,
            reference_reader._deltas,
        )
    return result


def hold_texts(rng: Random) -> int:
    """How many frames both readers find in a broken stream, having seen that they find the same."""
    data = bytearray()
    for _ in range(rng.randint(0, 6)):
        size = rng.choice([0, 1, 7, 8, 9, 125, 126, 127, 200, 65535, 65536])
        payload = (rng.choice(["x", "x", "xyzé", "😀"]) * size).encode()[:size]  # at times cut in a character
        data += Frame(Opcode.TEXT, payload).serialize(mask=False)
    for _ in range(rng.choice([0, 0, 0, 1, 3])):
        if data:
            data[rng.randrange(min(len(data), rng.choice([4, 20, len(data)])))] = rng.randrange(256)
    whole = bytes(data[: rng.choice([len(data), rng.randint(0, len(data))])])
    start, max_size = (
        rng.choice([0, 0, 0, rng.randint(0, len(whole))]),
        rng.choice([2**20] * 5 + [65535, 125, 0]),
    )
    found: list[Message] = []
    expected: list[Message] = []
    position = compiled("streamgauge.wire._frames").read_texts(whole, start, max_size, found)
    assert position == frames.read_texts(whole, start, max_size, expected)
    assert found == expected
    return len(found)
