"""Makes a Locust file a scenario: hangs a harness on Locust's events."""

from pathlib import Path

import msgspec
from locust import events

from streamgauge.load.harness import Harness
from streamgauge.plan import Plan, load_plan


def scenario(locustfile: str) -> None:
    """Make a Locust file a scenario: its plan without flags stands beside it (TOML), or --plan gives one."""
    path = Path(locustfile).with_suffix(".toml")
    planned_here = path.is_file()
    plan = load_plan(path.read_text(encoding="utf-8"), str(path)) if planned_here else Plan()
    if plan.scenario != path.stem:  # a user's own: so that the plan of a result folder finds it again
        plan = msgspec.structs.replace(plan, scenario=str(Path(locustfile).resolve()))
    harness = Harness(plan, "" if planned_here else f"{locustfile}: it has no plan beside it ({path})")
    events.init_command_line_parser.add_listener(harness.add_options)
    events.init.add_listener(harness.init)
    events.test_start.add_listener(harness.start)
    events.test_stopping.add_listener(harness.stopping)
    events.test_stop.add_listener(harness.stop)
    events.user_error.add_listener(harness.user_error)
    events.report_to_master.add_listener(harness.report_to_master)
    events.worker_report.add_listener(harness.worker_report)
    events.quit.add_listener(harness.quit)
