"""The command itself, and how its errors end."""

import sys

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.run import run
from streamgauge.cli.serve import serve
from streamgauge.core.exit_code import INTERNAL_ERROR, USAGE

app = typer.Typer(
    name="streamgauge",
    help="Load, latency and correctness benchmarks for AI-agent event streams over WebSockets.",
    epilog="Exit codes: 0 pass, 1 fail, 2 usage or set-up error, 3 inconclusive, 4 internal error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(name="run")(run)
app.command(
    name="serve",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(serve)


def main() -> None:
    """Run the command; what the user can mend ends in one line and 2, what is our fault in 4."""
    try:
        app()
    except UsageProblem as problem:
        print(f"streamgauge: {problem}", file=sys.stderr)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(USAGE)
    except Exception:
        import traceback

        traceback.print_exc()
        print("streamgauge: this is a defect of streamgauge, not of the target", file=sys.stderr)
        sys.exit(INTERNAL_ERROR)
