"""A session's events are numbered 1, 2, 3 … too; what `seq` explains is not said twice."""

from msgspec import Struct


class OffsetTrack(Struct):
    """The offsets of one session so far: the highest, and those below it that are missing."""

    highest: int = 0
    missing: dict[int, int] = {}  # offset -> when its absence was noticed

    def add(self, offset: int, at_ns: int) -> str:
        """Take the next offset; say how it departs from order ("" where it does not).

        A gap is no departure yet: what is missing may still come (reordering), and
        stays in `missing` until it does.
        """
        if offset == self.highest + 1:
            self.highest = offset
        elif offset > self.highest:
            self.missing.update(dict.fromkeys(range(self.highest + 1, offset), at_ns))
            self.highest = offset
        elif self.missing.pop(offset, None) is None:
            return "repeat"
        else:
            return "step back"
        return ""
