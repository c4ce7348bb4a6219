"""What Locust's command line says of a run, and the plan that comes of it."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner
from msgspec.structs import replace

from streamgauge.plan import Plan, PlanError, at_another_server, load_plan, make_plan

SECRET_VARIABLE: Final = "STREAMGAUGE_SECRET"  # noqa: S105 - the name of a variable


def add_options(parser: LocustArgumentParser) -> None:
    """Locust's own options give users, ramp, duration and host; the plan gives the rest."""
    group = parser.add_argument_group("streamgauge")
    group.add_argument("--plan", dest="sg_plan", default="", help="A plan (TOML) instead of the defaults")
    group.add_argument("--out", dest="sg_out", default="", help="Result folder (default: a new one)")
    group.add_argument("--lasts", dest="sg_lasts", type=float, help="--run-time in seconds, or parts of such")
    group.add_argument("--cast", dest="sg_cast", default="", help="Users of an earlier run (JSON)")
    group.add_argument("--crowd", dest="sg_crowd", default="u", help="What the users' names begin with")
    group.add_argument(
        "--verdict-only",
        dest="sg_verdict_only",
        action="store_true",
        help="No statistics of Locust's own",
    )


def planned(environment: Environment, defaults: Plan) -> Plan:
    """The plan of a run: the file, or the defaults with Locust's options over them; raises `PlanError`."""
    plan = _chosen(environment, defaults)
    if not plan.target:
        raise PlanError("target: there is none; give --host ws://HOST:PORT/PATH")
    # whether this process, or one that it forks, needs what users need
    users_are_here = not isinstance(environment.runner, MasterRunner) or options_of(environment).processes
    if plan.login.signs and users_are_here and not os.environ.get(SECRET_VARIABLE):
        raise PlanError(f"no secret: set {SECRET_VARIABLE} to the target's own")
    return plan


def _chosen(environment: Environment, defaults: Plan) -> Plan:
    options, users = options_of(environment), runner_of(environment).target_user_count
    if options.sg_plan:
        path = Path(options.sg_plan)
        plan = load_plan(path.read_text(encoding="utf-8"), str(path))
        return replace(plan, target=environment.host or plan.target)
    changes: dict[str, Any] = {"target": environment.host or defaults.target}
    if users:
        changes["users"] = users
    if options.spawn_rate:
        changes["spawn_rate"] = options.spawn_rate
    # without an end of its own a run lasts until somebody stops it, however slowly users arrive
    ramp_s = changes.get("users", defaults.users) / changes.get("spawn_rate", defaults.spawn_rate)
    changes["duration"] = options.run_time or max(defaults.duration, ramp_s)
    given = at_another_server(defaults) if changes["target"] else defaults
    return make_plan(msgspec.to_builtins(given) | changes)


def runner_of(environment: Environment) -> Any:
    """Locust's runner, which is there from `init` on."""
    assert environment.runner is not None
    return environment.runner


def options_of(environment: Environment) -> Any:
    """The command line, which is there wherever a Locust file is run."""
    assert environment.parsed_options is not None
    return environment.parsed_options
