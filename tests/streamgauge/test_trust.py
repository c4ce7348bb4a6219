import ssl
from pathlib import Path

import pytest

from streamgauge.plan import PlanError
from streamgauge.trust import trust
from tests.support.certificates import Certificates

TARGET = "wss://127.0.0.1:1/"


def cas(context: ssl.SSLContext | None) -> int:
    assert context is not None
    return context.cert_store_stats()["x509_ca"]


def test_without_tls_there_is_nobody_to_trust() -> None:
    assert trust("ws://127.0.0.1:1/", "") is None


def test_the_plan_s_cas_are_trusted_and_no_others(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    assert cas(trust(TARGET, str(certificates.ca))) == 1
    both = tmp_path / "both.pem"
    both.write_text(f"# zwei für alle Fälle\n{certificates.ca.read_text()}{certificates.another.read_text()}")
    assert cas(trust(TARGET, str(both))) == 2


def test_every_context_verifies(tmp_path: Path) -> None:
    for file in ("", str(Certificates(tmp_path).ca)):
        context = trust(TARGET, file)
        assert context is not None
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read (No such file or directory)"), (b"", "holds no"), (b"\xff\0", "holds no")],
)
def test_a_file_that_is_of_no_use_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PlanError) as refused:
        trust(TARGET, str(file))
    assert str(refused.value).startswith(f"ca_file: {file} ")
    assert why in str(refused.value)
