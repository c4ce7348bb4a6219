"""The command itself, and how its errors end."""

import sys
import traceback

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.run import EXAMPLES, run
from streamgauge.cli.serve import serve
from streamgauge.exit_code import INTERNAL_ERROR, USAGE

app = typer.Typer(
    name="streamgauge",
    help="Load, latency and correctness benchmarks for AI-agent event streams over WebSockets.",
    epilog="Exit codes: 0 pass, 1 fail, 2 usage or set-up error, 3 inconclusive, 4 internal error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(name="run", epilog=EXAMPLES)(run)
app.command(
    name="serve",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(serve)


def main() -> None:
    """Run the command; what the user can mend ends in one line and 2, what is our fault in 4."""
    try:
        app()
    except UsageProblem as problem:
        typer.echo(f"streamgauge: {problem}", err=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(USAGE)
    except Exception:  # noqa: BLE001 - whatever it is, it is our fault, and has an exit code of its own
        traceback.print_exc()
        typer.echo("streamgauge: this is a defect of streamgauge, not of the target", err=True)
        sys.exit(INTERNAL_ERROR)
