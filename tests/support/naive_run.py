"""What the naive checker has to say of one run's events, of which none is missing, each in its place."""

from collections.abc import Collection, Iterator, Sequence

from streamgauge.core.event import Event, Kind
from streamgauge.core.observation import Asked, Makes

ENDS = (Kind.COMPLETED, Kind.FAILED)


def in_order(events: Sequence[Event], *, digests: bool) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """What is wrong with the order of a run of which every event is there, once; and which numbers are."""
    ends = [place for place, event in enumerate(events) if event.kind in ENDS]
    life = events[: ends[0] + 1] if ends else events
    if len(life) < len(events):
        yield "terminal-last", "after the end", ()
    starts = [place for place, event in enumerate(life) if event.kind == Kind.STARTED]
    only_an_error = life[0].kind == Kind.FAILED
    if 0 not in starts and not only_an_error:
        yield "started-first", "no start", ()
    elif starts[1:]:
        yield "started-first", "started again", ()
    if thinks_wrongly(life, began=0 in starts):
        yield "thinking-present", "", ()
    if wrong := wrong_tools(life):
        yield "tool-pairing", ", ".join(sorted(wrong)), ()
    for problem, numbers in wrong_parts(life, digests=digests):
        yield "partial-integrity", problem, numbers


def thinks_wrongly(life: Sequence[Event], *, began: bool) -> bool:
    def step(event: Event) -> int:
        return event.step if event.kind == Kind.THINKING and event.pipeline else 0

    rest = [event for event in life if event.kind != Kind.STARTED]
    steps = [step(event) for event in rest]
    work = [place for place, event in enumerate(rest) if event.kind not in ENDS and not steps[place]]
    done = [place for place, event in enumerate(rest) if event.kind == Kind.COMPLETED]
    known = 0  # so many steps need not be there
    if not began and rest:  # the missing start is the finding, and hides what should have come before this
        known = 3 if done == [0] else steps[0] - 1 if steps[0] else 2
    for number in (1, 2, 3):
        places = [place for place in range(len(rest)) if steps[place] == number]
        if len(places) + (number <= known) > 1:
            return True
        first = -1 if number <= known else places[0] if places else len(rest)
        if number == 1:
            must_follow = [place for place in range(len(rest)) if steps[place] > 1] + work + done
        elif number == 2:
            must_follow = [place for place in range(len(rest)) if steps[place] > 2] + work + done
        else:
            must_follow = done
        if any(place < first for place in must_follow):
            return True
        if number == 3 and any(place > first for place in work):
            return True
    return False


def wrong_tools(life: Sequence[Event]) -> set[str]:
    wrong = set()

    def running(call: str, place: int) -> bool:
        before = [
            event.kind
            for event in life[:place]
            if event.kind in (Kind.TOOL_EXECUTING, Kind.TOOL_COMPLETED) and event.call == call
        ]
        return bool(before) and before[-1] == Kind.TOOL_EXECUTING

    for place, event in enumerate(life):
        if event.kind == Kind.TOOL_EXECUTING and running(event.call, place):
            wrong.add("tool begun twice")
        if event.kind == Kind.TOOL_COMPLETED and not running(event.call, place):
            wrong.add("tool completed that was not running")
        if event.kind in ENDS and not event.cut:
            calls = {other.call for other in life if other.kind == Kind.TOOL_EXECUTING}
            if any(running(call, place) for call in calls):
                wrong.add("tool never completed")
    return wrong


def wrong_parts(life: Sequence[Event], *, digests: bool) -> list[tuple[str, tuple[int, ...]]]:
    parts = [event.index for event in life if event.kind == Kind.PARTIAL]
    if not parts:
        return []
    for due, index in enumerate(parts):
        if index != due:
            return [("wrong index", (index, due))]
    if digests and [event.answer for event in life if event.kind == Kind.COMPLETED] == [""]:
        return [("no digest of the answer", ())]
    joined = [event.joined for event in life if event.joined]
    if life[-1].kind == Kind.COMPLETED and life[-1].answer and [life[-1].answer] != joined[-1:]:
        return [("deltas do not join to the answer", ())]
    return []


def unlike_its_script(
    events: Sequence[Event], makes: Makes | None, told: Collection[str]
) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Of what a completed run has other numbers than its script makes, where no rule `told` says why."""
    ends = [place for place, event in enumerate(events) if event.kind in ENDS]
    if makes is None or not ends or events[ends[0]].kind != Kind.COMPLETED or "started-first" in told:
        return
    life = events[: ends[0]]
    thoughts = sum(1 for event in life if event.kind == Kind.THINKING and not event.pipeline)
    tools = sum(1 for event in life if event.kind == Kind.TOOL_EXECUTING)
    parts = sum(1 for event in life if event.kind == Kind.PARTIAL)
    for rule, what, came, due in (
        ("thinking-present", "thoughts", thoughts, makes.thoughts),
        ("tool-pairing", "tools", tools, makes.tools),
        ("partial-integrity", "parts", parts, makes.parts),
    ):
        if came != due and rule not in told:
            yield rule, f"not the {what} of the script", (came, due)


def wrong_echoes(asked: Asked, thread: str, events: Sequence[Event]) -> list[str]:
    for event in events:
        opens = event.kind in (Kind.STARTED, *ENDS)
        if thread and event.thread != thread:
            return ["another thread"]
        if asked.agent and event.agent != asked.agent:
            return ["another agent"]
        if opens and event.request != asked.request:
            return ["another request"]
        if opens and asked.context and event.context != asked.context:
            return ["another context"]
    return []
