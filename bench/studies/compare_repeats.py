"""How often `streamgauge compare` is right: the same server, and one slowed by a fifth, again and again.

    python bench/studies/compare_repeats.py /tmp/repeats            # launch pairs until there are enough
    python bench/studies/compare_repeats.py /tmp/repeats --table    # launch nothing, print the tables

Pairs of both kinds take turns in random order; every dozen of a kind, in the order
in which they ran, is one repeat. What was begun is gone on with. Besides these
repeats, which share nothing, as many are drawn at random from all pairs of a kind:
those overlap.
"""

import argparse
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streamgauge.core.compare import Comparison
from streamgauge.study.compare import Launch, Study, load, study

SERVER: Final = f"{sys.executable} -m reference_server --port 0 --measure"
HEADS: Final = {"same": SERVER, "slowed": f"{SERVER} --slow-events 0.2"}
LOAD: Final = ("--users", "100", "--duration", "8s", "--interval", "1s", "--spawn-rate", "1000")
METRIC: Final = "server-cpu-per-event"
SINGLE: Final = 20  # pairs that are compared one by one

Pair = tuple[Launch, Launch]


def main() -> None:
    """Launch what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--n", type=int, default=12, help="pairs of a repeat")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="launch nothing")
    given = parser.parse_args()
    rng = random.Random(given.seed)  # noqa: S311 - an order, no secret
    for number in range(0 if given.table else given.repeats * given.n):
        for kind in rng.sample(sorted(HEADS), 2):
            launch(kind, given.folder / kind / f"{number:03}")
    for line in tables(given.folder, given.n, given.repeats, rng):
        print(line)  # noqa: T201 - it is the command's output


def launch(kind: str, folder: Path) -> None:
    """One pair, unless it is there; what lost a launch is left as it is, and does not count."""
    if folder.exists():
        return
    command = [sys.executable, "-m", "streamgauge", "launches", str(folder), "--n", "1"]
    command += ["--base", SERVER, "--head", HEADS[kind], *LOAD]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def tables(folder: Path, n: int, repeats: int, rng: random.Random) -> Iterator[str]:
    """Of each kind its repeats, then how often single pairs of the same server came to what."""
    yield f"| repeat of {n} pairs | ratio of CPU per event | interval | CPU per event | all four metrics |"
    yield "|---|---|---|---|---|"
    kinds = {kind: pairs_of(folder / kind) for kind in HEADS}
    for kind, pairs in kinds.items():
        apart = [compared(pairs[at : at + n]) for at in range(0, len(pairs) - n + 1, n)][:repeats]
        for number, found in enumerate(apart, 1):
            one = gated(found)
            yield (
                f"| {kind} {number} | {one.ratio:.3f} | {one.low:.3f} – {one.high:.3f} "
                f"| {one.outcome} | {found.outcome} |"
            )
        drawn = [compared(rng.sample(pairs, n)) for _ in range(repeats if len(pairs) > n else 0)]
        for what, studies in (("apart", apart), (f"drawn from {len(pairs)} pairs", drawn)):
            cpu, whole = (Counter[str](map(outcome, studies)) for outcome in (cpu_outcome, all_outcome))
            yield f"| {kind}, {len(studies)} repeats {what} | | | {shown(cpu)} | {shown(whole)} |"
    single = Counter[str](compared([pair]).outcome for pair in kinds["same"][:SINGLE])
    yield f"\nsingle pairs of the same server: {shown(single)}"


def pairs_of(folder: Path) -> list[Pair]:
    """The whole pairs, in the order in which they ran."""
    whole = [path for path in sorted(folder.glob("*")) if len(list(path.glob("*/*/report.json"))) == 2]
    return [(load([path / "base"])[0], load([path / "head"])[0]) for path in whole]


def compared(pairs: list[Pair]) -> Study:
    """What `streamgauge compare` says of them."""
    return study([base for base, _ in pairs], [head for _, head in pairs])


def gated(found: Study) -> Comparison:
    """What was found of the metric that counts here."""
    return next(one for one in found.comparisons if one.name == METRIC)


def cpu_outcome(found: Study) -> str:
    """How that metric came out."""
    return gated(found).outcome


def all_outcome(found: Study) -> str:
    """How all that decide came out."""
    return found.outcome


def shown(counts: Counter[str]) -> str:
    """The outcomes, the most frequent first."""
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "none"


if __name__ == "__main__":
    main()
