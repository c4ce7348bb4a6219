import re
from itertools import combinations

import pytest

from streamgauge.report.style import STYLE

LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
)
SERIES = [f"series{place}" for place in range(4)]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_all_text_can_be_read(theme: dict[str, str]) -> None:
    for paper in ("paper", "raised", "pass-tint", "fail-tint", "unknown-tint"):
        assert contrast(theme["ink"], theme[paper]) >= 7
        assert contrast(theme["quiet"], theme[paper]) >= 4.5
    for outcome in ("pass", "fail", "unknown"):
        assert contrast(theme[outcome], theme["paper"]) >= 4.5
        assert contrast(theme[outcome], theme[f"{outcome}-tint"]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_series_stand_out_and_differ_in_lightness(theme: dict[str, str]) -> None:
    for series in SERIES:
        assert contrast(theme[series], theme["paper"]) >= 3
    for one, two in combinations(SERIES, 2):
        assert contrast(theme[one], theme[two]) >= 1.25


def test_both_themes_name_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) == LIGHT.keys()


def test_nothing_is_fetched_and_nothing_needs_escaping() -> None:
    assert not re.search(r"url\(|@import|://|[<&]", STYLE)


def test_paper_is_light() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in STYLE
