"""What a protocol must offer so that its streams can be driven and judged."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from streamgauge.core.contract import Rule
from streamgauge.core.event import Event
from streamgauge.core.observation import Stretch

_DIGEST_BYTES: Final = 8  # to tell contexts apart, not to resist anybody
_canonical: Final = msgspec.json.Encoder(order="deterministic").encode


class Unreadable(ValueError):
    """A message is not what the protocol allows; the text says why, without quoting it."""


class Request(Struct, frozen=True):
    """What a user asks an agent to do; `options` are the protocol's own."""

    text: str
    request: str
    thread: str
    agent: str
    context: dict[str, str]
    options: Mapping[str, object] = {}


class Echo(Struct, frozen=True):
    """What a run must repeat of its request, besides its id; "" where the protocol repeats it nowhere."""

    thread: str = ""
    agent: str = ""
    context: str = ""  # digest


Read = tuple[int, int, int, bool]
"""How messages were read together: the connection, when in ns, the kernel's stamp (0: none), and whether
that is exact for the last of them. A bare tuple, because one is made for every read."""


class Place(NamedTuple):
    """Where an event stands: `part` is what its protocol keeps in order, as a run or a text.

    `missed` tells that the events of that part which come after it show whether it is absent.
    """

    part: str = ""
    missed: bool = False


class Reader(Protocol):
    """Reads the messages of one connection; it may remember what came before."""

    def expect(self, request: Request, echo: Echo) -> None:
        """The user asked: what is read from now on may answer that request, and repeat its echo."""

    def read(self, message: bytes) -> tuple[Event, bytes]:
        """The event, and text that was joined from earlier messages and is yet to be scanned.

        Raises `Unreadable`.
        """

    def gather(
        self, messages: Sequence[object], start: int, canary: bytes, max_bytes: int, read: Read
    ) -> Stretch | None:
        """As many messages from `messages[start]` on as are plain events of one run; None: none is.

        It says what `read` would have said of each, and none of them holds another's canary or
        more than `max_bytes`. It may always be None.
        """


class Dialect(Protocol):
    """One protocol: how to speak and to read."""

    @property
    def name(self) -> str:
        """The name that plans and recordings use."""

    @property
    def promises(self) -> frozenset[Rule]:
        """The rules that a server of this protocol promises to keep."""

    @property
    def greets(self) -> bool:
        """Whether the server speaks first; where not, a connection is open when its handshake is done."""

    @property
    def accepts(self) -> bool:
        """Whether a request is accepted, by its id, before its run's first event."""

    @property
    def scripts(self) -> bool:
        """Whether its servers can be told by a request's options what the agent is to do, and do that."""

    @property
    def digests(self) -> bool:
        """Whether a run that completes says the digest of its whole answer."""

    def reader(self) -> Reader:
        """A reader for a new connection."""

    def start(self, request: Request) -> bytes:
        """The message that starts a run."""

    def echo(self, request: Request) -> Echo:
        """What comes back of a request."""

    def place(self, message: bytes, event: Event) -> Place:
        """Where the event stands that this message was read as."""

    def cancel(self, run: str) -> bytes | None:
        """The message that cancels a run; None where the protocol has none."""

    def say(self, run: str, text: str) -> bytes | None:
        """The message by which the user speaks while the agent works; None where the protocol has none."""

    def ping(self, client_ns: int) -> bytes | None:
        """The message whose answer tells the server's time and `client_ns`; None where there is none."""


def context_digest(context: Any) -> str:
    """A short digest of a context, whatever the order of its keys."""
    return hashlib.blake2b(_canonical(context), digest_size=_DIGEST_BYTES).hexdigest()
