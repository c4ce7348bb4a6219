"""Certificates as a server may show them, by a CA that lives as long as a test."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import trustme

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ALSO_LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)


class Shown(NamedTuple):
    """What a server shows, as two PEM files."""

    certificate: Path
    key: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """As the reference server takes them."""
        return "--tls-cert", str(self.certificate), "--tls-key", str(self.key)


class Certificates:
    """A CA, and what it signs; `ca` and `another` are the files of two CAs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.ca = folder / "ca.pem"
        self.another = folder / "another.pem"
        self._ca.cert_pem.write_to_path(self.ca)
        trustme.CA().cert_pem.write_to_path(self.another)

    def good(self, *names: str) -> Shown:
        """For this machine, or for `names`."""
        return self._written(self._ca.issue_cert(*(names or ("127.0.0.1", "localhost"))))

    def expired(self) -> Shown:
        return self._written(self._ca.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=ALSO_LONG_AGO))

    def itself(self, name: str) -> Shown:
        """A certificate that signed itself."""
        shown = Shown(self._folder / "itself.pem", self._folder / "itself.key")
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                ),
                *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "2"),
                *("-out", str(shown.certificate), "-keyout", str(shown.key)),
            ],
            check=True,
            capture_output=True,
        )
        return shown

    def _written(self, issued: trustme.LeafCert) -> Shown:
        number = len(list(self._folder.glob("shown-*.pem")))
        shown = Shown(self._folder / f"shown-{number}.pem", self._folder / f"shown-{number}.key")
        shown.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(shown.key)
        return shown
