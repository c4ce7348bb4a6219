"""What the docs show is what the code takes."""

import re
from pathlib import Path

import msgspec
import pytest

from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.persona import Persona
from streamgauge.plan import Plan, load_plan

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), ROOT / "results" / "README.md"])
PLAN_INIT = "\n".join(
    path.read_text()
    for path in (
        ROOT / "scenarios" / "steady.toml",
        ROOT / "bench" / "streamgauge" / "cli" / "plan_keys.toml",
    )
)
WITHOUT_TABLES = re.sub(r"# \[.*?(\n\n|\Z)", "", PLAN_INIT, flags=re.DOTALL)


def test_the_plan_in_the_docs_is_valid() -> None:
    (plan,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "plans.md").read_text(), re.DOTALL)
    assert load_plan(plan, "docs/plans.md").personas[1].tabs == 2


def test_the_slo_in_the_docs_can_be_searched_for() -> None:
    (plan,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "capacity.md").read_text(), re.DOTALL)
    assert load_plan(plan, "docs/capacity.md").gates


def test_the_limits_of_doubts_in_the_docs_are_the_defaults_and_all_of_them() -> None:
    page = (ROOT / "docs" / "doubts.md").read_text()
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    plan_keys = (ROOT / "bench" / "streamgauge" / "cli" / "plan_keys.toml").read_text()
    (offered,) = re.findall(r"^# (\[doubts\]\n(?:# \w+ = .*\n)+)", plan_keys, re.MULTILINE)
    for text in (shown, re.sub(r"^# ", "", offered, flags=re.MULTILINE)):
        assert set(msgspec.toml.decode(text)["doubts"]) == set(DoubtLimits.__struct_fields__)
        assert load_plan(text, "docs/doubts.md") == Plan()
    tables = page.split("## Limits")[1]
    assert all(re.search(rf"^\| .*\| `{key}`", tables, re.MULTILINE) for key in DoubtLimits.__struct_fields__)


def test_every_doubt_that_the_code_raises_stands_in_the_docs() -> None:
    sources = [*ROOT.glob("bench/streamgauge/core/**/*.py"), *ROOT.glob("bench/streamgauge/cli/*.py")]
    raised = {
        name
        for source in sources
        for first in re.findall(r"\bDoubt\(\s*(.*?),", source.read_text())
        for name in re.findall(r'"([^"]+)"', first)
    }
    rows = re.findall(r"^\| (.*?) \|", (ROOT / "docs" / "doubts.md").read_text(), re.MULTILINE)
    assert {"Little's law", "warm-up", "not steady", "loop lag", "recording cut off"} <= raised
    assert raised <= {name for row in rows for name in row.split(", ")}


@pytest.mark.parametrize("key", [field.name for field in msgspec.structs.fields(Plan)])
def test_every_key_of_a_plan_is_explained(key: str) -> None:
    assert re.search(rf"`{key}`", (ROOT / "docs" / "plans.md").read_text())
    assert re.search(rf"^(# )?\[*{key}\b( =|\]+$)", PLAN_INIT, re.MULTILINE)


@pytest.mark.parametrize("key", [field.name for field in msgspec.structs.fields(Persona)])
def test_every_key_of_a_persona_is_explained(key: str) -> None:
    assert re.search(rf"`{key}`|\b{key} =", (ROOT / "docs" / "plans.md").read_text())
    assert re.search(rf"^# {key} =", PLAN_INIT, re.MULTILINE)


@pytest.mark.parametrize("line", re.findall(r"^# (\w+ = .*[^\[])$", WITHOUT_TABLES, re.MULTILINE))
def test_what_plan_init_shows_can_be_taken_as_it_stands(line: str) -> None:
    load_plan(line, "plan.toml")


def test_what_plan_init_shows_of_users_can_be_taken_together_with_all_before_it() -> None:
    before, personas = PLAN_INIT.split("# [[personas]]\n")
    keys = re.sub(r"^# (?=\w+ = .*[^\[]$)", "", before, flags=re.MULTILINE)
    keys = re.sub(
        r"^(login|arrivals|scenario|faults|ca_file|sources|record) = .*\n", "", keys, flags=re.MULTILINE
    )
    table = re.sub(r"^# ", "", personas.split("\n\n")[0], flags=re.MULTILINE)
    plan = load_plan(f"{keys}\n[[personas]]\n{table}", "plan.toml")
    assert plan.personas[0].think is not None
    assert (plan.abort_on, plan.goodput) != ((), ())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
