"""Machines of one's own: network namespaces on one switch, each with an address; Linux, as root.

The switch is a bridge in a namespace of its own, so that nothing of this machine's
own network is touched, and all of it is gone when the namespaces are.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from typing import Final, NamedTuple

_NET: Final = "198.18.0"  # set apart for benchmarks of networks (RFC 2544)


class Machine(NamedTuple):
    """One namespace; `clock_s` is how far its processes' monotonic clock is ahead of this machine's."""

    namespace: str
    address: str
    clock_s: int = 0

    def runs(self, *command: str) -> list[str]:
        """The command line that runs `command` there."""
        other_clock = ["unshare", "--time", "--monotonic", str(self.clock_s)] if self.clock_s else []
        return ["ip", "netns", "exec", self.namespace, *other_clock, *command]


@contextlib.contextmanager
def machines(*clocks_s: int) -> Iterator[list[Machine]]:
    """One machine for each of `clocks_s`, by how many seconds its clock is ahead; they reach one another."""
    switch = f"sg{os.getpid()}-switch"
    made = [
        Machine(f"sg{os.getpid()}-{number}", f"{_NET}.{number}", clock_s)
        for number, clock_s in enumerate(clocks_s, 1)
    ]
    names = [switch, *(machine.namespace for machine in made)]
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for number, machine in enumerate(made, 1):
            port = f"port{number}"
            cable = ("type", "veth", "peer", "name", "eth0", "netns", machine.namespace)
            _ip("-n", switch, "link", "add", port, *cable)
            _ip("-n", switch, "link", "set", port, "master", "bridge", "up")
            _ip("-n", machine.namespace, "address", "add", f"{machine.address}/24", "dev", "eth0")
            _ip("-n", machine.namespace, "link", "set", "eth0", "up")
        yield made
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
