"""Where and with what a run is made."""

import hashlib
import os
import platform
import sys
from datetime import datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from streamgauge.report.model import Environment
from streamgauge.results import revision

_PACKAGES: Final = ("streamgauge", "locust", "gevent", "websockets", "msgspec", "numpy")
_COMPILED: Final = ("streamgauge.wire._frames", "streamgauge.protocol._native")
_CPUINFO: Final = Path("/proc/cpuinfo")
COMMAND_VARIABLE: Final = "STREAMGAUGE_COMMAND"  # what the user typed, where a command started us


def environment(started: datetime) -> Environment:
    """The machine, interpreter and checkout of this process; the run began at `started`."""
    here = Environment(
        started=started.isoformat(timespec="seconds"),
        command=os.environ.get(COMMAND_VARIABLE) or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        revision=revision(Path.cwd()),
        machine=platform.machine(),
        system=platform.platform(),
        cores=os.cpu_count() or 0,
        python=platform.python_version(),
        packages=dict(sorted({**{name: version(name) for name in _PACKAGES}, "readers": _readers()}.items())),
        cpu=_cpu(),
    )
    return replace(here, fingerprint=fingerprint(here))


def fingerprint(of: Environment) -> str:
    """A short digest of all that makes figures of two runs comparable; not of when, and of which code."""
    parts = (of.cpu, of.machine, of.cores, of.system, of.python, sorted(of.packages.items()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _readers() -> str:
    """Whether what reads frames and events was compiled: without, an event costs several times as much."""
    return "compiled" if all(find_spec(module) for module in _COMPILED) else "not compiled"


def _cpu() -> str:
    """The processor's model."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor()
