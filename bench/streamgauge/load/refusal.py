"""Why a connection could not be opened."""

from streamgauge.wire import ClientSession


class NotConnected(ConnectionError):
    """A connection could not be opened; the text says why."""


def why_refused(session: ClientSession, broken: str | None) -> str:
    """Why a session ended before its greeting; `broken` is what was wrong with its socket, if anything."""
    refusal = session.refusal
    if refusal is not None:
        return f"HTTP {refusal.status} {refusal.reason}"
    return session.fault or broken or f"closed with {session.close_code} before the greeting"
