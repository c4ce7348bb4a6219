"""`streamgauge plan`: write a plan to begin with, and check one."""

from pathlib import Path
from typing import Annotated

import typer

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem, why_unread
from streamgauge.plan import PlanError, digest, load_plan

app = typer.Typer(
    help="Write and check test plans (docs/plans.md).",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Example: streamgauge plan init > plan.toml; streamgauge plan check plan.toml",
)


@app.command()
def init(
    scenario: Annotated[str, typer.Option(help="Whose plan to begin with.")] = "steady",
) -> None:
    """Print a plan with every key explained, to be edited.

    Example: streamgauge plan init --scenario burst > plan.toml
    """
    own = scenarios.find(scenario).with_suffix(".toml").read_text(encoding="utf-8")
    keys = (Path(__file__).parent / "plan_keys.toml").read_text(encoding="utf-8")
    typer.echo(f"{own}\n{keys}", nl=False)


@app.command()
def check(plan: Annotated[Path, typer.Argument(help="The plan (TOML).")]) -> None:
    """Say whether a plan can be run, or which key is wrong and why.

    Example: streamgauge plan check plan.toml
    """
    try:
        read = load_plan(plan.read_text(encoding="utf-8"), str(plan))
    except PlanError as error:
        raise UsageProblem(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{plan}: cannot be read ({why_unread(error)})") from error
    locustfile = scenarios.find(read.scenario, f"{plan}: scenario:", plan.parent, planned=True)
    scenarios.require_effect(read, locustfile, str(plan))
    against = read.target or (
        "the server of its command" if read.command else "a reference server of its own"
    )
    typer.echo(
        f"{plan}: {read.name}, {read.users:,} users for {read.duration:g} s against {against} "
        f"(plan {digest(read)})"
    )
