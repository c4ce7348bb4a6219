"""What is written into a result folder."""

from pathlib import Path

from streamgauge.core.recording import Recording
from streamgauge.core.stretch import unfolded


def content(path: Path) -> bytes:
    """What a file says; a recording unpacked, for packed columns may look like any three letters."""
    data = path.read_bytes()
    if path.suffix != ".sgr":
        return data
    recording = Recording.of(data)
    return repr((recording.header, list(unfolded(recording.rows)), recording.end)).encode()
