"""What is not taken, for whatever reason: the reference knows what it means."""

import pytest

from tests.support.native_stream import (
    ACCEPTED,
    ANN,
    BEN,
    CALL,
    COMPLETED,
    ENDED,
    FIRST,
    NEXT_PART,
    PART,
    STARTED,
    accepted,
    changed,
    completed,
    ended,
    failed,
    gather,
    part,
    run,
    started,
    taken,
    text,
    thought,
    tool,
    written,
)

pytestmark = pytest.mark.usefixtures("compiled")

CUT = ANN[:-1]
ESCAPED = f"\\u{ord(BEN[0]):04x}{BEN[1:]}"
ENDS = {
    "another's canary": (PART, "one ", BEN),
    "another's beside one's own": (PART, "one ", f"{ANN} {BEN}"),
    "a canary that was cut": (PART, "one ", f"{CUT} "),
    "another's in a field that nobody knows": (CALL, '"run_id"', f'"news":"{BEN}","run_id"'),
    "another's in a key": (CALL, '"run_id"', f'"{BEN}":1,"run_id"'),
    "another's in the acceptance": (ACCEPTED, '"run_id"', f'"news":"{BEN}","run_id"'),
    "another's that was cut, at the very end": (COMPLETED, "0" * 64, BEN[:11]),
    "a canary in escapes": (PART, "one ", ESCAPED),
    "a canary in escapes in a field that nobody knows": (CALL, '"run_id"', f'"news":"{ESCAPED}","run_id"'),
    "a letter in escapes": (PART, "one ", "\\u0041"),
    "half a character": (PART, "one ", "\\ud800"),
    "the other half": (PART, "one ", "\\udc00"),
    "halves the wrong way round": (PART, "one ", "\\ude00\\ud83d"),
    "the other half twice": (PART, "one ", "\\udc00\\udc00"),
    "half a character and a letter": (PART, "one ", "\\ud83d\\u4e2d"),
    "three digits of an escape": (PART, "one ", "\\u4e2"),
    "no digit in an escape": (PART, "one ", "\\u4e2g"),
    "an escape that is none": (PART, "one ", "\\x41"),
    "a control character": (PART, "one ", "\x1f"),
    "no UTF-8 in a text": (PART, "one ", "\udcff"),
    "no UTF-8 in a name": (CALL, '"c1"', '"\udcff"'),
    "no UTF-8 in a context": (STARTED, '"n1"', '"\udcff"'),
    "an escape in a name": (CALL, '"guide"', '"gu\\u4e2d"'),
    "an escape in a key": (CALL, '"run_id"', '"\\n":1,"run_id"'),
    "an escape in a key of the payload": (CALL, '"tool_call_id"', '"\\n":1,"tool_call_id"'),
    "an escape in a call": (CALL, '"c1"', '"c\\n"'),
    "an escape in a status": (ENDED, '"timeout"', '"timeou\\u0074"'),
    "a key twice": (CALL, '"run_id"', '"seq":4,"run_id"'),
    "a key of the payload twice": (CALL, '"tool_call_id"', '"tool_call_id":"c1","tool_call_id"'),
    "another type": (CALL, "tool_executing", "tool_dancing"),
    "no type": (CALL, '"type"', '"tope"'),
    "no run": (CALL, '"run_id"', '"run"'),
    "no thread": (CALL, '"thread_id"', '"thread"'),
    "no user": (CALL, '"user_id"', '"user"'),
    "no agent": (CALL, '"agent_name"', '"agent"'),
    "no seq": (CALL, '"seq"', '"sequence"'),
    "no offset": (CALL, '"offset"', '"place"'),
    "no time": (CALL, '"emitted_ns"', '"emitted"'),
    "no payload": (CALL, '"payload"', '"load"'),
    "no call": (CALL, '"tool_call_id"', '"id"'),
    "no status": (ENDED, '"status"', '"state"'),
    "no source": (FIRST, '"source"', '"origin"'),
    "no request": (STARTED, '"request_id"', '"id"'),
    "no context": (STARTED, '"context"', '"text"'),
    "no answer": (COMPLETED, '"answer_sha256"', '"sha256"'),
    "no index": (PART, '"index"', '"place"'),
    "no delta": (PART, '"delta"', '"text"'),
    "a payload that is a list": (CALL, '{"tool_call_id":"c1"}', "[1]"),
    "a run without a name": (CALL, '"r1"', '""'),
    "a run that is a number": (CALL, '"r1"', "1"),
    "a call without a name": (CALL, '"c1"', '""'),
    "a clock that is null": (CALL, '"run_id"', '"clock_id":null,"run_id"'),
    "a status that is none": (ENDED, "timeout", "fine"),
    "a source that is none": (FIRST, "pipeline", "somebody"),
    "a number in a text": (CALL, '"seq":4', '"seq":"4"'),
    "a number with a point": (CALL, '"seq":4', '"seq":4.0'),
    "a number with an exponent": (CALL, '"seq":4', '"seq":4e0'),
    "a number below zero": (PART, '"index":0', '"index":-0'),
    "a leading zero": (CALL, '"seq":4', '"seq":04'),
    "a plus": (CALL, '"seq":4', '"seq":+4'),
    "seq 0": (CALL, '"seq":4', '"seq":0'),
    "offset 0": (CALL, '"offset":44', '"offset":0'),
    "true": (CALL, '"seq":4', '"seq":true'),
    "19 digits": (CALL, '"emitted_ns":1044', '"emitted_ns":' + "1" * 19),
    "step 0 of the pipeline": (FIRST, '"step_number":1', '"step_number":0'),
    "step 4 of the pipeline": (FIRST, '"step_number":1', '"step_number":4'),
    "no step of the pipeline": (FIRST, '"step_number":1', '"step_number":null'),
    "step 16": (FIRST, '"pipeline","step_number":1', '"agent","step_number":16'),
    "step -1": (FIRST, '"pipeline","step_number":1', '"agent","step_number":-1'),
    "a part out of order": (NEXT_PART, '"index":1', '"index":2'),
    "a part again": (NEXT_PART, '"index":1', '"index":0'),
    "another run": (CALL, '"r1"', '"r2"'),
    "another thread": (CALL, '"t1"', '"t2"'),
    "another user": (CALL, '"ann"', '"ben"'),
    "another agent": (CALL, '"guide"', '"guard"'),
    "another clock": (CALL, '"run_id"', '"clock_id":"boot","run_id"'),
    "a gap of seq": (CALL, '"seq":4', '"seq":5'),
    "seq again": (CALL, '"seq":4', '"seq":3'),
    "a gap of offset": (CALL, '"offset":44', '"offset":45'),
    "another request": (COMPLETED, '"q1"', '"q2"'),
    "another context": (COMPLETED, '"n1"', '"n2"'),
    "the same context in other words": (COMPLETED, '"nonce":', '"nonce": '),
    "an acceptance of another request": (ACCEPTED, '"q1"', '"q2"'),
    "an acceptance of another run": (ACCEPTED, '"r1"', '"r2"'),
    "an acceptance of another thread": (ACCEPTED, '"t1"', '"t2"'),
    "an acceptance with an escape": (ACCEPTED, '"q1"', '"\\u0071\\u0031"'),
    "an acceptance and more": (ACCEPTED, "}}", "}}}"),
    "another message than an acceptance": (ACCEPTED, "run_accepted", "run_expected"),
    "an acceptance without payload": (ACCEPTED, '"payload"', '"load"'),
    "too deep": (CALL, '"run_id"', '"deep":' + "[" * 65 + "1" + "]" * 65 + ',"run_id"'),
    "too deep in objects": (CALL, '"run_id"', '"deep":' + '{"a":' * 65 + "1" + "}" * 65 + ',"run_id"'),
    "more behind it": (CALL, "}}", "}} 1"),
    "a comma at the end": (CALL, "}}", "},}"),
    "no comma": (CALL, ',"run_id"', ' "run_id"'),
    "a semicolon for a comma": (CALL, ',"run_id"', ';"run_id"'),
    "a semicolon in a list": (CALL, '"run_id"', '"news":[1;2],"run_id"'),
    "no colon": (CALL, '"run_id":', '"run_id" '),
    "a word that is none": (CALL, '"run_id"', '"news":nul,"run_id"'),
    "a number that is none": (CALL, '"run_id"', '"news":1.,"run_id"'),
    "an exponent without digits": (CALL, '"run_id"', '"news":1e,"run_id"'),
    "a zero before a digit": (CALL, '"run_id"', '"news":-01,"run_id"'),
    "a list that is open": (CALL, '"run_id"', '"news":[1,"run_id"'),
    "no object": (CALL, '{"type"', '["type"'),
}


@pytest.mark.parametrize(("place", "old", "new"), ENDS.values(), ids=ENDS.keys())
def test_a_stretch_ends_before(place: int, old: str, new: str) -> None:
    messages = changed(place, old, new)
    assert taken(messages) == (0 if place <= STARTED else place)
    assert gather(messages, place) is None or taken(messages[place:]) > 0


def test_it_ends_before_a_ninth_call() -> None:
    calls = [tool(f"c{n}") for n in range(9)]
    assert taken(written(*calls[:8], ended("c7"), ended("c0"), calls[8])) == 10


def test_it_ends_with_its_run() -> None:
    assert taken(written(completed(), thought(1))) == 1


def test_an_error_and_what_is_no_event_are_never_taken() -> None:
    assert taken(written(thought(1), failed())) == 1
    assert taken([b'{"type":"heartbeat"}', *written(thought(1))]) == 0


def test_an_acceptance_is_taken_with_the_start_of_its_run_alone() -> None:
    assert taken([text(accepted())]) == 0
    assert taken([text(accepted()), *written(thought(1))]) == 0
    assert taken([text(accepted("")), *written(thought(1))]) == 0
    assert taken([text(accepted()), *written(completed())]) == 0
    assert taken([text(accepted()), text(accepted()), *written(started())]) == 0
    assert taken([*written(thought(1)), text(accepted()), *written(started())]) == 1


@pytest.mark.parametrize("message", [b"", b" ", b"{}", b"{", b"\xff", "no bytes", None])
def test_nothing_is_passed_over(message: object) -> None:
    assert taken([message, *written(started())]) == 0
    assert taken([*written(started()), message, *written(thought(1), first=2)]) == 1


def test_a_message_may_have_its_full_size() -> None:
    messages = run()
    greatest = max(map(len, messages))
    place = [len(message) for message in messages].index(greatest)
    assert taken(messages, greatest) == 11
    assert taken(messages, greatest - 1) == (0 if place <= STARTED else place)


@pytest.mark.parametrize("number", [b"1e999", b"9" * 5000], ids=["too great", "too long"])
def test_a_context_that_cannot_be_held_is_not_taken(number: bytes) -> None:
    messages = written(started(), thought(1))
    messages[0] = messages[0].replace(b'"n1"', number)
    assert taken(messages) == 0


def test_every_cut_of_a_message_ends_the_stretch() -> None:
    whole = written(part(0, "中 \\ud83d\\ude00 \\n"), thought(1))
    for end in range(len(whole[0])):
        assert taken([whole[0][:end], whole[1]]) == 0


def test_misuse_raises() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        gather(run(), -1)
    with pytest.raises(TypeError, match="messages: list"):
        gather(tuple(run()))
    assert gather(run(), 11) is None
    assert gather([]) is None
