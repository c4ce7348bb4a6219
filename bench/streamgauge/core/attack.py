"""The attack list: what is done to a server, what it is to answer, and whether it did.

An answer is one or two words, so that a plan can state others:

`http 401`         refused before the upgrade
`accepted`         let in
`close 1009`       closed with this code
`cut`              the connection ended without a close
`error not_found`  refused what was asked, and went on
`own`              took the attacker's own identity, whatever was claimed
`correct`          did what was asked, as of anybody
`kept`             went on as before, in good health
`held back`        took no more while nothing was read, and went on

A stated answer of fewer words holds for all that begin with it: `error` for every code.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from streamgauge.core.finding import Outcome

ANSWER: Final = re.compile(
    r"(http|close)( \d{3,4})?|error( [\w-]+)?|accepted|cut|own|correct|kept|held back|resume_failed"
)
_SAID: Final = "; "


class Group(StrEnum):
    """What an attack aims at."""

    TOKENS = "tokens"
    ORIGIN = "origin"
    IDENTITY = "identity"
    BYTES = "bytes"
    PATIENCE = "patience"


class Attack(Struct, frozen=True):
    """One attack: what is sent, in words, and the answers that the native protocol states."""

    name: str
    group: Group
    sent: str
    answers: tuple[str, ...]


def _attacks(group: Group, *rows: tuple[str, str, tuple[str, ...]]) -> tuple[Attack, ...]:
    return tuple(Attack(name, group, sent, answers) for name, sent, answers in rows)


_UNAUTHORIZED: Final = ("http 401",)
_PROTOCOL_ERROR: Final = ("close 1002",)
_NO_TEXT: Final = ("close 1007",)
_NOT_FOUND: Final = ("error not_found",)

ATTACKS: Final = (
    *_attacks(
        Group.TOKENS,
        ("no token", "a handshake without a token", _UNAUTHORIZED),
        ("malformed token", "a token that is no JWT", _UNAUTHORIZED),
        ("alg none", "an unsigned token, alg none", _UNAUTHORIZED),
        ("RS/HS confusion", "alg RS256, signed by the key that its header brings", _UNAUTHORIZED),
        ("key id a path", "kid ../../../../dev/null, signed with an empty key", _UNAUTHORIZED),
        ("wrong key", "a token signed with another key", _UNAUTHORIZED),
        ("expired token", "a good signature, exp an hour ago", _UNAUTHORIZED),
        ("token not yet valid", "a good signature, nbf in an hour", _UNAUTHORIZED),
        ("wrong audience", "a good signature, aud of another service", _UNAUTHORIZED),
        ("token expires", "a token that ends within seconds, in mid-connection", ("close 4401",)),
    ),
    *_attacks(
        Group.ORIGIN,
        ("wrong origin", "Origin: https://attacker.example", ("http 403",)),
        ("no origin", "no Origin, as of who is no browser", ("accepted",)),
    ),
    *_attacks(
        Group.IDENTITY,
        ("claimed user", "a request that says it is the bystander's", ("own",)),
        ("chosen ids", "a request by the ids that a bystander chose for its live run", ("own",)),
        ("foreign run cancelled", "the cancel of a bystander's live run, and of none", _NOT_FOUND),
        ("foreign run spoken into", "a word into a bystander's live run, and into none", _NOT_FOUND),
        ("neighbouring run ids", "the cancel of ids just beside a live run's", _NOT_FOUND),
        ("foreign thread followed", "the wish to follow a bystander's thread, and none's", _NOT_FOUND),
        (
            "foreign session resumed",
            "the wish to resume a bystander's session, and none's",
            ("resume_failed",),
        ),
        ("expired session resumed", "the wish to resume a session after its window", ("resume_failed",)),
        ("session resumed twice", "two wishes to resume one session, at once", ("resume_failed",)),
    ),
    *_attacks(
        Group.BYTES,
        ("too large", "one byte more than the largest message", ("close 1009",)),
        ("deep nesting", "arrays in arrays, as many as fit into a message", ("error", "close 1007")),
        ("NaN", "a number that JSON does not have", _NO_TEXT),
        ("invalid UTF-8", "a text that is no UTF-8", _NO_TEXT),
        ("binary", "a binary message", ("close 1003",)),
        ("unmasked", "a frame without a mask", _PROTOCOL_ERROR),
        ("reserved bits", "a frame with RSV1, not negotiated", _PROTOCOL_ERROR),
        ("many fragments", "one request in 5,000 fragments", ("correct", "close 1009")),
        ("control-frame flood", "20,000 pings at once", ("close 1008", "kept")),
        ("compressed bomb", "64 MiB that deflate to 64 KiB", ("close 1009",)),
    ),
    *_attacks(
        Group.PATIENCE,
        ("slow handshake", "a handshake at one byte a second", ("cut", "http")),
        ("says nothing", "a connection, and no handshake", ("cut", "http")),
        (
            "never reads",
            "requests by the hundred, and no read",
            ("close 4413", "close 4408", "cut", "held back"),
        ),
        ("too many connections", "connections of one user until one is refused", ("http 429",)),
    ),
)

BY_NAME: Final[Mapping[str, Attack]] = {attack.name: attack for attack in ATTACKS}


class Leaked(Struct, frozen=True):
    """The first message that brought another's canary to the attacker: whose, to whom, and which it was."""

    other: str  # whose canary it is; "" where it is no bystander's
    user: str  # on whose socket it arrived
    token: str
    kind: str
    at_ns: int
    size: int  # bytes
    run: str = ""
    seq: int = 0
    offset: int = 0


class Try(Struct, frozen=True):
    """What came of carrying out an attack once; `said` is what else the server answered, redacted.

    `harm` is what no stated answer excuses: others' data, an id that was told apart.
    """

    answer: str
    said: str = ""
    harm: str = ""


class Seen(Struct, frozen=True):
    """All that came of one attack; without tries `why` says why it could not be carried out.

    `applies` is false where the server does not offer what is attacked. `leak` is what came of
    others meanwhile by any line of the attack, whatever it was answered.
    """

    tries: tuple[Try, ...] = ()
    why: str = ""
    applies: bool = True
    leak: Leaked | None = None


class Attacked(Struct, frozen=True):
    """An attack as it is reported; without an outcome it was not exercised, and does not count."""

    name: str
    group: Group
    sent: str
    stated: tuple[str, ...]
    answer: str
    outcome: Outcome | None
    said: str = ""
    at_ns: int = 0
    leak: Leaked | None = None


def judge(attack: Attack, stated: tuple[str, ...], seen: Seen, at_ns: int = 0) -> Attacked:
    """Hold what was seen against what is stated: every try must get a stated answer, and do no harm."""

    def attacked(outcome: Outcome | None, answer: str, said: str, leak: Leaked | None = None) -> Attacked:
        return Attacked(attack.name, attack.group, attack.sent, stated, answer, outcome, said, at_ns, leak)

    if not stated:
        return attacked(None, "", "the plan states that it does not apply")
    if leak := seen.leak:
        return attacked(Outcome.FAIL, seen.tries[-1].answer if seen.tries else "", _brought(leak), leak)
    if not seen.applies:
        return attacked(None, "", seen.why)
    if not seen.tries:
        return attacked(Outcome.UNKNOWN, "", seen.why or "it was not carried out")
    wrong = [each for each in seen.tries if each.harm or not is_stated(each.answer, stated)]
    shown = (wrong or seen.tries)[0]
    said = _SAID.join(filter(None, (shown.harm, shown.said)))
    return attacked(Outcome.FAIL if wrong else Outcome.PASS, shown.answer, said)


def _brought(leak: Leaked) -> str:
    whose = f"{leak.other}'s" if leak.other else "no bystander's"
    where = f"in {leak.kind} ({leak.size:,} bytes) on the socket of {leak.user}"
    return f"another user's canary arrived, {whose}, {where}"


def is_stated(answer: str, stated: tuple[str, ...]) -> bool:
    """Whether an answer is one of those that are stated."""
    return any(answer == one or answer.startswith(f"{one} ") for one in stated)
