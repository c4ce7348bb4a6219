from pathlib import Path

import pytest

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from tests.support.command import ROOT


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A scenario of the user's."""
    (tmp_path / "own.py").touch()
    (tmp_path / "own.toml").touch()
    return tmp_path / "own.py"


@pytest.mark.parametrize("name", ["steady", "isolation"])
def test_a_scenario_is_found_by_its_name(name: str) -> None:
    path = scenarios.find(name)
    assert path.samefile(ROOT / "scenarios" / f"{name}.py")


def test_a_scenario_is_found_by_its_path(own: Path) -> None:
    assert scenarios.find(str(own)) == own


def test_a_path_is_relative_to_where_one_is(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.parent)
    assert scenarios.find("own.py") == Path("own.py")


def test_what_is_installed_goes_before_the_checkout(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = own.parent / "a" / "streamgauge"
    package.mkdir(parents=True)
    monkeypatch.setattr(scenarios, "_PACKAGE", package)
    assert scenarios.folder() == own.parent / "scenarios"
    (package / "scenarios").mkdir()
    assert scenarios.folder() == package / "scenarios"


@pytest.mark.parametrize("name", ["nothing", "nothing.py", "", "steady.toml", "../steady"])
def test_an_unknown_scenario_is_refused_with_those_that_are_known(name: str) -> None:
    known = ", ".join(sorted(path.stem for path in (ROOT / "scenarios").glob("*.py")))
    with pytest.raises(UsageProblem) as refused:
        scenarios.find(name)
    assert str(refused.value) == (
        f"--scenario {name}: there is no such scenario; known are {known}, or the path of a Locust file"
    )


def test_a_locust_file_without_its_plan_is_no_scenario(own: Path) -> None:
    own.with_suffix(".toml").unlink()
    with pytest.raises(UsageProblem, match="no such scenario"):
        scenarios.find(str(own))
