"""The rule `resource`: what the server counts as open is the suite's, and returns to its baseline.

What a server says of itself is compared with what the suite has at it, plus what has left so lately
that the server may still hold it. More than that is a leak. Less is none: several processes may serve
one address, and each counts its own.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from streamgauge.core.checks.state import CheckState
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Excess, Finding


class Held(Struct, frozen=True):
    """The most that a correct server can hold of the suite's at one moment."""

    connections: int
    runs: int


class Moment(Struct, frozen=True):
    """What the server said of itself at one time of day (ns since 1970); None is what it does not say.

    `held` is None where the suite itself did not know what it had.
    """

    at_ns: int
    started_s: float = 0.0  # when its process began
    connections: int | None = None
    runs: int | None = None
    tasks: int | None = None
    rss_bytes: int | None = None
    held: Held | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts what it holds."""
        return self.connections is not None and self.runs is not None


class ServerAccount(Struct, frozen=True):
    """What the server said in one run: before its first user, during it, and `waited_ns` after its last one.

    The last moment is that at which everything had gone, or no more time was given.
    """

    linger_ns: int  # after so long nothing of a user who left may be left
    before: Moment | None = None
    during: tuple[Moment, ...] = ()
    after: Moment | None = None
    waited_ns: int = 0


_OF_USERS: Final = ("connections", "runs")
COUNTS: Final = (*_OF_USERS, "tasks")  # of which nobody knows how many a connection or a run needs


def at_rest(before: Moment, after: Moment) -> bool:
    """Whether nothing is left that was not there before."""
    return not any(_left(name, before, after) for name in COUNTS)


def judge_account(account: ServerAccount | None, epoch_ns: int) -> CheckState:
    """What the rule comes to; findings are timed by the clock that showed zero at `epoch_ns`.

    A server that does not count, or whose process changed in mid-run, cannot be judged.
    """
    state = CheckState()
    if account is None or account.before is None or not account.before.counts:
        return state
    moments = [m for m in account.during if m.counts and m.held is not None]
    after = account.after if account.after is not None and account.after.counts else None
    if any(m.started_s != account.before.started_s for m in (*moments, *([after] if after else []))):
        return state
    ended = after is not None and (
        account.waited_ns >= account.linger_ns or at_rest(account.before, after)
    )  # else nobody waited for it
    state.exercised = {Rule.RESOURCE: len(moments) + ended} if moments or ended else {}
    for problem, excess, at_ns in _problems(account, moments, after if ended else None):
        shown_ns = at_ns - epoch_ns if epoch_ns else 0
        state.add(Finding(Rule.RESOURCE, problem, user="", conn=0, at_ns=shown_ns, excess=excess))
    return state


def _problems(
    account: ServerAccount, moments: list[Moment], after: Moment | None
) -> Iterator[tuple[str, Excess, int]]:
    """At most one: a connection that is kept keeps its runs, a run its tasks; the end says most."""
    before = account.before
    assert before is not None
    for name in COUNTS:
        if after is not None and _left(name, before, after):
            counts = _count(name, after), _count(name, before)
            yield left(name), Excess(*counts, account.waited_ns, account.linger_ns), after.at_ns
            return
    for name in _OF_USERS:
        more, moment = _worst(name, before, moments)
        if more > 0:
            counted = _count(name, moment)
            yield too_many(name), Excess(counted, counted - more), moment.at_ns
            return


def _worst(name: str, before: Moment, moments: list[Moment]) -> tuple[int, Moment]:
    """By how many there were too many at most, and when."""
    beyond = [(_count(name, m) - _count(name, before) - _may(name, m), m) for m in moments]
    return max(beyond, key=lambda found: found[0], default=(0, before))


def _left(name: str, before: Moment, after: Moment) -> int:
    return max(0, _count(name, after) - _count(name, before))


def _count(name: str, moment: Moment) -> int:
    counted: int | None = getattr(moment, name)
    return counted or 0


def _may(name: str, moment: Moment) -> int:
    may: int = getattr(moment.held, name)
    return may


def left(things: str) -> str:
    """The problem of a server that kept some of what it counts."""
    return f"{things} left"


def too_many(things: str) -> str:
    """The problem of a server that has more than the suite can have at it."""
    return f"more {things} than there can be"
