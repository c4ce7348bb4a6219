"""The attack list beside a run: `python -m streamgauge.rig.attacker PLAN TARGET FOLDER`.

What it came to is written into the folder when all is done; the secret is in
STREAMGAUGE_SECRET. `streamgauge run --scenario attack` starts this.
"""

import os
import sys
from pathlib import Path

import msgspec

from streamgauge.core.campaign import CAMPAIGN_FILE
from streamgauge.plan import load_plan
from streamgauge.results import write_whole
from streamgauge.rig.attacker.campaign import campaign


def main() -> None:
    """Attack, and write what came of it."""
    where, target, folder = sys.argv[1:]
    plan = load_plan(Path(where).read_text(encoding="utf-8"), where)
    try:
        done, _, _ = campaign(plan, target, os.environ.get("STREAMGAUGE_SECRET", ""), lambda _: None)
    except OSError as error:
        sys.exit(f"streamgauge: the attacker's bystanders cannot connect: {error}")
    write_whole(Path(folder) / CAMPAIGN_FILE, msgspec.json.encode(done))


if __name__ == "__main__":
    main()
