"""One run from its plan to its exit code: a target or a server of its own, a folder, Locust."""

import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import typer
from msgspec import Struct
from msgspec.structs import replace

from streamgauge.cli import scenarios
from streamgauge.cli.attacker import OWN_SERVER, attacker_beside
from streamgauge.cli.control import control_beside
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.generator import Overdue, run_locust
from streamgauge.cli.interruption import Interrupted, Interruptions, interruptible
from streamgauge.cli.limits import require_files
from streamgauge.cli.server import started_server
from streamgauge.cli.target import require_allowed, require_attackable
from streamgauge.exit_code import FAIL, INCONCLUSIVE, INTERNAL_ERROR, INTERRUPTED
from streamgauge.plan import ATTACK, PLAN_FILE, Plan, PlanError, dump_plan
from streamgauge.protocol import PROTOCOLS
from streamgauge.protocol.login import mint_token
from streamgauge.results import new_folder
from streamgauge.rig.probe import ProbeError, probe
from streamgauge.sources import sources_of


class Measured(Struct, frozen=True):
    """A run that ended: how, and where its results lie."""

    code: int
    folder: Path
    interrupted: bool = False  # by the user, and concluded all the same


def measure(
    locustfile: Path,
    plan: Plan,
    results: Path,
    secret: str | None,
    processes: int,
    *,
    quiet: bool = False,
    cast: Path | None = None,
    server_flags: Sequence[str] = (),
) -> Measured:
    """Run the plan, `quiet` without printing its report; with a `cast` (JSON) by users of an earlier run.

    A reference server of its own is given `server_flags` besides the plan's. Raises `UsageProblem` or
    `Interrupted`, and then leaves no folder behind.
    """
    require_possible(plan, secret, processes)
    try:
        folder = new_folder(results, plan.name)
        # as it was planned: a server of our own will listen elsewhere when the plan is repeated
        (folder / PLAN_FILE).write_text(
            dump_plan(scenarios.seen_from(folder, plan, locustfile)), encoding="utf-8"
        )
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    try:
        with interruptible() as interruptions:
            drive = partial(
                run_locust,
                locustfile,
                processes=processes,
                interruptions=interruptions,
                quiet=quiet,
                cast=cast,
            )
            generate = partial(_generate, drive, interruptions)
            if plan.target and not plan.command:
                code = generate(plan, folder, secret or "")
            else:
                code = _with_a_server(generate, plan, folder, secret, server_flags)
            return Measured(code, folder, interruptions.any)
    except (UsageProblem, Interrupted):
        shutil.rmtree(folder)  # nothing was measured
        raise


def require_possible(plan: Plan, secret: str | None, processes: int) -> None:
    """Raise `UsageProblem` where the plan cannot be run from here."""
    require_files(plan.sockets, processes)
    try:
        sources_of(plan)
    except PlanError as error:
        raise UsageProblem(str(error)) from error
    if plan.slice_runs and processes > 1:
        raise UsageProblem("--processes: the users of slices act together, in one process: leave it out")
    if plan.target and plan.name == ATTACK:
        require_attackable(plan.target, plan.attack.allow)
    if plan.target:
        require_allowed(plan.target, plan.allow_target)
        if plan.login.signs and not secret:
            raise UsageProblem(
                "no secret: give --secret or set STREAMGAUGE_SECRET; the target's own is needed"
            )


def _with_a_server(
    generate: Callable[..., int], plan: Plan, folder: Path, secret: str | None, flags: Sequence[str]
) -> int:
    """Run the plan against the server that its command starts, else against the reference server."""
    secret = secret if plan.target and secret else secrets.token_urlsafe(32)
    log = folder / "server.log"
    more = OWN_SERVER if plan.name == ATTACK else ()
    with started_server(secret, plan, log, [*more, *flags]) as (address, server):
        try:
            plan = replace(plan, target=address)
        except PlanError as error:
            raise UsageProblem(str(error)) from error
        code = generate(plan, folder, secret, controlled=True)
        if (died := server.poll()) is not None:
            typer.echo(f"the server ended in mid-run (exit code {died}): see {log}", err=True)
    return code


def _generate(
    drive: Callable[[Plan, Path, str], int],
    interruptions: Interruptions,
    plan: Plan,
    folder: Path,
    secret: str,
    *,
    controlled: bool = False,
) -> int:
    """Probe the target, then have Locust run the plan that lies in `folder`.

    `controlled`: it is known to be under measuring controls where the plan needs them.
    """
    token = mint_token("probe", secret, time.time(), plan.login)
    try:
        probe(
            *(plan.target, PROTOCOLS[plan.protocol], token, plan.connect_timeout, plan.ca_file),
            login=plan.login,
            scripted=plan.personas[0].agent if plan.measures and not controlled else "",
        )
    except ProbeError as error:
        raise UsageProblem(str(error)) from error
    try:
        with control_beside(plan, folder, secret), attacker_beside(plan, folder, secret):
            code = drive(plan, folder, secret)
    except Overdue as overdue:
        typer.echo(
            f"streamgauge: the run is void: the generator hung ({overdue}); what it left lies in {folder}",
            err=True,
        )
        return INTERNAL_ERROR
    if _has_report(folder):
        return code
    # a run that began says itself why its report could not be written, and with its code what it found
    if code in (FAIL, INCONCLUSIVE) and (folder / "recording").is_dir():
        return code
    if interruptions.any and not (folder / "recording").is_dir():
        raise Interrupted
    if interruptions.any:
        typer.echo(f"streamgauge: killed before its report; what was recorded lies in {folder}", err=True)
        return INTERRUPTED
    typer.echo(f"streamgauge: the generator ended without a report (exit code {code})", err=True)
    return INTERNAL_ERROR


def _has_report(folder: Path) -> bool:
    """Whether there is a report; a disk that is full may hold an empty file."""
    report = folder / "report.json"
    return report.is_file() and report.stat().st_size > 0
