from pathlib import Path

from streamgauge.core.contract import LEGAL
from streamgauge.report.diagram import contract_diagram

CONTRACT = Path(__file__).parents[3] / "docs" / "contract.md"


def test_the_documented_diagram_is_drawn_from_the_table() -> None:
    assert contract_diagram() in CONTRACT.read_text()


def test_every_legal_step_is_drawn() -> None:
    assert contract_diagram().count("-->") == len(LEGAL) + 2
