import pytest

from streamgauge.core.apart import Answer, told_apart


def apart(foreign: bytes | None, before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    return told_apart(Answer("r-1", foreign), Answer("r-2", before), Answer("r-3", after))


def refusal(code: str = "no", more: str = "") -> bytes:
    return f'{{"type":"error","payload":{{"code":"{code}"{more}}}}}'.encode()


def traced(more: str) -> bytes:
    return refusal(more=f',"trace":{more}')


def test_answers_that_differ_in_their_ids_alone_are_the_same() -> None:
    assert not apart(b"no run r-1", b"no run r-2", b"no run r-3")
    assert not apart(refusal("r-1"), refusal("r-2"), refusal("r-3"))
    assert not apart(refusal(more=',"r-1":1'), refusal(more=',"r-2":1'), refusal(more=',"r-3":1'))


@pytest.mark.parametrize(
    ("foreign", "before", "after"),
    [
        ('"b"', '"a"', '"c"'),  # a trace id, or the time of day
        ("2", "1", "3.5"),
        ("2", "2", "3"),  # a clock that ticks between two
        ("[1]", "[0]", "[2]"),
    ],
)
def test_what_differs_between_two_of_nobody_is_noise(foreign: str, before: str, after: str) -> None:
    assert not apart(traced(foreign), traced(before), traced(after))


def test_what_only_one_of_nobody_has_is_noise_too() -> None:
    assert not apart(traced("1"), refusal(), traced("2"))
    assert not apart(refusal(), traced("1"), refusal())
    assert apart(traced("1"), refusal(), refusal()) == ("payload.trace",)
    assert apart(refusal(), traced("1"), traced("2")) == ("payload.trace",)


def test_what_differs_beyond_noise_is_named_by_its_path() -> None:
    assert apart(refusal("yours"), refusal(), refusal()) == ("payload.code",)
    noisy = (refusal("yours", ',"trace":1'), traced("2"), traced("3"))
    assert apart(*noisy) == ("payload.code",)
    assert apart(traced("[1,2,{}]"), traced("[1,3,{}]"), traced("[1,3,{}]")) == ("payload.trace[1]",)
    assert apart(traced("[1,2]"), traced("[1]"), traced("[1]")) == ("payload.trace[1]",)
    assert apart(traced("[]"), traced("{}"), traced("{}")) == ("payload.trace",)
    assert apart(traced("true"), traced("1"), traced("1")) == ("payload.trace",)


def test_noise_of_another_type_is_none() -> None:
    assert apart(traced("null"), traced("1"), traced("2")) == ("payload.trace",)


def test_what_a_server_calls_a_member_stands_quoted_where_it_is_no_word() -> None:
    odd = tuple(refusal(more=f',"a b\\n.c":{value}') for value in "122")
    assert apart(*odd) == ('payload["a b\\n.c"]',)


def test_what_is_no_json_is_compared_as_a_whole() -> None:
    assert apart(b"no such run", b"no run r-2", b"no run r-3") == ("all of it",)
    assert not apart(b"at 1", b"at 2", b"at 3")
    assert apart(b"no", refusal(), refusal()) == ("all of it",)
    assert apart(None, refusal(), refusal()) == ("all of it",)
    assert apart(b"", None, None) == ("all of it",)
    assert not apart(None, None, None)
    deep = b"[" * 3_000
    assert not apart(deep, deep, deep)
    assert apart(b"1" * 9_000, b"2" * 9_000, b"2" * 9_000) == ("all of it",)


def test_the_same_values_in_another_form_tell_apart() -> None:
    form = "its form alone, of the same values"
    assert apart(refusal() + b" ", refusal(), refusal()) == (form,)
    assert apart(b'{"b":1,"a":1}', b'{"a":1,"b":1}', b'{"a":1,"b":1}') == (form,)
