from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from streamgauge.plan import Plan
from tests.support.apart import INSIDE

if TYPE_CHECKING or INSIDE:
    from streamgauge.load.options import SECRET_VARIABLE, planned


def test_a_host_may_let_linger_what_the_server_of_the_scenario_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "a secret")
    churn = Plan(scenario="churn", serve=("--window", "1"), linger=6)
    locust: Any = SimpleNamespace(
        host="ws://127.0.0.1:8765/ws",
        runner=SimpleNamespace(target_user_count=5),
        parsed_options=SimpleNamespace(sg_plan="", spawn_rate=5, run_time=10),
    )
    assert planned(locust, churn).linger == Plan().linger
