"""How often a reference server of our own committed its faults, by its own count."""

from collections import Counter
from collections.abc import Iterable, Iterator
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from streamgauge.report.model import Fault

_TIMEOUT_S: Final = 5
_STRIKES: Final = "streamgauge_server_fault_strikes_total"
_OPPORTUNITIES: Final = "streamgauge_server_fault_opportunities_total"


def committed(target: str, faults: Iterable[str]) -> Iterator[Fault]:
    """The faults that the server at `target` was told to commit, each with its strikes where it says them."""
    try:
        with urlopen(f"http://{urlsplit(target).netloc}/metrics", timeout=_TIMEOUT_S) as answer:
            families = [*text_string_to_metric_families(answer.read().decode())]
    except (OSError, HTTPException, ValueError):
        yield from (Fault(fault, None) for fault in faults)
        return
    counted: Counter[tuple[str, str]] = Counter()
    for family in families:
        for sample in family.samples:
            counted[sample.name, sample.labels.get("fault", "")] += int(sample.value)
    for fault in faults:
        name = fault.partition(":")[0]
        yield Fault(fault, counted[_STRIKES, name], counted[_OPPORTUNITIES, name])
