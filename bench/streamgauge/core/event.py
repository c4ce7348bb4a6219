"""What a server said, in the words of no protocol in particular."""

from enum import IntEnum

from msgspec import Struct


class Kind(IntEnum):
    """What a message is; those up to FAILED are the events of a run."""

    WORK = 0  # what only its protocol has a word for
    STARTED = 1
    THINKING = 2
    TOOL_EXECUTING = 3
    TOOL_COMPLETED = 4
    PARTIAL = 5
    COMPLETED = 6
    FAILED = 7

    GREETING = 8  # the connection is established, and whose it is
    ACCEPTED = 9  # a request became a run
    REFUSED = 10  # a request, or anything else the client said, was refused
    ACK = 11
    HEARTBEAT = 12
    PONG = 13
    REPORT = 14  # the server's own account of a run, under measuring controls
    OTHER = 15  # a type this protocol does not know: readers ignore it


LAST_RUN_EVENT = Kind.FAILED
TERMINAL = frozenset({Kind.COMPLETED, Kind.FAILED})


class Account(Struct, frozen=True, array_like=True, gc=False):
    """What the server says that one run cost; times in ns by its own clock."""

    execution_ns: int
    emission_ns: int  # of that in handing events over
    events: int  # that were made


class Event(Struct, frozen=True, array_like=True, gc=False):
    """One message of the server; a field that the message lacks keeps its default.

    `kind` is a `Kind` (kept as an int: an enum look-up per event costs more
    than the rest of the record). Texts never come this far: `context`, `joined`
    and `answer` are digests.
    """

    kind: int
    user: str = ""
    run: str = ""  # never empty on an event of a run, nor where one is accepted
    thread: str = ""
    agent: str = ""
    request: str = ""
    seq: int = 0  # 1, 2, 3 … in a run; 0 where the protocol has none
    offset: int = 0  # 1, 2, 3 … in a session; 0 where the message carries none
    emitted_ns: int = 0  # by the server's clock `clock`
    clock: str = ""
    pipeline: bool = False  # of a thought: the pipeline's own, not the agent's
    step: int = 0  # of a thought; 0 where it has no number
    call: str = ""  # the tool call
    status: str = ""  # of a tool's end, or the type of an error
    index: int = -1  # of a partial result
    size: int = 0  # of a partial result's text, bytes
    context: str = ""  # digest of the echoed context
    answer: str = ""  # digest that the server promises for the whole answer
    joined: str = ""  # digest of the deltas that arrived, joined by index
    cut: bool = False  # of an error: it cut the run off, and may leave tool calls open
    breach: str = ""  # how it breaks its protocol's own order, though it can be read
    account: Account | None = None  # of a report
