"""What stands in a run of AG-UI: every event inside it, held against what came before."""

from typing import Final, NamedTuple, get_args

from streamgauge.core.event import Kind
from streamgauge.protocol import ag_ui_messages as m
from streamgauge.protocol.ag_ui_parts import Group, Judged, Move, Part, Parts, Standing

MOVES: Final[dict[type, tuple[Group, Move]]] = {
    m.TextMessageStart: (Group.MESSAGE, Move.BEGIN),
    m.TextMessageContent: (Group.MESSAGE, Move.GO_ON),
    m.TextMessageEnd: (Group.MESSAGE, Move.END),
    m.ToolCallStart: (Group.TOOL, Move.BEGIN),
    m.ToolCallArgs: (Group.TOOL, Move.GO_ON),
    m.ToolCallEnd: (Group.TOOL, Move.END),
    m.ReasoningStart: (Group.REASONING, Move.BEGIN),
    m.ReasoningEnd: (Group.REASONING, Move.END),
    m.ReasoningMessageStart: (Group.THOUGHT, Move.BEGIN),
    m.ReasoningMessageContent: (Group.THOUGHT, Move.GO_ON),
    m.ReasoningMessageEnd: (Group.THOUGHT, Move.END),
    m.StepStarted: (Group.STEP, Move.BEGIN),
    m.StepFinished: (Group.STEP, Move.END),
    m.SubagentStarted: (Group.SUBAGENT, Move.BEGIN),
    m.SubagentFinished: (Group.SUBAGENT, Move.END),
    m.SubagentError: (Group.SUBAGENT, Move.END),
}
_THINKING: Final = (
    *(m.ReasoningStart, m.ReasoningEnd, m.ReasoningMessageStart, m.ReasoningMessageContent),
    *(m.ReasoningMessageEnd, m.ReasoningMessageChunk, *get_args(m.OldThinking)),
)
KINDS: Final[dict[type, Kind]] = {
    m.TextMessageContent: Kind.PARTIAL,
    m.TextMessageChunk: Kind.PARTIAL,
    m.ToolCallStart: Kind.TOOL_EXECUTING,
    m.ToolCallEnd: Kind.TOOL_COMPLETED,  # of its arguments: how long the tool itself takes is not told
    **dict.fromkeys(_THINKING, Kind.THINKING),
}
# A chunk stands for beginning, middle and end: a call that is made of chunks is no pair.
_CHUNKS: Final[dict[type, Group]] = {
    m.TextMessageChunk: Group.MESSAGE,
    m.ToolCallChunk: Group.TOOL,
    m.ReasoningMessageChunk: Group.THOUGHT,
}
_DELTAS: Final = (m.TextMessageContent, m.ToolCallArgs, m.ReasoningMessageContent, m.Chunk)


class Taken(NamedTuple):
    """What an event comes to."""

    kind: Kind
    call: str = ""
    size: int = 0  # of an answer's delta, bytes
    breach: str = ""
    text: bytes = b""  # that ended with it, to be scanned


class Run:
    """A run as its stream has it so far; `told` is what the stream calls it."""

    def __init__(self, name: str, thread: str) -> None:
        self.name = self.told = name
        self.thread = thread
        self.begun = False  # its RUN_STARTED was seen
        self.ended: Kind | None = None
        self.parts = Parts()
        self._chunk: Part | None = None  # what a chunk without an id continues
        self._chunks: set[Part] = set()

    def take(self, said: m.Said) -> Taken:
        """An event while the run is open."""
        kind = KINDS.get(type(said), Kind.WORK)
        delta = (said.delta or "") if isinstance(said, _DELTAS) else ""
        size = len(delta.encode()) if kind is Kind.PARTIAL else 0
        if kind is Kind.PARTIAL and not size:
            kind = Kind.WORK  # an empty delta only keeps the stream alive
        if isinstance(said, m.AnyChunk):
            return Taken(kind, "", size, self._take_chunk(said, delta))
        part = part_of(said)
        if part is None or type(said) not in MOVES or not isinstance(said, m.PartEvent):
            return Taken(kind)
        move = MOVES[type(said)][1]
        self._chunk = None
        judged = self.parts.take(part, move)
        if delta:
            self.parts.add(part, delta)
        text = self.parts.text(part) if move is Move.END else b""
        breach = "" if self.parts.agrees(part, said.owner, move) else _of(said, "another subagent's part")
        if part.group is Group.TOOL and move is not Move.GO_ON:  # the contract judges the pair
            if judged is Judged.MASKED and self.parts.standing(part) is Standing.CLOSED:
                return Taken(Kind.WORK, "", 0, breach, text)
            return Taken(kind, part.name, 0, breach, text)
        if judged is Judged.BROKEN:
            state = "is not open" if move is not Move.BEGIN else "was there before"
            breach = _of(said, f"{part.group.value} that {state}")
        return Taken(kind, "", size, breach, text)

    def _take_chunk(self, said: m.AnyChunk, delta: str) -> str:
        group, before = _CHUNKS[type(said)], self._chunk
        name = said.part if said.part is not None else before.name if before and before.group is group else ""
        part = self._chunk = Part(group, name)
        self.parts.add(part, delta)
        if part in self._chunks:
            return ""
        self._chunks.add(part)
        if not name:
            return _of(said, f"{group.value} without an id")
        if isinstance(said, m.ToolCallChunk) and said.name is None:
            return _of(said, "a tool call without a name")
        return _of(said, f"{group.value} that is open") if self.parts.is_unclosed(part) else ""

    @property
    def unclosed(self) -> str:
        """What RUN_FINISHED leaves open here, in words; of tool calls the contract speaks."""
        groups = [group.value for group in self.parts.unclosed() if group is not Group.TOOL]
        return " and ".join(groups)


def part_of(said: m.Said) -> Part | None:
    """The part that an event belongs to."""
    if isinstance(said, m.ToolCallResult):
        return Part(Group.TOOL, said.part)
    if not isinstance(said, m.PartEvent) or type(said) not in MOVES:
        return None
    group = MOVES[type(said)][0]
    return Part(group, said.part, (said.owner or "") if group is Group.STEP else "")


def stands(said: m.Said) -> tuple[str, bool]:
    """The part of an event, "" where it has none, and whether that cannot go on without it."""
    part = part_of(said)
    if part is None or type(said) not in MOVES or part.group in (Group.STEP, Group.SUBAGENT):
        return "", False  # those two may be of one name again and again
    return f"{part.group.value} {part.name}", MOVES[type(said)][1] is Move.BEGIN


def _of(said: m.Said, what: str) -> str:
    return f"{m.name_of(said)} of {what}"
