from xml.etree.ElementTree import fromstring

import pytest

from streamgauge.report.markup import Markup, escaped, joined, tag


def test_an_element_with_its_attributes() -> None:
    assert tag("p", "a", class_="quiet", aria_label="b") == '<p class="quiet" aria-label="b">a</p>'


def test_attributes_without_a_value_are_left_out() -> None:
    assert tag("p", class_="", role=None, x=0) == '<p x="0"></p>'


def test_only_what_has_no_content_is_closed_at_once() -> None:
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8"/>'
    assert tag("td") == "<td></td>"


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>&", tag("b", "x")) == "<p>&lt;b&gt;&amp;<b>x</b></p>"
    assert joined(["<", Markup("<br/>")]) == "&lt;<br/>"


@pytest.mark.parametrize(
    "hostile", ['"', "'", '"><script>', "</p>", "&quot;", "\x1b[31m", "\0", "a\nb", "\u202e"]
)
def test_nothing_leaves_its_element_or_attribute(hostile: str) -> None:
    element = fromstring(tag("p", hostile, title=hostile))
    assert len(element) == 0
    assert element.text == element.get("title")
    assert element.text == (hostile if hostile.isprintable() else escaped(hostile))
