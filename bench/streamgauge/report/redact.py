"""What must never reach a report: canaries, tokens, passwords; and texts without end.

Everything a server says may turn up in a finding, so that every string of a
report goes through here, whatever it is supposed to hold.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from streamgauge.core.canary import PREFIX

REDACTED: Final = "[redacted]"
_DIGEST: Final = 4  # bytes: enough to see that two leaks are of one canary

_CANARY: Final = re.compile(re.escape(PREFIX.decode()) + "[A-Za-z0-9]*", re.IGNORECASE)
# A server may send what makes a careless pattern run for hours: both texts and repeats are bounded.
_AHEAD: Final = 4_096  # characters looked at beyond those that are kept
_NAMES: Final = r"(?:token|secret|passw(?:or)?d|api[_-]?key|authorization|cookie)[\w-]{0,40}"
# what is redacted stays as it is, or a quote about it would be eaten when it is redacted again
_DONE: Final = r"(?!(?:\[redacted\]|…)['\"]*(?:\s|$))"
_QUOTED: Final = r"\"[^\"]*\"|'[^']*'"
_SECRETS: Final = (
    re.compile(r"()\beyJ[\w-]{4,}(?:\.[\w-]*){1,4}"),  # a JWT: "eyJ" is base64 of '{"'
    re.compile(r"()\bjwt\.[\w-]{8,}"),  # one as a subprotocol
    re.compile(r"(\bbearer +)[\w.~+/=-]+", re.IGNORECASE),
    re.compile(r"(\bbasic +)[\w+/=-]{12,}", re.IGNORECASE),
    re.compile(r"(\w://)[^/\s@]+(?=@)"),  # user and password of a URL
    re.compile(r"()\bsk-(?:(?:ant|live|proj|test)-[\w-]{6,}|[\w-]{16,})"),  # of model providers
    re.compile(r"()\b[prs]k_(?:live|test)_\w{6,}"),  # of payments
    re.compile(r"()\bA[KS]IA[0-9A-Z]{16}\b"),  # of a cloud
    re.compile(r"()\b(?:gh[oprsu]_|github_pat_|glpat-)[\w-]{16,}"),  # of forges
    re.compile(r"()\bxox[abeprs]-[\w-]{8,}"),  # of chats
    re.compile(rf"(--[\w-]{{0,40}}{_NAMES}[ =]+){_DONE}(?:{_QUOTED}|\S+)", re.IGNORECASE),
    re.compile(rf"({_NAMES}=){_DONE}(?:{_QUOTED}|[^\s&#;,]+)", re.IGNORECASE),
    re.compile(r"(Invalid enum value )'.*'", re.DOTALL),  # msgspec quotes what the server sent
)
_SECRET_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_OF_A_TOKEN: Final = ("token_type", "token_use")  # names of claims whose values say what it is for
# of a query, where a word more is rather a secret than not
_SECRET_QUERY: Final = re.compile(
    r"token|secret|passw|pwd|jwt|auth|key|credential|cookie|session|sig(?:nature)?$"
    r"|(?:^|[_-])(?:access|otp|pin|sid)(?:$|[_-])",
    re.IGNORECASE,
)
_KEY_SHAPED: Final = re.compile(
    r"(?=.*\d)(?=.*[A-Za-z])[\w+/=-]{32,}"
)  # and no name of a thing, as a UUID is
_UUID: Final = re.compile(r"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}", re.IGNORECASE)
_SPOKEN: Final = ("prompts", "text")  # keys of a plan whose values are said to an agent, or by it


def digest(token: str) -> str:
    """A short digest that stands for a canary; "" for none."""
    return blake2b(token.encode(errors="replace"), digest_size=_DIGEST).hexdigest() if token else ""


def redacted(text: str, limit: int) -> str:
    """The text without secrets, at most about `limit` characters of it; says how many it lacks."""
    left_out = max(0, len(text) - limit - _AHEAD)
    text = text[: limit + _AHEAD]
    text = text.encode(errors="replace").decode()  # a lone surrogate cannot be written down
    text = _CANARY.sub(lambda found: f"[canary {digest(found[0])}]", text)
    for secret in _SECRETS:
        text = secret.sub(rf"\1{REDACTED}", text)
    left_out += max(0, len(text) - limit)
    return f"{text[:limit]}… (+{left_out:,} characters)" if left_out else text


def redacted_tree(tree: object, limit: int, *, by_name: bool = False) -> object:
    """The same data with every string in it redacted, keys too; `by_name`: also what is called a secret."""
    match tree:
        case str():
            return redacted(tree, limit)
        case dict():
            return {
                redacted(str(name), limit): REDACTED
                if by_name and isinstance(value, str) and value and names_a_secret(str(name))
                else redacted_tree(value, limit, by_name=by_name)
                for name, value in tree.items()
            }
        case list() | tuple():
            return [redacted_tree(item, limit, by_name=by_name) for item in tree]
        case _:
            return tree


def names_a_secret(name: str) -> bool:
    """Whether what goes by that name, a flag or a key, is a secret."""
    return name not in _OF_A_TOKEN and _SECRET_NAME.search(name) is not None


def secret_of_address(address: str) -> str:
    """What of an address looks like a secret, in words that do not repeat it; "" for nothing."""
    url = urlsplit(address)
    if "@" in url.netloc:
        return "a user or password"
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if _SECRET_QUERY.search(name):
            return f"{redacted(name, 40)!r} in its query"
        if redacted(value, _AHEAD) != value or (_KEY_SHAPED.fullmatch(value) and not _UUID.fullmatch(value)):
            return "a token in its query"
    return "a token" if redacted(address, _AHEAD) != address else ""


def without_speech(plan: object) -> object:
    """The same plan with a length and a digest for every text that is said in a run."""
    match plan:
        case Mapping():
            return {
                name: _described(value) if name in _SPOKEN else without_speech(value)
                for name, value in plan.items()
            }
        case list() | tuple():
            return [without_speech(item) for item in plan]
        case _:
            return plan


def _described(spoken: object) -> object:
    if isinstance(spoken, list | tuple):
        return [_described(one) for one in spoken]
    return f"{len(spoken):,} characters, {digest(spoken)}" if isinstance(spoken, str) else spoken
