"""Compares this suite with other load generators, on the same source of events: `make compare-generators`.

    python -m peers.compare                                  # all, 3 rounds: some 15 minutes
    python -m peers.compare --only streamgauge --only picows --rounds 1 --seconds 5

Source and generator have a core each. The generators take turns in random order;
each opens all its sockets first. Events are counted by the source and CPU time by
the kernel, of the generator's whole process tree: see docs/generators.md.
"""

import argparse
import os
import platform
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from peers.generators import GENERATORS, OURS, Generator, filled
from peers.installing import NotInstalled, install
from peers.launching import Bench, Failed, Peer, measure, memory_of_one_socket
from peers.source import NotBuilt, build
from peers.table import Outcome, as_data, table

FOLDER: Final = Path(__file__).parents[2] / ".peers"
NAMES: Final = tuple(generator.name for generator in GENERATORS)


def main() -> None:
    """Install, measure in turns, print the table."""
    given = arguments(sys.argv[1:])
    chosen = [generator for generator in GENERATORS if generator.name in (given.only or NAMES)]
    bench = prepared(given)
    outcomes = {generator.name: Outcome(generator.name, generator.what) for generator in chosen}
    peers = dict[str, tuple[Peer, int]]()
    for generator in chosen:
        say(f"{generator.name}: installing, and its memory with one socket")
        try:
            peers[generator.name] = ready(generator, bench)
        except NotInstalled as error:
            outcomes[generator.name] = msgspec.structs.replace(
                outcomes[generator.name], trouble=f"not installed: {error}"
            )
        except Failed as error:
            outcomes[generator.name] = troubled(outcomes[generator.name], error)
    rng = random.Random(given.seed)  # noqa: S311 - an order, no secret
    for number in range(1, given.rounds + 1):
        for name in rng.sample(sorted(peers), len(peers)):
            say(f"round {number} of {given.rounds}: {name}")
            outcomes[name] = measured(outcomes[name], bench, *peers[name])
    for line in table(list(outcomes.values()), OURS):
        print(line)  # noqa: T201 - it is the command's output
    if given.json:
        given.json.write_bytes(
            msgspec.json.format(msgspec.json.encode(as_data(list(outcomes.values()), conditions(given))))
        )
    if any(outcome.trouble for outcome in outcomes.values()):
        sys.exit(3)  # what was not measured is no result


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", action="append", choices=NAMES, help="repeatable; default: all")
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10, help="of each window")
    parser.add_argument(
        "--settling", type=float, default=3, help="seconds from the first request to the window"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--gap-us", type=int, default=0, help="one event per write, so far apart (default: 0)"
    )
    parser.add_argument(
        "--sleeping-source", action="store_true", help="whoever writes to the source pays for waking it"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--json", type=Path, help="where every sample is written too")
    given = parser.parse_args(words)
    if given.sockets < 2 or given.seconds <= 0 or given.settling < 0 or given.rounds < 1:
        parser.error("at least 2 sockets, 1 round and a window are needed")
    return given


def prepared(given: argparse.Namespace) -> Bench:
    """The source, and a core for each; the process ends where they cannot be had."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or not shutil.which("taskset"):
        refuse("needs two cores, and taskset (util-linux) to give source and generator one each")
    try:
        program = build()
    except NotBuilt as error:
        refuse(str(error))
    return Bench(
        program,
        cores[0],
        cores[1],
        given.sockets,
        given.settling,
        given.seconds,
        given.gap_us,
        poll=not given.sleeping_source,
    )


def refuse(why: str) -> NoReturn:
    """End with the code of what cannot be set up."""
    say(f"compare: {why}")
    sys.exit(2)


def ready(generator: Generator, bench: Bench) -> tuple[Peer, int]:
    """The generator, installed, and its memory with one socket; raises `NotInstalled` or `Failed`."""
    command, env = filled(generator, {**install(generator, FOLDER), "sockets": "{sockets}"})
    peer = Peer(command, env)
    return peer, memory_of_one_socket(bench, peer)


def measured(outcome: Outcome, bench: Bench, peer: Peer, one_socket: int) -> Outcome:
    """With one launch more."""
    try:
        sample = measure(bench, peer, one_socket)
    except Failed as error:
        return troubled(outcome, error)
    return msgspec.structs.replace(outcome, samples=[*outcome.samples, sample])


def troubled(outcome: Outcome, error: Failed) -> Outcome:
    """The first trouble is told, and the launch does not count."""
    say(f"{outcome.name}: {error}")
    return msgspec.structs.replace(outcome, trouble=outcome.trouble or f"failed: {error}")


def conditions(given: argparse.Namespace) -> dict[str, object]:
    """What the figures depend on."""
    return {
        "sockets": given.sockets,
        "settling": given.settling,
        "seconds": given.seconds,
        "rounds": given.rounds,
        "gap_us": given.gap_us,
        "sleeping_source": given.sleeping_source,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {generator.name: generator.packages for generator in GENERATORS},
    }


def say(text: str) -> None:
    """What it is doing."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    main()
