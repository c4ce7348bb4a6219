"""A session's events are numbered 1, 2, 3 … too; what `seq` explains is not said twice."""

from msgspec import Struct

from streamgauge.core.checks.problem import REPEAT, STEP_BACK


class Gap(Struct, frozen=True):
    """Offsets that did not come yet: a range, because a server may jump to any number."""

    offsets: range
    at_ns: int  # when their absence was noticed


class OffsetTrack(Struct):
    """The offsets of one session so far: the highest, and those below it that are missing."""

    highest: int = 0
    gaps: list[Gap] = []
    runs: dict[str, int] = {}  # the highest `seq` of each run under way

    def add(self, offset: int, at_ns: int) -> str:
        """Take the next offset; say how it departs from order ("" where it does not).

        A gap is no departure yet: what is missing may still come (reordering), and
        stays in `gaps` until it does.
        """
        if offset == self.highest + 1:
            self.highest = offset
        elif offset > self.highest:
            self.gaps.append(Gap(range(self.highest + 1, offset), at_ns))
            self.highest = offset
        else:
            return STEP_BACK if self._fill(offset) else REPEAT
        return ""

    def _fill(self, offset: int) -> bool:
        """Take an offset out of its gap; False where it is in none."""
        for place, gap in enumerate(self.gaps):
            if offset in gap.offsets:
                parts = range(gap.offsets.start, offset), range(offset + 1, gap.offsets.stop)
                self.gaps[place : place + 1] = [Gap(part, gap.at_ns) for part in parts if part]
                return True
        return False

    def unexplained(self, explained: int) -> int:
        """How many offsets never came, but for so many that a run's loss explains."""
        return max(0, sum(len(gap.offsets) for gap in self.gaps) - explained)

    def missing(self, explained: int) -> list[Gap]:
        """The offsets that never came, but for the first `explained`."""
        missing = []
        for gap in self.gaps:
            if rest := gap.offsets[explained:]:
                missing.append(Gap(rest, gap.at_ns))
            explained = max(0, explained - len(gap.offsets))
        return missing
