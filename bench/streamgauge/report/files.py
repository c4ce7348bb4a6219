"""The files of a result folder that are made from the report alone."""

from streamgauge.report.model import Report
from streamgauge.report.render_html import render_html
from streamgauge.report.render_json import render_json
from streamgauge.report.render_junit import render_junit
from streamgauge.report.render_markdown import render_markdown


def render_files(report: Report) -> dict[str, bytes]:
    """Every rendering, by the name of its file; JSON first, lest a later one lose it."""
    return {
        "report.json": render_json(report),
        "report.md": render_markdown(report).encode(),
        "report.html": render_html(report).encode(),
        "junit.xml": render_junit(report),
    }
