import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from streamgauge.report.model import SCHEMA, Report

DOC = Path(__file__).parents[3] / "docs" / "report.md"


def structs(of: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """A struct and every struct that its fields hold."""
    found = {of}
    pending = [field.type for field in msgspec.structs.fields(of)]
    while pending:
        annotation = pending.pop()
        pending += get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
            found |= structs(annotation)
    return found


def name_of(struct: type[msgspec.Struct]) -> str:
    return struct.__name__


STRUCTS: list[type[msgspec.Struct]] = sorted(structs(Report), key=name_of)


@pytest.mark.parametrize("struct", STRUCTS, ids=name_of)
def test_every_field_stands_in_the_document(struct: type[msgspec.Struct]) -> None:
    title = {"Report": "The report", "ShareOf": "Share"}.get(struct.__name__, struct.__name__)
    (section,) = re.findall(rf"^### {title}\n(.*?)(?=^##|\Z)", DOC.read_text(), re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE))))
    assert named == set(struct.__struct_fields__)


def test_the_document_tells_the_history_of_the_schema() -> None:
    _, history = DOC.read_text().split("## History of the schema")
    versions = [int(version) for version in re.findall(r"^\| (\d+) \|", history, re.MULTILINE)]
    assert versions == list(range(SCHEMA, 0, -1))


def test_the_report_reaches_all_its_parts() -> None:
    assert {"Report", "Finding", "Witness", "Distribution", "Bound"} <= {s.__name__ for s in structs(Report)}
