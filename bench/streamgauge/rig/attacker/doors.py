"""Attacks at the door: tokens and origins."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from streamgauge.core.attack import Seen, Try
from streamgauge.rig.attacker.scene import ATTACKER, Carry, Scene

_LIFETIME_S: Final = 2.0  # of a token that ends in mid-connection; `exp` is in whole seconds
_TOO_MANY: Final = "http 429"  # who is refused for this was not looked at
_AT_ONCE_S: Final = 0.2
_ORIGIN: Final = {"Origin": "https://attacker.example"}
_NO_TOKENS: Final = Seen(why="nobody logs in by a token", applies=False)
_FORGED: Final = (
    "no token",
    "malformed token",
    "alg none",
    "RS/HS confusion",
    "key id a path",
    "wrong key",
    "expired token",
    "token not yet valid",
    "wrong audience",
)


async def _knock(scene: Scene, token: str | None, more: Mapping[str, str]) -> Seen:
    line = await scene.open(token, more=more)
    answer = line.answer
    if answer == _TOO_MANY:
        line.drop()
        return Seen(why=f"not let in: {answer}, whatever it brought")
    if line.answer == "accepted" and (ended := await line.end(_AT_ONCE_S)) != "kept":
        answer = ended  # it was let in and closed at once, which is a refusal too
    await line.leave()
    return Seen((Try(answer),))


async def _with_token(scene: Scene, name: str) -> Seen:
    if not scene.door.login.signs:
        return _NO_TOKENS
    return await _knock(scene, scene.forged[name], {})


async def _expiring(scene: Scene) -> Seen:
    """Connect with a token that is about to end."""
    if not scene.door.login.signs:
        return _NO_TOKENS
    user = f"{ATTACKER}-expiring"
    line = await scene.open(scene.door.token(user, _LIFETIME_S), user)
    if line.answer == _TOO_MANY:
        line.drop()
        return Seen(why=f"not let in: {line.answer}, before the token ended")
    answer = line.answer
    if answer == "accepted":
        answer = await line.end(_LIFETIME_S + scene.plan.attack.patience)
    await line.leave()
    return Seen((Try(answer),))


async def _from(scene: Scene, origin: Mapping[str, str]) -> Seen:
    return await _knock(scene, scene.door.token(ATTACKER), origin)


CARRIED: Final[Mapping[str, Carry]] = {
    **{name: partial(_with_token, name=name) for name in _FORGED},
    "token expires": _expiring,
    "wrong origin": partial(_from, origin=_ORIGIN),
    "no origin": partial(_from, origin={}),
}
