from pathlib import Path

import pytest

from streamgauge.cli import scenarios
from streamgauge.cli.errors import UsageProblem
from streamgauge.plan import Plan, make_plan
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


def test_a_locust_file_needs_a_plan_beside_it_where_no_other_is_given(own: Path) -> None:
    beside = own.with_suffix(".toml")
    beside.unlink()
    with pytest.raises(UsageProblem) as refused:
        scenarios.find(str(own))
    assert f"{own}: it has no plan beside it ({beside}): write one" in str(refused.value)
    assert scenarios.find(str(own), planned=True) == own


def test_what_would_have_no_effect_is_refused_but_in_a_scenario_of_the_user_s(own: Path) -> None:
    plan = Plan(witness_share=0.1, reopen=1)
    scenarios.require_effect(plan, own, "plan.toml")
    own.with_suffix(".toml").unlink()
    scenarios.require_effect(plan, own, "plan.toml")
    scenarios.require_effect(plan, scenarios.find("isolation"), "plan.toml")
    with pytest.raises(UsageProblem, match=r"^plan.toml: witness_share: without effect in steady"):
        scenarios.require_effect(plan, scenarios.find("steady"), "plan.toml")


@pytest.mark.parametrize("persona", [{"cut_bytes": 900}, {"reader": "dead"}])
def test_troubles_of_sockets_are_of_the_scenarios_that_make_them(persona: dict[str, object]) -> None:
    plan = make_plan({"personas": [persona]})
    scenarios.require_effect(plan, scenarios.find("churn"), "plan.toml")
    (key,) = persona
    with pytest.raises(UsageProblem, match=rf"^plan.toml: personas\[0\].{key}: without effect in steady"):
        scenarios.require_effect(plan, scenarios.find("steady"), "plan.toml")
