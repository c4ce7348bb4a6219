"""Peers are installed for real elsewhere; here, what is said where they cannot be."""

from pathlib import Path

import pytest

from peers.generators import GENERATORS, Generator
from peers.installing import NotInstalled, install


def generator(name: str) -> Generator:
    return next(generator for generator in GENERATORS if generator.name == name)


def test_this_suite_is_there_already(tmp_path: Path) -> None:
    install(generator("streamgauge"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_npm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalled, match="no node in the PATH"):
        install(generator("node-ws"), tmp_path)


def test_an_installation_that_fails_tells_the_tools_own_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho notice: tried >&2\necho npm error code E404 >&2\necho bye >&2\nexit 7\n")
    npm.chmod(0o755)
    npm.with_name("node").symlink_to(npm)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    for _ in range(2):  # what failed once is tried again, not taken as done
        with pytest.raises(NotInstalled, match="`npm` ended with 7: npm error code E404"):
            install(generator("node-ws"), tmp_path / "peers")


def test_what_is_installed_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\necho once >> {tmp_path}/calls\n")
    npm.chmod(0o755)
    npm.with_name("node").symlink_to(npm)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    places = [install(generator("node-ws"), tmp_path / "peers") for _ in range(2)]
    assert places[0] == places[1]
    assert places[0]["modules"] == str(tmp_path / "peers" / "ws-8.23.0" / "node_modules")
    assert (tmp_path / "calls").read_text() == "once\n"
