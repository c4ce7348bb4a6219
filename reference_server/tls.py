"""The certificate that the server shows, where it is to speak TLS."""

import ssl


def server_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """What to serve with, from two PEM files; None without.

    Raises ValueError naming the files and the fault.
    """
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:  # what OpenSSL says is one too
        raise ValueError(f"--tls-cert {certificate}, --tls-key {key}: {_why(error)}") from error
    return context


def _no_password() -> str:
    """Instead of OpenSSL's own question at the terminal."""
    raise ValueError("--tls-key: the key has a password: give one without")


def _why(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return f"cannot be read ({error.strerror})"
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not the certificate's"
    return "no certificate and key in PEM form"
