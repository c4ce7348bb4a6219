"""`streamgauge proxy`: in front of any server, what networks and servers do wrong, on purpose."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.flags import FLAGS, by_flag, seconds_of
from streamgauge.cli.target import CaFile, require_allowed, trusting
from streamgauge.core.strike import Fault
from streamgauge.plan import PlanError, make_plan
from streamgauge.rig.proxy import Settings
from streamgauge.rig.proxy_process import Place, run_proxy
from streamgauge.rig.strikes import Aim
from streamgauge.rig.toxics import Dose, Recipe
from streamgauge.units import seconds

EXAMPLES = """Examples:

streamgauge proxy --target ws://127.0.0.1:8765/ws --latency 50ms --jitter 20ms

streamgauge proxy --target ws://127.0.0.1:8765/ws --drop 0.01 --swap 0.01 --seed 7

streamgauge proxy --target ws://127.0.0.1:8765/ws --port 9000 --cut-at 1000:0.1   (a tenth of connections)
"""

_MOST_BYTES: Final = 2**40
_MOST_SECONDS: Final = 86_400
_DRAIN_S: Final = 10


def _time(text: str) -> Dose:
    form = "50ms, 20ms-80ms, or 50ms:0.1 for a tenth of connections: each time with its unit"
    return _dose(text, _with_unit, _MOST_SECONDS, form)


def _with_unit(text: str) -> float:
    """Seconds; raises `ValueError` where no unit says so: whoever writes 50 of a latency means ms."""
    if text.strip()[-1:].isdigit():
        raise ValueError(f"{text!r} has no unit")
    return seconds(text)


def _bytes(text: str) -> Dose:
    return _dose(text, int, _MOST_BYTES, "1000, 100-5000, or 1000:0.1 for a tenth of connections")


def _bytes_a_second(text: str) -> Dose:
    dose = _bytes(text)
    if dose.low < 1:
        raise typer.BadParameter(f"{text!r} lets nothing through: at least 1, or --blackhole-at 0")
    return dose


def _dose(text: str, read: Callable[[str], float], most: float, form: str) -> Dose:
    """`AMOUNT[-AMOUNT][:RATE]`."""
    amount, colon, rate = text.partition(":")
    low, dash, high = amount.partition("-")
    try:
        dose = Dose(read(low), read(high if dash else low), float(rate) if colon else 1)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: write {form}") from error
    if not (0 <= dose.low <= dose.high <= most and 0 < dose.rate <= 1):
        raise typer.BadParameter(f"{text!r}: write {form}")
    return dose


def _delay(what: str) -> Any:
    return typer.Option(parser=_time, metavar="TIME[:RATE]", help=what)


def _size(what: str, read: Callable[[str], Dose] = _bytes) -> Any:
    return typer.Option(parser=read, metavar="BYTES[:RATE]", help=what)


def _share(what: str) -> Any:
    return typer.Option(min=0, max=1, metavar="RATE", help=f"Share of events {what}.")


def _number(what: str) -> Any:
    return typer.Option(min=1, metavar="N", help=f"From the N-th event on, {what} one.")


def proxy(  # noqa: PLR0913, PLR0917 - these are the options of a command
    target: Annotated[str, typer.Option(help="ws[s]://HOST:PORT/PATH of the server.")],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where it listens; 0: a free port.")] = 0,
    protocol: Annotated[str, typer.Option(help="How messages are read, for faults of messages.")] = "native",
    ca_file: CaFile = None,
    allow_target: Annotated[
        list[str] | None, typer.Option(help="A host that is not this machine and may be led to; repeatable.")
    ] = None,
    latency: Annotated[Dose | None, _delay("All that the server sends comes so much later.")] = None,
    jitter: Annotated[Dose | None, _delay("And up to so much more, at random; the order is kept.")] = None,
    bandwidth: Annotated[
        Dose | None, _size("So many bytes a second come from the server.", _bytes_a_second)
    ] = None,
    cut_at: Annotated[Dose | None, _size("Close after so many bytes of the server.")] = None,
    reset_at: Annotated[Dose | None, _size("Reset (RST) after so many.")] = None,
    blackhole_at: Annotated[Dose | None, _size("After so many nothing goes through, either way.")] = None,
    slow_close: Annotated[
        Dose | None, _delay("When the server closes, the client learns it so late.")
    ] = None,
    drop: Annotated[float, _share("that are lost")] = 0,
    drop_at: Annotated[int | None, _number("lose")] = None,
    double: Annotated[float, _share("that come twice")] = 0,
    double_at: Annotated[int | None, _number("double")] = None,
    swap: Annotated[float, _share("that change places with the next, where that is of their run")] = 0,
    swap_at: Annotated[int | None, _number("swap")] = None,
    transplant: Annotated[float, _share("that go to another user's connection instead")] = 0,
    transplant_at: Annotated[int | None, _number("transplant")] = None,
    after: Annotated[
        float | None, typer.Option(parser=seconds_of, help="No fault of messages before so much time.")
    ] = None,
    provable: Annotated[
        bool, typer.Option("--provable", help="Strike messages only where the protocol shows it.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    log: Annotated[Path | None, typer.Option(help="A file: a line of JSON for every event struck.")] = None,
    drain: Annotated[
        float | None,
        typer.Option(
            parser=seconds_of, help="How long open connections may last after Ctrl-C (default: 10s)."
        ),
    ] = None,
) -> None:
    """Listen on 127.0.0.1, hand everything on to the target, and commit the faults that are asked for."""
    try:
        plan = make_plan({"target": target, "protocol": protocol, **trusting(ca_file)})
    except PlanError as error:
        raise UsageProblem(by_flag(str(error), FLAGS)) from error
    require_allowed(target, allow_target or [])
    aims = {
        Fault.DROP: Aim(drop, drop_at or 0),
        Fault.DOUBLE: Aim(double, double_at or 0),
        Fault.SWAP: Aim(swap, swap_at or 0),
        Fault.TRANSPLANT: Aim(transplant, transplant_at or 0),
    }
    recipe = Recipe(latency, jitter, bandwidth, cut_at, reset_at, blackhole_at, slow_close)
    settings = Settings(
        recipe,
        {fault: aim for fault, aim in aims.items() if aim != Aim()},
        seed,
        provable=provable,
        after_s=after or 0,
    )
    place = Place(
        plan.target,
        plan.protocol,
        plan.ca_file,
        port=port,
        path=_path(target),
        drain_s=_DRAIN_S if drain is None else drain,
    )
    try:
        run_proxy(place, settings, log)
    except PlanError as error:
        raise UsageProblem(by_flag(str(error), FLAGS)) from error
    except OSError as error:
        raise UsageProblem(f"--port {port}, --log {log}: {error.strerror or error}") from error


def _path(target: str) -> str:
    url = urlsplit(target)
    return f"{url.path or '/'}{'?' + url.query if url.query else ''}"
