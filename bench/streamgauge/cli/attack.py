"""`streamgauge attack`: the attack list against one target, and what becomes of those who stand by."""

import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from msgspec.structs import replace

from streamgauge.bounds import MOST
from streamgauge.cli.attacker import OWN_SERVER
from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.flags import Faults, ProtocolName, Secret, planned, seconds_of
from streamgauge.cli.generator import shown
from streamgauge.cli.interruption import Interruptions, interruptible
from streamgauge.cli.recorded import ends_of, recorded_doubts
from streamgauge.cli.server import started_server
from streamgauge.cli.target import CaFile, require_attackable, trusting
from streamgauge.core.attack import Attacked
from streamgauge.core.campaign import CAMPAIGN_FILE, pointed
from streamgauge.core.checks.sides import Rows
from streamgauge.core.finding import Outcome
from streamgauge.environment import environment
from streamgauge.exit_code import OF_OUTCOME
from streamgauge.plan import ATTACK, PLAN_FILE, Plan, digest, dump_plan
from streamgauge.report.conclude import conclude
from streamgauge.report.files import render_files
from streamgauge.report.model import Report
from streamgauge.report.redact import redacted
from streamgauge.report.render_text import render_text
from streamgauge.results import new_folder, write_whole
from streamgauge.rig.attacker.campaign import campaign
from streamgauge.rig.committed import committed

EXAMPLES = """Examples:

streamgauge attack   (a reference server of its own)

streamgauge attack --fault alg-none   (exit code 1: the hole is found)

streamgauge attack --target ws://127.0.0.1:8765/ws --allow-attack 127.0.0.1   (STREAMGAUGE_SECRET is set)
"""

RECORDING: Final = "recording/bystanders.sgr"
_MOST_SHOWN: Final = 500


def _patience(text: str) -> float:
    """Refused here: a server has to have some time to end what goes on too long."""
    if not 0 < (patience := seconds_of(text)) <= MOST:
        raise typer.BadParameter(f"{text!r}: give the server some time, as 15s")
    return patience


def attack(  # noqa: PLR0913, PLR0917 - these are the options of a command
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan", help="Whose target, protocol, login, persona and stated answers are taken (TOML)."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="ws[s]://HOST:PORT/PATH (default: a reference server of its own).")
    ] = None,
    allow_attack: Annotated[
        list[str] | None,
        typer.Option(help="The target's host: that it is yours to attack, this machine too; repeatable."),
    ] = None,
    ca_file: CaFile = None,
    fault: Faults = None,
    protocol: ProtocolName = None,
    secret: Secret = None,
    patience: Annotated[
        float | None,
        typer.Option(parser=_patience, help="Within which the server ends what goes on too long: 15s."),
    ] = None,
    pairs: Annotated[
        int | None, typer.Option(min=0, max=100_000, help="Of answers whose times are compared; 0: none.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of ids and orders that are drawn.")] = None,
    results: Annotated[Path, typer.Option(help="Where the result folder is made.")] = Path("results"),
) -> None:
    """Attack a server beside users whose streams are watched; leave a report and a verdict in results/."""
    flags = {"target": target, "protocol": protocol, "seed": seed, "faults": tuple(fault) if fault else None}
    changes = {key: value for key, value in flags.items() if value is not None} | trusting(ca_file)
    given = planned(plan, changes | {"scenario": ATTACK}, {})
    own = {"patience": patience, "pairs": pairs}
    told = {key: value for key, value in own.items() if value is not None}
    allowed = (*given.attack.allow, *(allow_attack or ()))
    attacked = replace(given.attack, allow=allowed, **told)
    given = replace(given, users=attacked.bystanders, attack=attacked)  # nobody else comes
    folder = _folder(results, given)
    try:
        with interruptible() as interruptions:  # while attacks go on, the campaign hears the signals
            report = _attacked(given, secret, folder, interruptions)
    except BaseException:
        shutil.rmtree(folder)  # nothing was judged
        raise
    for name, content in render_files(report).items():
        write_whole(folder / name, content)
    text = render_text(report, path=str(folder / "report.md"), colour=sys.stdout.isatty())
    typer.echo(text, nl=False)
    raise typer.Exit(OF_OUTCOME[report.outcome])


def _folder(results: Path, plan: Plan) -> Path:
    if plan.target:
        require_attackable(plan.target, plan.attack.allow)
    try:
        folder = new_folder(results, plan.name)
        (folder / PLAN_FILE).write_text(dump_plan(plan), encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"--results {results}: cannot be written ({error.strerror})") from error
    return folder


def _attacked(plan: Plan, secret: str | None, folder: Path, interruptions: Interruptions) -> Report:
    began = datetime.now(UTC)
    with _reached(plan, secret, folder) as (target, key):
        if interruptions.any:  # Python drops what a handler raises while a process is forked
            raise KeyboardInterrupt
        try:
            done, state, recording = campaign(plan, target, key, _tell, pointed)
        except OSError as error:
            said = redacted(str(error), _MOST_SHOWN)
            raise UsageProblem(
                f"{target}: the bystanders cannot connect ({said}); does `streamgauge validate` pass there?"
            ) from error
        faults = tuple(committed(target, plan.faults)) if plan.faults else ()
    kept = folder / RECORDING
    kept.parent.mkdir()
    write_whole(kept, recording.data())
    write_whole(folder / CAMPAIGN_FILE, msgspec.json.encode(done))
    where = environment(began)
    return conclude(
        state,
        plan=msgspec.to_builtins(plan),
        required=plan.needed,
        promises=plan.promises,
        environment=replace(where, command=shown([Path(sys.argv[0]).name, *sys.argv[1:]])),
        faults=faults,
        plan_digest=digest(plan),
        attack=done,
        cut_short=any(end.cut_short for end in ends_of([recording])),
        doubts=recorded_doubts([recording], [state], state, plan.users),
        recordings=[str(kept)],
        epoch_ns=recording.header.epoch_ns,
        rows=[Rows(recording.rows)],
    )


@contextmanager
def _reached(plan: Plan, secret: str | None, folder: Path) -> Iterator[tuple[str, str]]:
    """The address and the secret of the plan's target, or of the server that is started for it."""
    if plan.target and plan.login.signs and not secret:
        raise UsageProblem("no secret: give --secret or set STREAMGAUGE_SECRET; the target's own is needed")
    if plan.target and not plan.command:
        yield plan.target, secret or ""
        return
    key = secret if plan.target and secret else secrets.token_urlsafe(32)
    with started_server(key, plan, folder / "server.log", OWN_SERVER) as (address, _):
        yield address, key


def _tell(of: Attacked) -> None:
    """A line of progress."""
    outcome = (
        "not exercised"
        if of.outcome is None
        else of.outcome.upper()
        if of.outcome is not Outcome.PASS
        else "pass"
    )
    typer.echo(f"{outcome:14}{of.name:26}{of.answer or of.said}", err=True)
