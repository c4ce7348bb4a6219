"""The HTML page runs and fetches nothing, and stays small, whatever strings a report holds."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from xml.etree.ElementTree import fromstring

from msgspec.structs import replace

from streamgauge.core.contract import Rule
from streamgauge.core.finding import Doubt, Finding, Witness
from streamgauge.report.conclude import MOST_SECONDS
from streamgauge.report.model import Fault, Report, Worker
from streamgauge.report.render_html import render_html
from tests.support.html_page import page, section, words

Make = Callable[..., Report]
Gap = Callable[..., Finding]
HOSTILE = "<script>alert('\"x\"')</script><img src=http://e.test/x onerror=1>&amp;]]>\x1b[31m\u202e\n</td>"


def test_only_its_own_style_is_allowed(make: Make) -> None:
    html = render_html(make())
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    metas = {meta.get("http-equiv"): meta.get("content") for meta in fromstring(html).iter("meta")}
    policy = metas["Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_nothing_is_run_or_fetched(worst: Report) -> None:
    for element in page(worst).iter():
        assert element.tag not in {
            "script",
            "img",
            "link",
            "iframe",
            "object",
            "use",
            "image",
            "base",
            "form",
        }
        assert not {"src", "style", "xlink:href", "action"} & set(element.keys())
        assert not any(name.startswith("on") for name in element.keys())  # noqa: SIM118 - an Element is no dict
        assert element.get("href", "#").startswith("#")
    assert "://" not in render_html(worst)


def test_every_name_stands_for_one_place(worst: Report) -> None:
    names = [name for element in page(worst).iter() if (name := element.get("id"))]
    assert len(names) == len(set(names))


def test_hostile_strings_change_nothing_but_text(make: Make, gap: Gap) -> None:
    def shape(word: str) -> list[tuple[str, str]]:
        report = make(
            gap(run=word, user=word, detail=word),
            plan={"scenario": word, word: word},
            doubts=[Doubt(word, word, word, word, "verdict")],
            faults=[Fault(word, 1)],
            workers=[Worker(word, 1, 1, 1)],
            recordings=[word],
        )
        html = render_html(report)
        assert not set(html) & set("\x1b\u202e\r")
        return [(element.tag, element.get("class", "")) for element in fromstring(html).iter()]

    assert shape(HOSTILE) == shape("calm")
    assert "sgcanary" not in render_html(make(gap(run="sgcanaryAbCdEfGhIjKlMnOpQrSt")))


def test_what_was_left_out_is_said(make: Make) -> None:
    assert "Left out for size: plan: all of its" in render_html(make(plan={"x": ["y" * 999] * 99}))


def test_long_lists_are_cut_and_say_so(make: Make) -> None:
    faults = section(make(faults=[Fault(f"fault {n}", 1) for n in range(500)]), "faults")
    assert "… and 400 more in report.json" in words(faults)
    assert "fault 100:" not in words(faults)
    doubts = [Doubt("<" * 1_900, str(n), "", "", "") for n in range(50)]
    assert "The rest was left out for its size" in words(section(make(doubts=doubts), "validity"))
    plan = section(make(plan={f"k{n}": "<" * 1_000 for n in range(50)}), "environment")
    assert "The rest was left out for its size" in words(plan)


def test_sizes_are_kept(make: Make, worst: Report) -> None:
    assert len(render_html(make(runs=5_000)).encode()) < 100_000
    assert len(render_html(worst).encode()) < 150_000
    witness = Witness(0, "<" * 200, "<" * 200, 1, 1, 1, "<" * 200, guilty=True)
    findings = [
        Finding(rule, "<" * 9_000, "<" * 900, 1, n, "<" * 900, witnesses=(witness,) * 7)
        for rule in Rule
        for n in range(6)
    ]
    doubts = [Doubt("<" * 1_900 + str(n), "<" * 1_900, "", "<" * 1_900, "verdict") for n in range(120)]
    huge = make(
        *findings,
        doubts=doubts,
        recordings=["<" * 1_900] * 120,
        plan={"x" * n: "<" * 1_900 for n in range(20)},
    )
    huge = replace(huge, seconds=(7, 9) * (MOST_SECONDS // 2), duration_s=float(MOST_SECONDS))
    html = render_html(huge)
    assert len(html.encode()) < 1_000_000
    fromstring(html)
