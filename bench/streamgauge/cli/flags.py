"""Flags that set a key of the plan: what is wrong with one is said by its name, not by the key's."""

from collections.abc import Collection
from typing import Final

FLAGS: Final = {
    "users": "--users",
    "duration": "--duration",
    "target": "--target",
    "server": "--server",
    "ca_file": "--ca-file",
    "faults": "--fault",
    "thresholds": "--threshold",
    "spawn_rate": "--spawn-rate",
    "arrivals.interval": "--interval",
    "protocol": "--protocol",
    "processes": "--processes",
    "most_runs": "--most-runs",
    "abort_on": "--abort-on",
    "record": "--record",
    "seed": "--seed",
}


def by_flag(problem: str, given: Collection[str]) -> str:
    """The problem of a plan (`key: why`), with the flag in place of a key that is among those given."""
    key, _, why = problem.partition(": ")
    for known, flag in FLAGS.items():
        if known in given and key.partition("[")[0] in (known, known.partition(".")[0]):
            return f"{flag}: {why}"
    return problem
