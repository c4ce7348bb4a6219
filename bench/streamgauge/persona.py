"""Who the users are: the part `personas` of a plan."""

import random
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from streamgauge.bounds import Bytes, Count, Positive, Share
from streamgauge.distribution import Time
from streamgauge.script import Step

_ROUNDING: Final = 1e-9

PROMPTS = ("Where does the money go this month?", "Summarise the open incidents.")


class Persona(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One kind of user; shares are of its runs, times are seconds."""

    name: str = "user"
    weight: Positive = 1
    agent: str = "scripted"
    prompts: Annotated[tuple[str, ...], Meta(min_length=1)] = PROMPTS
    script: tuple[Step, ...] = ()  # what the scripted agent does; empty: its default (needs --measure)
    runs_per_thread: Count = 1  # then a new thread is begun
    think: Time | None = None  # closed loop: so long after a run's end the next begins; none: open loop
    tabs: Annotated[int, Meta(ge=1, le=8)] = 1  # sockets of one user; its runs go round
    cancel_share: Share = 0  # cancelled within four round trips
    speak_share: Share = 0  # spoken into while the agent works
    leave_share: Share = 0  # whose user leaves in mid-run and comes back
    optional_script: bool = False  # for a reference server of the run's own; left out where there is a target
    cut_bytes: Bytes = 0  # a socket is reset after so many received bytes in the mean; 0: never
    reader: Literal["prompt", "stalled", "dead"] = "prompt"  # stalled: reads no answer; dead: is not there

    def __post_init__(self) -> None:
        if (shares := self.cancel_share + self.speak_share + self.leave_share) > 1 + _ROUNDING:
            raise ValueError(f"cancel_share, speak_share and leave_share are {shares:g} together; at most 1")

        alone = [bool(shares), bool(self.cut_bytes), self.reader != "prompt"]
        if sum(alone) > 1 or (self.reader != "prompt" and (self.tabs > 1 or self.think is not None)):
            raise ValueError(
                "who is cut (cut_bytes) or does not read (reader) does nothing else: leave out "
                "cancel_share, speak_share and leave_share, and tabs and think of one who does not read"
            )

    @property
    def asks_at_once(self) -> bool:
        """Whether it asks again as soon as a run has ended, and does nothing else."""
        return self.think == 0 and not self.cancel_share + self.speak_share + self.leave_share


def at_target(persona: Persona) -> Persona:
    """The persona where the server may be anybody's: its agents do what they do by themselves."""
    return replace(persona, script=(), optional_script=False) if persona.optional_script else persona


def choose(personas: Sequence[Persona], rng: random.Random) -> Persona:
    """Who a new user is, by weight."""
    return rng.choices(personas, [persona.weight for persona in personas])[0]
