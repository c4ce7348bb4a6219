import json

import pytest

from reference_server.plain_http import Health, health, metrics


@pytest.mark.parametrize(("status", "code"), [("ok", 200), ("draining", 503)])
def test_health_tells_load_balancers_and_people(status: str, code: int) -> None:
    response = health(Health(status, "s-1", connections=3, sessions=4, runs=5))
    assert response.status_code == code
    assert json.loads(response.body) == {
        "status": status,
        "server_id": "s-1",
        "connections": 3,
        "sessions": 4,
        "runs": 5,
    }


def test_an_answer_states_its_length_and_ends_the_connection() -> None:
    headers = metrics(b"a 1\n").headers
    assert (headers["Content-Length"], headers["Connection"]) == ("4", "close")
