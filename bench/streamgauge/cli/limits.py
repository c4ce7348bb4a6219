"""Open files: every user takes one, and the limit is better met before the run than in it."""

import resource
from typing import Final

from streamgauge.cli.errors import UsageProblem

_OWN_FILES: Final = 100  # what a process needs besides its sockets


def require_files(sockets: int, processes: int) -> None:
    """Raise the soft limit as far as needed; `UsageProblem` where even the hard one is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = -(-sockets // processes) + _OWN_FILES
    if needed <= soft:
        return
    if hard in (resource.RLIM_INFINITY, -1) or needed <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return
    fit = (hard - _OWN_FILES) * processes
    raise UsageProblem(
        f"the limit on open files is {hard} a process: about {max(fit, 0)} sockets would fit into "
        f"{processes}, {sockets} were asked for; raise it (ulimit -n {needed}) or use more --processes"
    )
