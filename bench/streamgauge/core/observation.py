"""What one client saw and did, and when: the rows of a recording.

Times are nanoseconds of the recording process's monotonic clock; `conn` numbers
the sockets that this process opened, from 1. Within one process the rows stand
in the order of their `at_ns`, which is what makes a fold over them repeatable.
"""

from msgspec import Struct

from streamgauge.core.event import Event


class Row(Struct, frozen=True, array_like=True, gc=False, tag_field="row"):
    """The columns that every observation begins with."""

    conn: int
    at_ns: int


class Makes(Struct, frozen=True, array_like=True, gc=False):
    """How much of what a run brings that a script makes, where it completes."""

    thoughts: int = 0  # of the agent
    tools: int = 0  # calls
    parts: int = 0  # partial results


class Opened(Row, frozen=True, array_like=True, gc=False, tag=1):
    """The server greeted a new connection of `user`; `began_ns` is when it was dialled."""

    user: str
    canary: str
    began_ns: int


class Asked(Row, frozen=True, array_like=True, gc=False, tag=2):
    """The user sent a request that was due at `due_ns` and must be settled by `deadline_ns`."""

    request: str
    thread: str
    agent: str
    context: str  # digest
    due_ns: int
    deadline_ns: int
    pause_ns: int = 0  # the longest pause that the script itself makes
    fails: bool = False  # the script ends in an error on purpose
    silent: bool = False  # no event is to come of it: it ends in a report
    makes: Makes | None = None  # what its script makes; None: it was sent without, or is not to complete


class Cancelled(Row, frozen=True, array_like=True, gc=False, tag=3):
    """The user asked the server to cancel `run`."""

    run: str


class Unsent(Row, frozen=True, array_like=True, gc=False, tag=4):
    """A request that was due at `due_ns` and was not sent, because `why`."""

    due_ns: int
    why: str


class Received(Row, frozen=True, array_like=True, gc=False, tag=5):
    """A message arrived.

    `kernel_ns` is when the kernel had its last byte (0: no stamp), already on the
    monotonic clock; it is exact for the last message of a read only, an upper
    bound for those before it. `foreign` lists the canaries of others that were
    found in the raw bytes or in the joined deltas.
    """

    kernel_ns: int
    exact: bool
    size: int
    event: Event
    foreign: str = ""


class Stretch(Row, frozen=True, array_like=True, gc=False, tag=10):
    """Plain events of one run, read together: what as many `Received` rows would say, in columns.

    `seq` and `offset` are the first event's, and go up by one with each. `forms` holds a byte
    an event (`core.stretch`); `sizes` and `emitted` hold 4 and 8 bytes an event, of the machine's
    own integers. `index` is that of its first part, and `parts` the sizes of their texts, 4 bytes
    each. `request` and `context` stand on its start and end, `answer` and `joined` on its end.
    `accepted` is the size of the message by which the run was accepted, where it came just before.
    `exact` holds for the last event alone.
    """

    kernel_ns: int
    exact: bool
    user: str
    run: str
    thread: str
    agent: str
    clock: str
    seq: int
    offset: int
    forms: bytes
    sizes: bytes
    emitted: bytes
    calls: tuple[str, ...] = ()  # in the order in which they first appear
    request: str = ""
    context: str = ""
    answer: str = ""
    joined: str = ""
    index: int = -1
    accepted: int = 0
    parts: bytes = b""


class Malformed(Row, frozen=True, array_like=True, gc=False, tag=6):
    """A message arrived that is no message of the protocol, because `why`."""

    size: int
    why: str
    foreign: str = ""


class Closed(Row, frozen=True, array_like=True, gc=False, tag=7):
    """The connection ended; `ours` where this user left it on purpose."""

    code: int
    ours: bool


class Spoken(Row, frozen=True, array_like=True, gc=False, tag=11):
    """The user spoke while the agent worked on `run`, which may answer that."""

    run: str


class Gauged(Row, frozen=True, array_like=True, gc=False, tag=8):
    """The processor time that the server had used by now was read (-1: it does not say).

    What comes until the next such row is a slice: `runs` runs of arm `arm` in
    block `block`, asked for on any connection; without an arm it is none.
    """

    cpu_ns: int
    arm: str = ""
    block: int = 0
    runs: int = 0


class Clocked(Row, frozen=True, array_like=True, gc=False, tag=9):
    """A ping was answered: the server's clock `clock` minus ours, true to `bound_ns` either way."""

    clock: str
    offset_ns: int
    bound_ns: int


class Overheard(Row, frozen=True, array_like=True, gc=False, tag=12):
    """Canaries of others, `foreign`, were found in `size` bytes that are no message: `where` names them.

    A control frame ("ping", "pong", "close"), an "unfinished message" or a "refused frame". There is
    no such row of bytes that hold none.
    """

    size: int
    where: str
    foreign: str


Arrival = Received | Stretch | Malformed | Overheard
"""What a read of a connection may bring."""

Observation = (
    Opened
    | Asked
    | Cancelled
    | Spoken
    | Unsent
    | Received
    | Stretch
    | Malformed
    | Closed
    | Gauged
    | Clocked
    | Overheard
)


def arrival_ns(received: Received | Stretch) -> int:
    """When the message reached this machine: the kernel's stamp, else the read."""
    return received.kernel_ns or received.at_ns
