import pytest

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.target import is_loopback, require_allowed


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "::1", "localhost"])
def test_this_machine_may_be_put_under_load(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "example.org", "localhost.example.org", ""])
def test_no_other_is_taken_for_it(host: str) -> None:
    assert not is_loopback(host)


def test_another_host_must_be_named() -> None:
    with pytest.raises(UsageProblem, match="--allow-target stage"):
        require_allowed("ws://stage.example.org/ws", ["example.org"])
    require_allowed("ws://stage.example.org/ws", ["stage.example.org"])
    require_allowed("ws://[::1]:80/ws", [])
