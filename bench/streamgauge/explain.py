"""What may be written where a plan is wrong: the known keys, or the known values.

msgspec says which place is wrong; from the types of a plan follows what it takes.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec import ValidationError, inspect

_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_FIELD: Final = re.compile(r"Object (?:contains unknown|missing required) field `(\w+)`")


def explained(error: ValidationError, values: object, plan: type) -> str:
    """The error as `key: what is wrong; known are …`, of `values` that are no `plan`."""
    what, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    if known := ", ".join(_known(what, _place(inspect.type_info(plan), values, path), path)):
        what = f"{what}; known are {known}"
    key = path.lstrip(".")
    return f"{key}: {what}" if key else what


def _known(what: str, place: tuple[inspect.Type, ...], path: str) -> Iterable[str]:
    """What there is at the place, where the error is of a kind that asks for it."""
    structs = [one for one in place if isinstance(one, inspect.StructType)]
    if field := _FIELD.match(what):
        tags = [str(one.tag) for one in structs if one.tag_field == field[1]]
        return tags or [name.encode_name for one in structs for name in one.fields]
    if not what.startswith("Invalid "):
        return ()
    if structs and path.endswith(f".{structs[0].tag_field}"):
        return [str(one.tag) for one in structs]
    for one in place:
        if isinstance(one, inspect.EnumType):
            return [str(member.value) for member in one.cls]
        if isinstance(one, inspect.LiteralType):
            return map(str, one.values)
    return ()


def _place(root: inspect.Type, values: object, path: str) -> tuple[inspect.Type, ...]:
    """The types that may stand at `path`; of a tag's place those that are told apart by it."""
    place: tuple[inspect.Type, ...] = (root,)
    for name, index in _STEP.findall(path):
        if name:
            structs = [one for one in _chosen(place, values) if isinstance(one, inspect.StructType)]
            fields = [field for one in structs for field in one.fields if field.encode_name == name]
            if not fields:
                return tuple(one for one in structs if one.tag_field == name)
            place = _alternatives(fields[0].type)
            values = values.get(name) if isinstance(values, dict) else None
        else:
            items = [one.item_type for one in place if isinstance(one, inspect.VarTupleType)]
            if not items:
                return ()
            place = _alternatives(items[0])
            values = values[int(index)] if isinstance(values, list | tuple) else None
    return _chosen(place, values)


def _alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(kind, inspect.Metadata):
        return _alternatives(kind.type)
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _chosen(place: tuple[inspect.Type, ...], values: object) -> tuple[inspect.Type, ...]:
    """The one that the tag in `values` names; all where it names none."""
    if not isinstance(values, dict):
        return place
    named = tuple(
        one
        for one in place
        if isinstance(one, inspect.StructType) and one.tag_field and values.get(one.tag_field) == one.tag
    )
    return named or place
