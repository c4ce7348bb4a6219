import json
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.client import connect

from reference_server.tls import server_context
from tests.support.certificates import Certificates

if TYPE_CHECKING:
    from tests.reference_server.conftest import Kit


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def test_without_a_certificate_there_is_no_tls() -> None:
    assert server_context("", "") is None


def test_it_serves_over_tls_whatever_waits_to_be_written(kit: "Kit", certificates: Certificates) -> None:
    shown = certificates.good()
    trusting = ssl.create_default_context(cafile=certificates.ca)

    async def work() -> None:
        settings = {"tls_cert": str(shown.certificate), "tls_key": str(shown.key)}
        async with kit.Wire.server(**settings) as server:
            assert server.url == f"wss://127.0.0.1:{server.port}/ws"
            headers = kit.bearer()
            async with connect(server.url, ssl=trusting, additional_headers=headers) as socket:
                assert json.loads(await socket.recv())["type"] == "connection_established"
                for number in range(30):
                    payload = {"user_request": "x" * 4_000, "request_id": f"q{number}"}
                    await socket.send(json.dumps({"type": "start_agent", "payload": payload}))
                ended = 0
                while ended < 30:
                    ended += json.loads(await socket.recv())["type"] == "agent_completed"

    kit.go(work())


def test_files_that_cannot_be_used_are_named(certificates: Certificates, tmp_path: Path) -> None:
    shown, other = certificates.good(), certificates.good()
    noise = tmp_path / "noise"
    noise.write_text("no PEM")
    for certificate, key, why in (
        (tmp_path / "nothing", shown.key, "cannot be read (No such file or directory)"),
        (noise, shown.key, "no certificate and key in PEM form"),
        (shown.certificate, noise, "no certificate and key in PEM form"),
        (shown.certificate, other.key, "the key is not the certificate's"),
    ):
        with pytest.raises(ValueError, match="--tls-cert") as refused:
            server_context(str(certificate), str(key))
        assert str(refused.value) == f"--tls-cert {certificate}, --tls-key {key}: {why}"


def test_a_key_with_a_password_is_not_asked_about(certificates: Certificates, tmp_path: Path) -> None:
    shown, locked = certificates.good(), tmp_path / "locked.key"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:hunter2"]
    subprocess.run([*command, "-in", shown.key, "-out", locked], check=True, capture_output=True)
    with pytest.raises(ValueError, match="has a password"):
        server_context(str(shown.certificate), str(locked))
