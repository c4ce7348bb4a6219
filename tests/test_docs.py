"""What the docs show is what the code takes."""

import re
from pathlib import Path

import pytest

from streamgauge.plan import load_plan

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), ROOT / "results" / "README.md"])


def test_the_plan_in_the_docs_is_valid() -> None:
    (plan,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "plans.md").read_text(), re.DOTALL)
    assert load_plan(plan, "docs/plans.md").personas[1].tabs == 2


def test_the_slo_in_the_docs_can_be_searched_for() -> None:
    (plan,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "capacity.md").read_text(), re.DOTALL)
    assert load_plan(plan, "docs/capacity.md").gates


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
