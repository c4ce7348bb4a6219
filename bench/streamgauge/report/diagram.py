"""Draws the legal life of a run from the contract's table, as Mermaid."""

from streamgauge.core.contract import LEGAL, State


def contract_diagram() -> str:
    """The table `LEGAL` as a state diagram; docs/contract.md holds it."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.NEW.value}"]
    lines += [
        f"    {state.value} --> {following.value}: {symbol.value}"
        for (state, symbol), following in LEGAL.items()
    ]
    lines.append(f"    {State.ENDED.value} --> [*]")
    return "\n".join(lines) + "\n"
