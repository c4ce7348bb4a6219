"""`streamgauge report`: a result folder, rendered again."""

from pathlib import Path
from typing import Annotated

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.report.files import render_files
from streamgauge.report.render_json import ReportError, read_json
from streamgauge.report.render_text import render_text
from streamgauge.study.compare import REPORT

EXAMPLES = """Example:

streamgauge report results/20261122-081500-steady-3f2a1c9
"""


def report(folder: Annotated[Path, typer.Argument(help="A result folder, or its report.json.")]) -> None:
    """Render report.json of a result folder again, as this version renders it, and print it."""
    if folder.name == REPORT:
        folder = folder.parent
    source = folder / REPORT
    try:
        read = read_json(source.read_bytes())
    except OSError as error:
        raise UsageProblem(f"{source}: cannot be read ({error.strerror}); is it a result folder?") from error
    except ReportError as error:
        raise UsageProblem(f"{source}: {error}") from error
    for name, content in render_files(read).items():
        (folder / name).write_bytes(content)
    typer.echo(render_text(read, path=str(folder / "report.md")), nl=False)
    raise typer.Exit(OF_OUTCOME[read.outcome])
