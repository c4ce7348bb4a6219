"""Puts the peers into a folder of their own, each apart: what one needs can neither help nor hurt another."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Protocol

TIMEOUT_S: Final = 180


class NotInstalled(RuntimeError):
    """A peer could not be installed; the text says why."""


class Packaged(Protocol):
    """What has packages from somewhere: "suite" is this project's own environment."""

    @property
    def home(self) -> Literal["suite", "pypi", "npm", "debian"]: ...

    @property
    def packages(self) -> tuple[str, ...]: ...


def install(generator: Packaged, folder: Path) -> dict[str, str]:
    """Install its packages under `folder`, unless they are there; where they lie, for its command.

    Raises `NotInstalled`.
    """
    places = {"python": sys.executable}
    match generator.home:
        case "pypi":
            bin_folder = _pypi(generator.packages, folder / _name(generator.packages))
            places |= {"python": str(bin_folder / "python"), "bin": str(bin_folder)}
        case "npm":
            places |= {"node": _found("node"), "modules": str(_npm(generator.packages, folder))}
        case "debian":
            _debian(generator.packages)
    return places


def _name(packages: tuple[str, ...]) -> str:
    """A folder's name that changes with the versions."""
    return packages[0].replace("==", "-").replace("@", "-")


def _pypi(packages: tuple[str, ...], home: Path) -> Path:
    ready = home / ".ready"
    if not ready.exists():
        _do([sys.executable, "-m", "venv", "--clear", str(home)])
        pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _do([*pip, *packages])
        ready.touch()
    return home / "bin"


def _npm(packages: tuple[str, ...], folder: Path) -> Path:
    home = folder / _name(packages)
    ready = home / ".ready"
    if not ready.exists():
        home.mkdir(parents=True, exist_ok=True)
        npm = [_found("npm"), "install", "--prefix", str(home), "--no-audit", "--no-fund", "--silent"]
        _do([*npm, *packages], {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"})  # of Artillery; 300 MB
        ready.touch()
    return home / "node_modules"


def _debian(packages: tuple[str, ...]) -> None:
    """Packages of the system: each brings a program of its name."""
    missing = [package for package in packages if shutil.which(package) is None]
    if missing:
        _do(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing])


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise NotInstalled(f"no {program} in the PATH")
    return found


def _do(command: list[str], env: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env={**os.environ, **(env or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"`{Path(command[0]).name}` took longer than {TIMEOUT_S} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = next((line for line in said if "error" in line.lower()), said[-1] if said else "no message")
        raise NotInstalled(f"`{Path(command[0]).name}` ended with {done.returncode}: {why}")
