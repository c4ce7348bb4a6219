"""Open files: every user takes one, and the limit is better met before the run than in it."""

import resource
from typing import Final

from streamgauge.cli.errors import UsageProblem

_OWN_FILES: Final = 100  # what a process needs besides its sockets


def require_files(sockets: int, processes: int) -> None:
    """Raise the soft limit as far as needed; `UsageProblem` where even the hard one is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = -(-sockets // processes) + _OWN_FILES
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard == resource.RLIM_INFINITY or needed <= hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        except (OSError, ValueError) as error:  # the kernel has a limit of its own
            raise UsageProblem(
                f"the limit on open files is {soft} a process and cannot be raised to {needed} ({error}); "
                "use fewer users or more --processes"
            ) from error
        return
    fit = (hard - _OWN_FILES) * processes
    raise UsageProblem(
        f"the limit on open files is {hard} a process: about {max(fit, 0)} sockets would fit into "
        f"{processes}, {sockets} were asked for; raise it (ulimit -n {needed}) or use more --processes"
    )
