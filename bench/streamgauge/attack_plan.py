"""What a plan says of attacks: the part `attack` of a plan."""

from typing import Annotated

from msgspec import Meta, Struct

from streamgauge.bounds import Positive
from streamgauge.core.attack import ANSWER, BY_NAME


class AttackPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom one may attack, and what the target answers where it is not what the native protocol states."""

    allow: tuple[str, ...] = ()  # hosts that may be attacked, each by its exact name, this machine too
    bystanders: Annotated[int, Meta(ge=1, le=100)] = 3  # users whose streams run meanwhile
    pairs: Annotated[int, Meta(ge=0, le=100_000)] = 300  # of answers whose times are compared
    patience: Positive = 15  # within which the server ends what goes on too long, in seconds
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 64  # of one user, of which one must be refused
    answers: dict[str, tuple[str, ...]] = {}  # of an attack, by its name; none: it does not apply

    def __post_init__(self) -> None:
        for name, answers in self.answers.items():
            if name not in BY_NAME:
                raise ValueError(f"answers: there is no attack {name[:40]!r}; known are {', '.join(BY_NAME)}")
            for answer in answers:
                if ANSWER.fullmatch(answer) is None:
                    raise ValueError(
                        f"answers: {name}: {answer[:40]!r} is no answer: docs/attack.md says which there are"
                    )

    def stated(self, name: str) -> tuple[str, ...]:
        """The answers that are stated for an attack."""
        return self.answers.get(name, BY_NAME[name].answers)
