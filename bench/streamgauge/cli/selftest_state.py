"""What a selftest has found so far: a small file for each finished part, by the code that made it."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

import streamgauge
from streamgauge.cli import scenarios
from streamgauge.results import write_whole
from streamgauge.study.selftest import Result

_CODE: Final = frozenset({".py", ".c", ".h", ".toml"})
_decode: Final = msgspec.json.Decoder(Result).decode
_ONLY_WORDS: Final = ("render_", "plot_")  # these change no result


class State:
    """The results in a folder of one state of the code; those of any other are not seen."""

    def __init__(self, folder: Path, code: str) -> None:
        self._folder = folder / code
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def runs(self) -> Path:
        """Where runs leave their result folders."""
        return self._folder / "runs"

    def read(self, key: str) -> Result | None:
        """What is known of a part; None where nothing is, or no more can be read."""
        try:
            result: Result = _decode((self._folder / f"{key}.json").read_bytes())
        except (OSError, msgspec.MsgspecError):
            return None
        return result

    def keep(self, key: str, result: Result) -> None:
        """Keep a result; raises `OSError` where that cannot be."""
        data = msgspec.json.format(msgspec.json.encode(result), indent=2)
        write_whole(self._folder / f"{key}.json", data + b"\n")


def digest_of_the_code() -> str:
    """A short digest of all that can change a result: the suite, the reference server, the scenarios."""
    digest = hashlib.sha256()
    for folder in _folders():
        for path in sorted(folder.rglob("*")):
            if path.suffix in _CODE and not path.name.startswith(_ONLY_WORDS):
                digest.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _folders() -> Iterator[Path]:
    yield Path(streamgauge.__file__).parent
    yield scenarios.folder()
    server = find_spec("reference_server")  # found, not imported
    if server and server.origin:
        yield Path(server.origin).parent
