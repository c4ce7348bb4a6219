"""What a proxy does to messages: to events inside a run alone, and to no other byte."""

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.core.strike import Fault, Strike
from streamgauge.protocol import PROTOCOLS
from streamgauge.report.redact import digest
from streamgauge.rig.frame_cutter import FrameCutter
from streamgauge.rig.strikes import Aim, Stream, Strikes
from tests.support import ag_ui
from tests.support.native_stream import ANN, accepted, completed, part, started, text, thought, written
from tests.support.server_stream import SIZES, SWITCHED, chunked, frame

RUN = written(started(), thought(1), thought(2), part(0, "one"), part(1, "two"), thought(3), completed())
INNER = RUN[1:-1]
GREETING = {"type": "connection_established", "payload": {"user_id": "ann", "clock_id": "boot"}}
MOST = 65_536
NOW = 1_000


class Clients:
    """What the clients of a proxy heard."""

    def __init__(self, strikes: Strikes) -> None:
        self.strikes = strikes
        self.heard: dict[int, bytes] = {}

    def connect(self, number: int, owner: str = "", *, full: bool = False) -> Stream:
        stream = self.strikes.enter(number, owner, lambda: full)
        self.heard[number] = b""
        self.hear(stream, SWITCHED)
        return stream

    def hear(self, stream: Stream, data: bytes, now_ns: int = NOW) -> None:
        for delivery in self.strikes.take(stream, data, now_ns):
            self.heard[delivery.stream.number] += delivery.data

    def leave(self, stream: Stream) -> None:
        self.heard[stream.number] += self.strikes.leave(stream)

    def texts(self, number: int) -> list[bytes]:
        return [unit.text for unit in FrameCutter(MOST).cut(self.heard[number]) if unit.text is not None]


def clients(*, protocol: str = "native", provable: bool = False, from_ns: int = 0, **aims: Aim) -> Clients:
    by_fault = {Fault(name): aim for name, aim in aims.items()}
    return Clients(Strikes(by_fault, PROTOCOLS[protocol], 1, MOST, provable=provable, from_ns=from_ns))


def frames(messages: Iterable[bytes]) -> bytes:
    return b"".join(map(frame, messages))


def said(run: list[bytes] = RUN, **how: object) -> list[bytes]:
    """What the one client of a proxy hears of a run."""
    one = clients(**how)  # type: ignore[arg-type] # as named by a test
    stream = one.connect(1)
    one.hear(stream, frames(run))
    one.leave(stream)
    return one.texts(1)


ALL = Aim(rate=1)


def test_drop_leaves_the_first_and_the_last_of_a_run() -> None:
    assert said(drop=ALL) == [RUN[0], RUN[-1]]


def test_double_says_every_inner_event_twice() -> None:
    assert said(double=ALL) == [RUN[0], *(event for event in INNER for _ in range(2)), RUN[-1]]


def test_swap_changes_neighbours_of_one_run() -> None:
    one, two, three, four, five = INNER
    assert said(swap=ALL) == [RUN[0], two, one, four, three, five, RUN[-1]]


def test_an_event_before_another_runs_stays_in_its_place() -> None:
    other = written(started(), thought(1), completed(), run_id="r2")
    mixed = [RUN[0], other[0], RUN[1], other[1], RUN[2], other[2], RUN[-1]]
    assert said(mixed, swap=ALL) == mixed


def test_transplant_takes_an_event_to_another_users_connection() -> None:
    two = clients(transplant=ALL)
    ann, ben = two.connect(1, "ann"), two.connect(2, "ben")
    others = written(started(), run_id="r2", user_id="ben")
    two.hear(ben, frames(others))
    two.hear(ann, frames(RUN))
    assert two.texts(1) == [RUN[0], RUN[-1]]
    assert two.texts(2) == [*others, *INNER]


@pytest.mark.parametrize(
    "other", ["another connection of the same user", "not spoken to", "in mid-message", "full", "gone"]
)
def test_a_transplant_needs_another_user_who_can_take_it(other: str) -> None:
    two = clients(transplant=ALL)
    ann = two.connect(1, "ann")
    ben = two.connect(2, "ann" if other.startswith("another") else "ben", full=other == "full")
    if other != "not spoken to":
        two.hear(ben, frames(written(started(), run_id="r2")))
    if other == "in mid-message":
        two.hear(ben, frame(b"x" * (MOST + 1))[:100])
    if other == "gone":
        two.leave(ben)
    two.hear(ann, frames(RUN))
    assert two.texts(1) == RUN
    assert two.strikes.counts == {Fault.TRANSPLANT: 0}


def test_the_greeting_says_whose_a_connection_is() -> None:
    two = clients(transplant=ALL)
    ann, also_ann = two.connect(1), two.connect(2)
    for stream in (ann, also_ann):
        two.hear(stream, frame(text(GREETING)))
    two.hear(ann, frames(RUN))
    assert two.strikes.counts == {Fault.TRANSPLANT: 0}
    ben = two.connect(3)
    two.hear(ben, frame(text(GREETING).replace(b"ann", b"ben")))
    two.hear(also_ann, frames(RUN))
    assert len(two.texts(3)) == 1 + len(INNER)


def test_a_placed_strike_comes_once_from_its_event_on() -> None:
    assert said(drop=Aim(at=3)) == [*RUN[:3], *RUN[4:]]


def test_two_placed_strikes_never_hit_one_run() -> None:
    runs = [written(started(), thought(1), thought(2), completed(), run_id=f"r{n}") for n in range(3)]
    one = clients(drop=Aim(at=1), double=Aim(at=1), swap=Aim(at=1))
    stream = one.connect(1)
    for run in runs:
        one.hear(stream, frames(run))
    first, second, third = runs
    assert one.texts(1) == [
        *(first[0], *first[2:]),
        *(second[0], second[1], second[1], *second[2:]),
        *(third[0], third[2], third[1], third[3]),
    ]
    assert {strike.run for strike in one.strikes.strikes} == {"r0", "r1", "r2"}


def test_a_placed_swap_without_a_neighbour_is_tried_again() -> None:
    lonely = written(started(), thought(1), completed(), run_id="r9")
    assert said([*lonely, *RUN], swap=Aim(at=1)) == [*lonely, RUN[0], RUN[2], RUN[1], *RUN[3:]]


def test_nothing_is_struck_before_its_time() -> None:
    one = clients(drop=ALL, from_ns=NOW)
    stream = one.connect(1)
    one.hear(stream, frames(RUN), NOW - 1)
    one.hear(stream, frames(RUN), NOW)
    assert one.texts(1) == [*RUN, RUN[0], RUN[-1]]


def test_what_was_struck_is_told_without_a_word_of_it() -> None:
    one = clients(drop=Aim(at=2))
    stream = one.connect(4)
    spoken = [message.replace(b'"pipeline"', f'"pipeline","reasoning":"{ANN}"'.encode()) for message in RUN]
    one.hear(stream, frames(spoken))
    assert one.strikes.strikes == [
        Strike(Fault.DROP, NOW, 4, "r1", "thinking", seq=3, canary=digest(ANN)),
    ]
    assert one.strikes.counts == {Fault.DROP: 1}


def test_provable_transplants_hold_a_canary() -> None:
    two = clients(transplant=ALL, provable=True)
    ann, ben = two.connect(1, "ann"), two.connect(2, "ben")
    two.hear(ben, frames(written(started(), run_id="r2")))
    marked = RUN[4].replace(b'"two"', f'"{ANN}"'.encode())
    two.hear(ann, frames([*RUN[:4], marked, *RUN[5:]]))
    assert two.texts(2)[1:] == [marked]


def test_a_canary_that_a_chunk_cuts_off_may_be_anybodys_and_is_left_alone() -> None:
    two = clients(transplant=ALL, provable=True)
    ann, ben = two.connect(1, "ann"), two.connect(2, "ben")
    two.hear(ben, frames(written(started(), run_id="r2")))
    cut = RUN[4].replace(b'"two"', f'"{ANN[:10]}"'.encode())
    two.hear(ann, frames([*RUN[:4], cut, *RUN[5:]]))
    assert two.texts(2)[1:] == []


TEXT = [
    ag_ui.began(),
    ag_ui.said("TEXT_MESSAGE_START", messageId="m1", role="assistant"),
    ag_ui.said("TEXT_MESSAGE_CONTENT", messageId="m1", delta="one"),
    ag_ui.said("TEXT_MESSAGE_CONTENT", messageId="m1", delta="two"),
    ag_ui.said("TEXT_MESSAGE_END", messageId="m1"),
    ag_ui.finished(),
]
SPOKEN = [json.dumps(message).encode() for message in TEXT]


def test_provable_strikes_hit_where_what_goes_on_has_not_begun() -> None:
    begin, one, *_ = SPOKEN[1:]
    assert said(SPOKEN, protocol="ag-ui", provable=True, drop=ALL) == [SPOKEN[0], *SPOKEN[2:]]
    swapped = said(SPOKEN, protocol="ag-ui", provable=True, swap=ALL)
    assert swapped == [SPOKEN[0], one, begin, *SPOKEN[3:]]


@pytest.mark.parametrize("fault", ["drop", "swap"])
def test_a_provable_strike_is_seen_by_the_protocols_own_reader(fault: str) -> None:
    struck = said(SPOKEN, protocol="ag-ui", provable=True, **{fault: ALL})
    found = ag_ui.findings(ag_ui.Ask("q1"), *map(json.loads, struck))
    assert {rule for rule, _ in found} == {"protocol"}


def test_rates_are_shares_of_the_inner_events_and_the_same_seed_strikes_the_same() -> None:
    runs = [written(started(), *[thought(2)] * 50, completed(), run_id=f"r{n}") for n in range(40)]
    dropped = said([event for run in runs for event in run], drop=Aim(rate=0.1))
    assert 1 - len(dropped) / sum(map(len, runs)) == pytest.approx(0.1, abs=0.03)
    assert dropped == said([event for run in runs for event in run], drop=Aim(rate=0.1))


SAID = st.lists(
    st.sampled_from(
        [
            frame(text(accepted())),
            *map(frame, RUN),
            frame(b"no JSON"),
            frame(b'{"type":"agent_thinking"}'),
            frame(b"x" * 70_000),
        ]
    ),
    max_size=20,
)


@given(SAID, SIZES)
def test_without_a_strike_every_byte_is_the_servers(messages: list[bytes], sizes: list[int]) -> None:
    stream = SWITCHED + b"".join(messages) + b"\x81"  # cut off in a frame
    one = clients(drop=Aim(), double=Aim(), swap=Aim(), transplant=Aim())
    client = one.connect(1)
    for piece in chunked(stream, sizes):
        one.hear(client, piece)
    one.leave(client)
    assert one.heard[1] == SWITCHED + stream


@given(SAID, SIZES)
def test_any_chunking_is_struck_in_the_same_way(messages: list[bytes], sizes: list[int]) -> None:
    heard = []
    for pieces in ([b"".join(messages)], chunked(b"".join(messages), sizes)):
        one = clients(drop=Aim(0.2), double=Aim(0.2), swap=Aim(0.2))
        client = one.connect(1)
        for piece in pieces:
            one.hear(client, piece)
        one.leave(client)
        heard.append(one.heard[1])
    assert heard[0] == heard[1]
