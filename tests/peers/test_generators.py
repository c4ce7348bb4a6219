from pathlib import Path

import pytest

from peers.generators import CLIENTS, GENERATORS, OURS, Generator, filled

PLACES = {
    "python": "/peers/python",
    "bin": "/peers/bin",
    "node": "/usr/bin/node",
    "modules": "/peers/node_modules",
    "sockets": "17",
}


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.name)
def test_every_generator_can_be_started_from_its_places(generator: Generator) -> None:
    command, env = filled(generator, PLACES)
    assert not [word for word in [*command, *env.values()] if "{" in word]
    for word in command:
        if word.startswith(str(CLIENTS)):
            assert Path(word).is_file()
        if word.startswith("peers.clients."):
            assert (CLIENTS / word.removeprefix("peers.clients.")).with_suffix(".py").is_file()


def test_every_client_is_somebodys() -> None:
    words = " ".join(word for generator in GENERATORS for word in generator.command)
    alone = {path.stem for path in CLIENTS.glob("[a-z]*.*") if path.stem not in words}
    assert alone == {"common"}


def test_versions_are_pinned_for_all_but_ours() -> None:
    for generator in GENERATORS:
        assert (generator.name == OURS) == (not generator.packages)
        assert all("==" in package or "@" in package for package in generator.packages)
