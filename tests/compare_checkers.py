"""The checker and the naive one beside it, on random recordings: `make compare-checkers ARGS="--jobs 1"`.

Each recording is drawn from a seed of its own, sound or with up to three faults, and both must come to the
same findings. It writes every disagreement with its seed, and ends with 1 where there was one;
`--seed N --count 1` shows that recording again.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

from tests.support.checkers import case

SHARE: Final = 500  # recordings a process takes at a time


class Compared(NamedTuple):
    """Of how many recordings, how many of them with findings, what differed, and what was found how often."""

    recordings: int
    faulty: int
    disagreements: list[str]
    rules: Counter[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="how many recordings (100,000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first of them (0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    shares = [seeds[at : at + SHARE] for at in range(0, len(seeds), SHARE)]
    began_s, total = time.monotonic(), Compared(0, 0, [], Counter())
    with ProcessPoolExecutor(options.jobs) as pool:
        for done, part in enumerate(pool.map(compare, shares), 1):
            total = _both(total, part)
            sys.stdout.writelines(f"{text}\n" for text in part.disagreements)
            if done % 20 == 0:
                say(total, began_s)
    say(total, began_s)
    sys.stdout.writelines(f"{n:>9,}  {rule}\n" for rule, n in total.rules.most_common())
    sys.exit(bool(total.disagreements))


def compare(seeds: Iterable[int]) -> Compared:
    """Have both checkers judge the recording of each seed."""
    recordings, faulty, disagreements, rules = 0, 0, list[str](), Counter[str]()
    for seed in seeds:
        drawn = case(seed)
        opinions = drawn.opinions()
        recordings += 1
        faulty += bool(opinions.second)
        rules.update(finding.rule for finding in opinions.second.elements())
        if not opinions.agree:
            disagreements.append(f"--seed {seed} ({', '.join(drawn.done)}):\n{opinions}")
    return Compared(recordings, faulty, disagreements, rules)


def _both(one: Compared, other: Compared) -> Compared:
    return Compared(
        one.recordings + other.recordings,
        one.faulty + other.faulty,
        [*one.disagreements, *other.disagreements],
        one.rules + other.rules,
    )


def say(total: Compared, began_s: float) -> None:
    took_s = time.monotonic() - began_s
    sys.stdout.write(
        f"{total.recordings:,} recordings, {total.faulty:,} of them faulty, "
        f"{len(total.disagreements)} disagreements; {total.recordings / took_s:,.0f}/s\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
