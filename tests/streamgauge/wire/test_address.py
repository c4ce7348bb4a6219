import pytest

from streamgauge.wire import Address, address_of


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("ws://h/ws", Address("h", 80, secure=False)),
        ("wss://h/ws", Address("h", 443, secure=True)),
        ("ws://h:8765/ws", Address("h", 8765, secure=False)),
        ("wss://[::1]:8765/ws?room=1", Address("::1", 8765, secure=True)),
    ],
)
def test_an_address_leads_to_a_host_and_its_port(target: str, address: Address) -> None:
    assert address_of(target) == address
