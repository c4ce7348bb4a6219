"""Streams of the native protocol: runs side by side, written this way and that, now and then broken."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import Any, NamedTuple

from tests.support.native_stream import (
    ANN,
    BEN,
    CONTEXT,
    Message,
    Said,
    accepted,
    completed,
    ended,
    event,
    failed,
    part,
    started,
    thought,
    tool,
)

GREETING = {"type": "connection_established", "payload": {"user_id": "ann", "clock_id": "boot"}}
SOMETHING: list[Message] = [{"type": "heartbeat"}, {"type": "agent_dancing"}, GREETING]


class Sent(NamedTuple):
    """A message, and whether it was broken on its way."""

    message: object
    broken: bool = False


Reads = list[list[Sent]]


def stream(rng: Random) -> Reads:
    """What one socket of Ann's brings, read by read."""
    harm = rng.choice([0, 0.05, 0.4])
    sent = [
        Sent(_broken(_written(message, rng), rng), broken=True)
        if rng.random() < harm
        else Sent(_written(message, rng))
        for message in _socket(rng)
    ]
    if harm and sent and rng.random() < 0.2:  # the order of whole messages
        place = rng.randrange(len(sent))
        one = sent.pop(place)
        sent[place:place] = rng.choice([[], [one, one]])
    return list(_cut(sent, rng))


def _cut(sent: list[Sent], rng: Random) -> Iterator[list[Sent]]:
    most = rng.choice([1, 3, 12, 300])
    while sent:
        size = rng.randint(1, most)
        yield sent[:size]
        sent = sent[size:]


def _socket(rng: Random) -> list[Message]:
    """Runs side by side, a few events of one after a few of another."""
    runs = [_run(rng, f"r{n}") for n in range(rng.randint(1, 3))]
    offsets = count(rng.choice([1, 1, 10**17]))
    messages: list[Message] = [GREETING] if rng.random() < 0.4 else []
    while runs:
        run = rng.choice(runs)
        for _ in range(rng.choice([1, 2, 20])):
            if run:
                message = run.pop(0)
                if "offset" in message:
                    message["offset"] = next(offsets)
                messages.append(message)
        if rng.random() < 0.1:
            messages.append(rng.choice(SOMETHING))
        runs = [run for run in runs if run]
    return messages


def _run(rng: Random, name: str) -> list[Message]:
    envelope: Message = {"run_id": name, "thread_id": rng.choice(["t1", "中", ""])}
    if rng.random() < 0.3:
        envelope["clock_id"] = rng.choice(["boot", "", "other"])
    request = rng.choice(["q1", "ф"])
    context = rng.choice([CONTEXT, CONTEXT, {"a": [1, None, {"b": "\n"}], "canary": ANN}, {}])
    end = rng.choice([[completed(request, context)]] * 5 + [[failed(request)], []])
    opening = [started(request, context), thought(1), thought(2)][: rng.choice([0, 1, 3, 3])]
    said = [*opening, *_work(rng), *end]
    first = rng.choice([1, 1, 1, 7])
    events = [event(one, seq, 0, **envelope) for seq, one in enumerate(said, first)]
    accepting = [accepted(request, name, envelope["thread_id"])] if rng.random() < 0.6 else []
    return [*accepting, *events]


def _work(rng: Random) -> Iterator[Said]:
    """What an agent does: thoughts, tools side by side, an answer in parts."""
    index = rng.choice([0, 0, 0, 1, 10**17])
    parts = iter(_texts(rng))
    calls = count(1)
    running: list[str] = []
    for _ in range(rng.choice([0, 3, 10, 10, 40])):
        match rng.choice(["thought", "tool", "end", "part", "part", "part"]):
            case "tool":
                running.append(f"c{next(calls)}")
                yield tool(running[-1])
            case "end" if running:
                status = rng.choice(["success", "error", "timeout", "cancelled"])
                yield ended(running.pop(rng.randrange(len(running))), status)
            case "part":
                yield part(index, next(parts))
                index += rng.choice([1, 1, 1, 1, 1, 1, 0, 2])
            case _:
                yield thought(rng.choice([None, 0, 3, 15, 16, -1]), "agent")


def _texts(rng: Random) -> Iterator[str]:
    """Deltas; a canary may be cut across two of them."""
    others = rng.random() < 0.1
    while True:
        token, cut = BEN if others and rng.random() < 0.3 else ANN, rng.randint(1, 7)
        yield from rng.choice(
            [["one "], [""], ["äh 中 😀"]] * 2
            + [
                ['"\\/\b\f\n\r\t'],
                ["x" * 300],
                ["\\u0041 \x7f"],
                [token[:cut], token[cut:]],
                [f"{ANN} {ANN}"],
            ]
        )


# How it is written


def _written(message: Message, rng: Random) -> bytes:
    def value(said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        fields = list(said.items())
        if shuffled:
            rng.shuffle(fields)
        return {key: value(inner) for key, inner in fields}

    shuffled = rng.random() < 0.2
    if rng.random() < 0.2:
        news: Message = {"news": [1, -2.5e3, None, True, "\n", "中", {"a": {}}], "timestamp": "2026"}
        message = {**message, **news}
        if isinstance(message.get("payload"), dict):
            message["payload"] = message["payload"] | news
    separators = rng.choice([(",", ":"), (",", ":"), (", ", ": "), (" ,\n", "\t:\r")])
    ascii_only = rng.random() < 0.3
    return json.dumps(value(message), ensure_ascii=ascii_only, separators=separators).encode()


# What happens to it on its way


def _broken(message: bytes, rng: Random) -> object:
    for _ in range(rng.choice([1, 1, 1, 2])):
        message = rng.choice(_HARM)(message, rng)
    return message if rng.random() < 0.98 else rng.choice([None, "text", bytearray(message)])


_PIECES = [
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"0",
        b"-",
        b"1",
        b".",
        b"e5",
        b"\0",
        b"\x1f",
    ),
    *(b"\\u0073", b"\\u4e2d", b"\\ud83d", b"\\ude00", b"\\n", b"\\/", b"\xff", b"\xc3", b"\xed\xa0\x80"),
    *(
        ANN.encode(),
        BEN.encode(),
        ANN[:12].encode(),
        b"sgcanary",
        b"null",
        b'"a":1,',
        b"\\u0073" + BEN[1:].encode(),
    ),
    *("é😀".encode(), b"[" * 63, b"[" * 66, b'{"a":' * 66),
]
_VALUES = [
    *(b"0", b"1", b"01", b"-0", b"-1", b"1.0", b"1e2", b"1E+2", b"4", b"15", b"16", b"9" * 18, b"9" * 19),
    *(b"9223372036854775807", b"9223372036854775808", b"9" * 400, b"1e999", b"+1", b"NaN"),
    *(
        b"null",
        b"true",
        b"false",
        b'""',
        b'"4"',
        b'"a\\n"',
        b'"\\u00e9"',
        b'"r1"',
        b'"c1"',
        b"[]",
        b"{}",
        b"[1,]",
    ),
    *(
        b'"pipeline"',
        b'"agent"',
        b'"success"',
        b'{"a":1e999}',
        b'"' + BEN.encode() + b'"',
        b'"\xff"',
        b'"\\ud800"',
    ),
]
_VALUE = re.compile(rb'(?<=:)\s*("[^"]*"|-?\d+|null)')
_FIELD = re.compile(rb'"[^"]*"\s*:\s*("[^"]*"|-?\d+|null)')


def _flipped(message: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(message) or 1)
    return message[:place] + bytes([rng.randrange(256)]) + message[place + 1 :]


def _inserted(message: bytes, rng: Random) -> bytes:
    place = rng.randint(0, len(message))
    return message[:place] + rng.choice(_PIECES) + message[place:]


def _shortened(message: bytes, rng: Random) -> bytes:
    place = rng.randint(0, len(message))
    return message[:place] + message[place + rng.choice([1, 2, 10, len(message)]) :]


def _other_value(message: bytes, rng: Random) -> bytes:
    places = [found.span() for found in _VALUE.finditer(message)]
    if not places:
        return message
    begin, end = rng.choice(places)
    return message[:begin] + rng.choice(_VALUES) + message[end:]


def _field_twice(message: bytes, rng: Random) -> bytes:
    fields = list(_FIELD.finditer(message))
    if not fields:
        return message
    field, place = rng.choice(fields)[0], rng.choice(fields).start()
    return message[:place] + field + b"," + message[place:]


def _field_gone(message: bytes, rng: Random) -> bytes:
    fields = list(_FIELD.finditer(message))
    return message.replace(rng.choice(fields)[0] + b",", b"", 1) if fields else message


def _swapped(message: bytes, rng: Random) -> bytes:
    """Two values change places."""
    places = [found.span(1) for found in _VALUE.finditer(message)]
    if len(places) < 2:
        return message
    (a, b), (c, d) = sorted(rng.sample(places, 2))
    return message[:a] + message[c:d] + message[b:c] + message[a:b] + message[d:]


def _ones_own(message: bytes, rng: Random) -> bytes:
    """No harm at all: a field that nobody knows."""
    news = rng.choice(
        [b'"more":"' + ANN.encode() + b'",', b'"more":[[],{"a":"\\n"}],', b'"\xc3\xa9":-0.0e-1,']
    )
    return message.replace(b"{", b"{" + news, 1)


_HARM: list[Callable[[bytes, Random], bytes]] = [
    *(_flipped, _inserted, _inserted, _shortened, _other_value, _other_value),
    *(_field_twice, _field_gone, _swapped, _ones_own),
]
