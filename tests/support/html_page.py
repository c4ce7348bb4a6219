"""The HTML page of a report, and what stands where on it."""

from xml.etree.ElementTree import Element, fromstring

from streamgauge.report.model import Report
from streamgauge.report.render_html import render_html


def page(report: Report) -> Element:
    """The page as XML, which takes that it is well-formed."""
    return fromstring(render_html(report))


def words(element: Element | None) -> str:
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def section(report: Report, name: str) -> Element:
    (found,) = (element for element in page(report).iter("section") if element.get("id") == name)
    return found
