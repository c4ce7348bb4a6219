"""A table of plain cells, which each renderer lays out in its own way."""

from typing import NamedTuple

Row = tuple[str, ...]


class Table(NamedTuple):
    """A head and its rows; the columns in `right` hold numbers."""

    head: Row
    rows: tuple[Row, ...]
    right: tuple[int, ...] = ()
