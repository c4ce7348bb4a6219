"""Elements of a page, safe by construction: a string that is not `Markup` is escaped.

What `tag` makes reads the same as HTML and as XML.
"""

from collections.abc import Iterable
from html import escape
from typing import Final

from streamgauge.report import wording

_VOID: Final = frozenset({"meta", "br"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: object) -> Markup:
    """One element; `_` in an attribute's name stands for `-`, and None or "" for no attribute."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value != ""
    )
    if name in _VOID:
        return Markup(f"<{name}{named}/>")
    return Markup(f"<{name}{named}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Markup:
    """One after the other."""
    return Markup("".join(child if isinstance(child, Markup) else escaped(child) for child in children))


def escaped(text: str) -> Markup:
    """The text as it stands, harmless in an element and in an attribute."""
    return Markup(escape(wording.visible(text)))
