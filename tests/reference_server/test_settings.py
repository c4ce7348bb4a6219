from typing import Any

import pytest

from reference_server.settings import Settings, is_loopback


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"secret": ""}, "--secret is empty"),
        ({"measure": True, "host": "0.0.0.0"}, "--measure-on-public-address"),
        ({"faults": ("swap",)}, "--fault needs --measure"),
        ({"slow_events": 0.2}, "--slow-events needs --measure"),
        ({"slow_events": -0.2, "measure": True}, "--slow-events is a share"),
        ({"tls_cert": "server.pem"}, "--tls-cert and --tls-key belong together"),
        ({"tls_key": "server.key"}, "--tls-cert and --tls-key belong together"),
        ({"heartbeat_s": 0}, "--heartbeat must be above 0"),
        ({"run_timeout_s": -1}, "--run-timeout must be above 0"),
        ({"rate_per_s": 0}, "--rate must be above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="--") as refused:
        Settings(**{"secret": "x", **fields})
    assert said in str(refused.value)


def test_measuring_on_a_public_address_must_be_said() -> None:
    assert Settings(secret="x", host="0.0.0.0").measure is False
    assert Settings(secret="x", host="0.0.0.0", measure=True, measure_on_public_address=True).measure


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("", False),
        ("::", False),
        ("192.168.1.4", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_the_secret_is_not_shown() -> None:
    assert repr(Settings(secret="hunter2")) == "Settings(host='127.0.0.1', port=8765)"


def test_an_event_that_repeats_a_request_fits_into_a_message() -> None:
    settings = Settings(secret="x", max_message_bytes=4_096)
    assert (settings.max_request_bytes, settings.max_text_bytes) == (1_024, 2_048)
