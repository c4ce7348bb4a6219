"""The command itself, and how its errors end."""

import sys
import traceback

import typer

from streamgauge.cli import (
    assess,
    attack,
    calibrate,
    capacity,
    check,
    compare,
    launches,
    plan,
    proxy,
    replay,
    report,
    run,
    selftest,
    validate,
)
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.interruption import Interrupted
from streamgauge.cli.serve import serve
from streamgauge.exit_code import INTERNAL_ERROR, INTERRUPTED, USAGE

app = typer.Typer(
    name="streamgauge",
    help="Load, latency and correctness benchmarks for AI-agent event streams over WebSockets.",
    epilog="Exit codes: 0 pass, 1 fail, 2 usage or set-up error, 3 inconclusive, 4 internal error, "
    "130 interrupted before there was anything to judge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(name="run", epilog=run.EXAMPLES)(run.run)
app.command(name="validate", epilog=validate.EXAMPLES)(validate.validate_command)
app.command(name="assess", epilog=assess.EXAMPLES)(assess.assess)
app.command(name="attack", epilog=attack.EXAMPLES)(attack.attack)
app.command(name="capacity", epilog=capacity.EXAMPLES)(capacity.capacity)
app.command(name="proxy", epilog=proxy.EXAMPLES)(proxy.proxy)
app.command(name="check", epilog=check.EXAMPLES)(check.check)
app.command(name="report", epilog=report.EXAMPLES)(report.report)
app.command(name="replay", epilog=replay.EXAMPLES)(replay.replay)
app.command(name="compare", epilog=compare.EXAMPLES)(compare.compare)
app.command(
    name="launches",
    epilog=launches.EXAMPLES,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(launches.launches)
app.command(name="calibrate", epilog=calibrate.EXAMPLES)(calibrate.calibrate_command)
app.command(name="selftest", epilog=selftest.EXAMPLES)(selftest.selftest)
app.add_typer(plan.app, name="plan")
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
    except (Interrupted, KeyboardInterrupt):
        typer.echo("streamgauge: interrupted before there was anything to judge", err=True)
        sys.exit(INTERRUPTED)
    except Exception:  # noqa: BLE001 - whatever it is, it is our fault, and has an exit code of its own
        traceback.print_exc()
        typer.echo("streamgauge: this is a defect of streamgauge, not of the target", err=True)
        sys.exit(INTERNAL_ERROR)
