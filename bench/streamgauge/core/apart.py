"""By what an answer about another's can be told from the answers about nobody's."""

import re
from typing import Final

import msgspec
from msgspec import Struct

_ROOT: Final = ""
_ALL: Final = "all of it"
_FORM: Final = "its form alone, of the same values"
_PLAIN: Final = re.compile(r"[\w-]+")
_MOST_BYTES: Final = 8_192  # of an answer that is taken apart: a larger one is no word of refusal

_Leaf = tuple[type, str]  # of a value; text without the id


class Answer(Struct, frozen=True):
    """What was answered, and the id that was asked for; None where nothing was."""

    id: str
    message: bytes | None


def told_apart(foreign: Answer, before: Answer, after: Answer) -> tuple[str, ...]:
    """By what an answer differs from two about nobody by more than those from each other; nothing: by none.

    Told by JSON paths ("payload.code"), never by values; an answer that is no JSON is one value.
    The two about nobody were asked for before and after the foreign one: what counts or keeps time
    then differs between them too, as often as it would for another's.
    """
    seen, one, other = _leaves(foreign), _leaves(before), _leaves(after)
    if seen.keys() not in (one.keys(), other.keys()):
        nearest = min(one, other, key=lambda each: len(each.keys() ^ seen.keys()))
        strange = nearest.keys() ^ seen.keys()
        return (_ALL,) if _ROOT in strange else tuple(sorted(strange))
    strange_values = tuple(
        path or _ALL
        for path, leaf in seen.items()
        if not _is_usual(leaf, [each[path] for each in (one, other) if path in each])
    )
    if not strange_values and _bare(before) == _bare(after) != _bare(foreign):
        return (_FORM,)
    return strange_values


def _is_usual(leaf: _Leaf, usual: list[_Leaf]) -> bool:
    """Whether it is what nobody's are; where those differ, any of the same type is."""
    if len(usual) > 1 and len({*usual}) == 1:
        return leaf == usual[0]
    return leaf[0] in {kind for kind, _ in usual}


def _leaves(answer: Answer) -> dict[str, _Leaf]:
    """Every value that holds no others, by its path."""
    if answer.message is None:
        return {_ROOT: (type(None), "")}
    whole: dict[str, _Leaf] = {_ROOT: (bytes, repr(_bare(answer)))}
    if len(answer.message) > _MOST_BYTES:
        return whole
    try:
        left = [(_ROOT, msgspec.json.decode(answer.message))]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return whole
    leaves = {}
    while left:
        path, value = left.pop()
        if value and isinstance(value, dict):
            left += reversed([(_member(path, key, answer.id), one) for key, one in value.items()])
        elif value and isinstance(value, list):
            left += reversed([(f"{path}[{place}]", one) for place, one in enumerate(value)])
        else:
            text = value.replace(answer.id, "*") if isinstance(value, str) else repr(value)
            leaves[path] = (int if isinstance(value, float) else type(value), text)
    return leaves


def _member(path: str, key: str, name: str) -> str:
    key = key.replace(name, "*")
    if not _PLAIN.fullmatch(key):
        return f"{path}[{msgspec.json.encode(key).decode()}]"
    return f"{path}.{key}" if path else key


def _bare(answer: Answer) -> bytes:
    return (answer.message or b"").replace(answer.id.encode(), b"*")
