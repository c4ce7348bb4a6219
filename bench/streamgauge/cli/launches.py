"""`streamgauge launches`: runs of two servers to compare, each against a server launched anew.

Both of a pair run at once: whatever else the machine does then, it does to both.
Measured on two busy cores, the processor time per event of the same server differed
by 1.4 % between the launches of a pair, and by 7 to 10 % between launches one after
the other (docs/compare.md).
"""

import os
import random
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.exit_code import FAIL, INCONCLUSIVE, INTERNAL_ERROR, PASS, USAGE
from streamgauge.report.render_trend import TREND_FILE
from streamgauge.results import TREND_VARIABLE

EXAMPLES = """What follows the options below is handed to `streamgauge run`. Examples:

streamgauge launches /tmp/pairs --base "../base/bin/python -m reference_server --port 0" --duration 4s

streamgauge launches /tmp/pairs --head "streamgauge serve --port 0 --measure --slow-events 0.2" --duration 4s

streamgauge compare /tmp/pairs/base /tmp/pairs/head
"""

_MEASURED: Final = (PASS, FAIL, INCONCLUSIVE)


def launches(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where the result folders are made, in base/ and head/.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many pairs of launches.")] = 12,
    base: Annotated[
        str,
        typer.Option(help="Command that starts the one (default: the plan's, else the reference server)."),
    ] = "",
    head: Annotated[str, typer.Option(help="Command that starts the other.")] = "",
    base_target: Annotated[str, typer.Option(help="Where it listens, if it does not say so itself.")] = "",
    head_target: Annotated[str, typer.Option(help="The same of the other.")] = "",
    order_seed: Annotated[int | None, typer.Option(help="Of which of a pair is started first.")] = None,
) -> None:
    """Launch base and head side by side, pair after pair, and leave a result folder of each."""
    for side, server in (("base", base), ("head", head)):
        _require_command(f"--{side}", server)
    sides = {"base": _run(base, base_target), "head": _run(head, head_target)}
    environment = {**os.environ, TREND_VARIABLE: str(folder / TREND_FILE)}
    order = random.Random(order_seed)  # noqa: S311 - an order, no secret
    lost = 0
    for pair in range(1, n + 1):
        names = order.sample(sorted(sides), 2)
        runs = {
            name: subprocess.Popen(
                [*sides[name], "--results", str(folder / name), *context.args],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for name in names
        }
        try:
            said = {name: process.communicate()[0].strip() for name, process in runs.items()}
        except KeyboardInterrupt:  # the runs were told too, and drain
            for process in runs.values():
                process.wait()
            raise
        for name in sides:
            last = said[name].rpartition("\n")[2]
            if runs[name].returncode == USAGE:
                raise UsageProblem(f"pair {pair}, {name}: {last.removeprefix('streamgauge: ')}")
            lost += runs[name].returncode not in _MEASURED
            typer.echo(f"{pair:3} of {n}  {name}  {last}", err=True)
    typer.echo(shlex.join(["streamgauge", "compare", *(str(folder / name) for name in sides)]))
    if lost:
        raise typer.Exit(INTERNAL_ERROR)


def _require_command(option: str, server: str) -> None:
    """Raise `UsageProblem` where a server's command cannot be started, before the other one is."""
    try:
        words = shlex.split(server)
    except ValueError as error:
        raise UsageProblem(f"{option} {server}: no command ({error})") from error
    if words and shutil.which(words[0]) is None:
        raise UsageProblem(f"{option} {words[0]}: cannot be started (no such command)")


def _run(server: str, target: str) -> list[str]:
    """The command of a run against a new server."""
    command = [sys.executable, "-m", "streamgauge", "run"]
    command += ["--server", server] if server else []
    return command + (["--target", target] if target else [])
