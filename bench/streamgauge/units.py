"""Durations as people write them."""

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """`500ms`, `30s`, `30`, `5m` or `1h` in seconds; raises `ValueError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write 500ms, 30s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]
