"""Walks a run through the contract's table."""

from collections.abc import Sequence

from streamgauge.core.checks.problem import Problem
from streamgauge.core.contract import BREACHES, LEGAL, Rule, State, symbol
from streamgauge.core.event import Event


def lifecycle(events: Sequence[Event]) -> list[Problem]:
    """What breaks `started-first`, `thinking-present` or `terminal-last`: one problem a rule."""
    state = State.NEW
    broken: dict[Rule, tuple[list[str], list[int]]] = {}
    for place, event in enumerate(events):
        step = (state, symbol(event))
        following = LEGAL.get(step)
        if following is None:
            rule, text, following = BREACHES[step]
            texts, places = broken.setdefault(rule, ([], []))
            places.append(place)
            if text not in texts:
                texts.append(text)
        state = following
    return [Problem(rule, ", ".join(texts), tuple(places)) for rule, (texts, places) in broken.items()]
