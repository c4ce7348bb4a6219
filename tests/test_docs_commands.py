"""The command lines that the docs show are such, and every command has help and is shown."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command
from typer.testing import CliRunner

import reference_server.cli
from streamgauge.cli.app import app
from streamgauge.cli.plan import app as plan_app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), ROOT / "results" / "README.md"])
SCENARIOS = sorted(path.stem for path in ROOT.glob("scenarios/*.py"))

FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(streamgauge [a-z][^`]*)`")
LINE = re.compile(
    r"^\s*(?:\$ |run: )?(?:[A-Z_]+=\S+ )?(?:\S*/)?streamgauge (?P<words>[^·\n]*)$", re.MULTILINE
)
JOINED = re.compile(r"\\\n\s*|\n\s+(?=--)")  # by a shell, by YAML
AFTER = ("(", ">", "|", "&")  # remarks, redirections, what else is done


def commands_of(program: typer.Typer) -> dict[str, Any]:
    group = get_command(program)
    assert isinstance(group, TyperGroup)
    return dict(group.commands)


BY_NAME, PLANS = commands_of(app), commands_of(plan_app)
SERVE = get_command(reference_server.cli.app)
COMMANDS = [[name] for name in BY_NAME] + [["plan", name] for name in PLANS]


def written(text: str) -> Iterator[str]:
    """The command lines in the fences and between the backticks of a page, without the program's name."""
    for block in FENCED.findall(text):
        yield from (found["words"] for found in LINE.finditer(JOINED.sub(" ", block)))
    yield from (found.removeprefix("streamgauge ") for found in INLINE.findall(FENCED.sub("", text)))


def shown() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for line in dict.fromkeys(written(page.read_text())):
            yield str(page.relative_to(ROOT)), line
    for name, command in BY_NAME.items():
        for line in (command.epilog or "").splitlines():
            if found := LINE.match(line):
                yield f"{name} --help", found["words"]


def parse(line: str) -> None:
    """Read a command line as the program does, without doing what it says; raises `TyperException`."""
    words = takewhile(lambda word: not word.startswith(AFTER), shlex.split(line, comments=True))
    name, *rest = words
    if name not in BY_NAME:
        raise typer.BadParameter(f"no such command: {name}")
    command = BY_NAME[name]
    if name == "plan" and rest:
        command, rest = PLANS[rest[0]], rest[1:]
    if not rest:  # it is only spoken of
        return
    if name == "serve":
        command = SERVE
    try:
        context = command.make_context(name, rest)
    except typer.Exit:  # of --help
        return
    if name == "launches":
        BY_NAME["run"].make_context("run", context.args)


@pytest.mark.parametrize(("where", "line"), list(shown()))
def test_every_command_line_that_is_shown_is_one(where: str, line: str) -> None:
    try:
        parse(line)
    except TyperException as error:
        pytest.fail(f"{where}: streamgauge {line}: {error!r}")


def test_the_lines_are_found_and_wrong_ones_fail() -> None:
    assert {line.split()[0] for _, line in shown()} == set(BY_NAME)
    assert len(list(shown())) > 40
    for wrong in (
        "runn",
        "run --user 5",
        "run --users many",
        "launches pairs --n 2 --userz 3",
        "serve --prt 1",
    ):
        with pytest.raises(TyperException):
            parse(wrong)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(words: list[str]) -> None:
    if words == ["serve"]:
        done = CliRunner().invoke(reference_server.cli.app, ["--help"], prog_name="streamgauge serve")
    else:
        done = CliRunner().invoke(app, [*words, "--help"], prog_name="streamgauge")
    assert done.exit_code == 0
    assert f"Usage: streamgauge {' '.join(words)} " in done.output
    assert "Example" in done.output
    assert f"streamgauge {' '.join(words)}" in done.output.partition("Example")[2]


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "plan"])
def test_every_command_is_shown_with_its_output(name: str) -> None:
    blocks = [block for page in ROOT.glob("docs/*.md") for block in FENCED.findall(page.read_text())]
    outputs = [block.partition("\n")[2] for block in blocks if re.match(rf"\$ .*streamgauge {name}\b", block)]
    assert any(outputs)


def test_a_plan_is_written_and_checked_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    shown_there = re.search(
        r"^\$ streamgauge (plan init .*) > plan.toml\n\$ streamgauge (plan check .*)\n(.*) \(plan ",
        page,
        re.MULTILINE,
    )
    assert shown_there is not None
    monkeypatch.chdir(tmp_path)
    Path("plan.toml").write_text(CliRunner().invoke(app, shown_there[1].split()).output)
    checked = CliRunner().invoke(app, shown_there[2].split())
    assert checked.output.partition(" (plan ")[0] == shown_there[3]


def test_the_readme_names_every_scenario() -> None:
    assert sorted(re.findall(r"^\| \[`(\w+)`\]", (ROOT / "README.md").read_text(), re.MULTILINE)) == SCENARIOS
