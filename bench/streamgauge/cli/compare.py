"""`streamgauge compare`: whether head is worse than base."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.study.compare import Incomparable, load, study
from streamgauge.study.render_compare import render_text

EXAMPLES = """Examples:

streamgauge launches /tmp/pairs --head "../head/.venv/bin/python -m reference_server --port 0" --duration 4s

streamgauge compare /tmp/pairs/base /tmp/pairs/head

streamgauge compare --base results/one --base results/two --head results/three --head results/four --json
"""

Folders = list[Path] | None


def compare(
    folders: Annotated[
        Folders, typer.Argument(metavar="[BASE HEAD]", help="A result folder, or a folder of such, a side.")
    ] = None,
    *,
    base: Annotated[Folders, typer.Option(help="The same, repeatable.", show_default=False)] = None,
    head: Annotated[Folders, typer.Option(help="The same, repeatable.", show_default=False)] = None,
    gate: Annotated[
        list[str] | None, typer.Option(help="Only this metric decides; repeatable.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say of each metric how much worse head is than base, and how sure that is."""
    bases, heads = _sides(folders or [], base or [], head or [])
    try:
        found = study(load(bases), load(heads), gate or ())
    except Incomparable as error:
        raise UsageProblem(str(error)) from error
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        typer.echo(render_text(found), nl=False)
    raise typer.Exit(OF_OUTCOME[found.outcome])


def _sides(folders: list[Path], base: list[Path], head: list[Path]) -> tuple[list[Path], list[Path]]:
    if len(folders) == 2 and not base and not head:
        return folders[:1], folders[1:]
    if base and head and not folders:
        return base, head
    raise UsageProblem("give BASE and HEAD, or --base and --head, each at least once")
