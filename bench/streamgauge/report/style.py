"""How the HTML report looks: light and dark, wide and narrow, on a screen and on paper.

Every colour stands beside a word or a mark that says the same, and the series
of a plot differ in lightness, dashes and marks as well. There is no `<` and no
`&` in here, so that HTML and XML read it alike.
"""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light;
  --paper: #ffffff; --raised: #f6f7f7; --ink: #1b2023; --quiet: #5b6469; --rule: #dde1e2; --grid: #e8ebec;
  --pass: #14683c; --pass-tint: #e7f4ec;
  --fail: #a3140e; --fail-tint: #fceceb;
  --unknown: #7a4d00; --unknown-tint: #fdf3df;
  --series0: #14335f; --series1: #b3400f; --series2: #1f8a78; --series3: #868e93;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --paper: #14181a; --raised: #1d2225; --ink: #e6e9ea; --quiet: #a0a9ad; --rule: #343b3f; --grid: #272d30;
    --pass: #7fd6a2; --pass-tint: #14301f;
    --fail: #ff9b92; --fail-tint: #3d1714;
    --unknown: #f0c35f; --unknown-tint: #362808;
    --series0: #cfe0fc; --series1: #f5a070; --series2: #38a592; --series3: #788288;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 28px 28px 48px; max-width: 984px;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, p, ul, figure { margin: 0; padding: 0; }
section { margin-top: 40px; }
h2 { font-size: 19px; line-height: 1.3; margin-bottom: 4px; }
h3 { font-size: 15px; margin: 20px 0 6px; }
section > p { color: var(--quiet); max-width: 60em; margin-bottom: 8px; }
ul { list-style: none; }
a { color: inherit; }
small { font-size: 13px; color: var(--quiet); }
code, pre {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 13px;
}
pre { background: var(--raised); border: 1px solid var(--rule); border-radius: 6px; padding: 12px 14px;
  margin: 8px 0 0; white-space: pre-wrap; user-select: all; }

.banner { border: 1px solid; border-left-width: 8px; border-radius: 8px; padding: 18px 22px 16px; }
.banner h1 { font-size: 30px; line-height: 1.2; letter-spacing: 0.01em; }
.banner h1 small {
  font-size: 19px; font-weight: 400; margin-left: 8px; letter-spacing: 0; color: var(--ink);
}
.banner p { margin-top: 6px; color: var(--ink); }
.banner ul { margin-top: 6px; padding-left: 18px; list-style: disc; }
.banner .about { font-size: 13px; color: var(--quiet); margin-top: 12px; }
.about span { display: inline-block; white-space: pre-wrap; }
.banner.pass { background: var(--pass-tint); border-color: var(--pass); }
.banner.fail { background: var(--fail-tint); border-color: var(--fail); }
.banner.unknown { background: var(--unknown-tint); border-color: var(--unknown); }
.banner.pass h1 { color: var(--pass); }
.banner.fail h1 { color: var(--fail); }
.banner.unknown h1 { color: var(--unknown); }

.box {
  background: var(--raised); border: 1px solid var(--rule); border-radius: 8px; padding: 16px 22px;
  margin-top: 20px;
}
.box h2 { font-size: 15px; }
.box p { color: var(--quiet); }
.box ul { margin: 4px 0 8px; }
.box li { padding-left: 22px; text-indent: -22px; }
.box li::before {
  content: "! "; display: inline-block; width: 22px; text-indent: 6px; font-weight: 700;
  color: var(--unknown);
}

.wide { overflow-x: auto; margin: 0 -10px; }
table {
  border-collapse: separate; border-spacing: 0; width: 100%; margin-top: 8px;
  font-variant-numeric: tabular-nums; overflow-wrap: normal;
}
th, td {
  padding: 5px 10px; border-bottom: 1px solid var(--rule); text-align: left;
  vertical-align: top; font-weight: 400;
}
thead th {
  font-size: 13px; color: var(--quiet); border-bottom-color: var(--quiet); vertical-align: bottom;
}
tbody th { font-weight: 600; }
.right { text-align: right; }
td small { display: block; }
td b { font-weight: 400; }
.box tbody th { overflow-wrap: anywhere; min-width: 9em; }
.facts { table-layout: fixed; }
.facts th { font-weight: 400; color: var(--quiet); width: 170px; }
.facts th, .facts td { overflow-wrap: anywhere; }
.tight td { white-space: nowrap; }
.mark { font-weight: 600; white-space: nowrap; }
.mark.pass { color: var(--pass); }
.mark.fail { color: var(--fail); }
.mark.unknown, .mark.warn { color: var(--unknown); }
.mark.pass::before { content: "\\2713\\2002"; }
.mark.fail::before { content: "\\2717\\2002"; }
.mark.unknown::before { content: "?\\2002"; }
.mark.warn::before { content: "!\\2002"; }
tr.fail > * { background: var(--fail-tint); }
tr.unknown > *, tr.warn > * { background: var(--unknown-tint); }

.legend { display: flex; flex-wrap: wrap; gap: 2px 24px; margin: 8px 0; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 8px; }
.legend small { white-space: nowrap; }
.swatch { flex: none; }
svg { display: block; }
.plot svg { width: 100%; height: auto; }
.plot.narrow { display: none; }
figcaption { font-size: 13px; color: var(--quiet); margin-top: 4px; max-width: 60em; }
.tick, .label { font-size: 12px; fill: var(--quiet); }
.grid { stroke: var(--grid); stroke-width: 1; fill: none; }
.axis { stroke: var(--quiet); stroke-width: 1; fill: none; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.line.series0 { stroke-width: 4; }
.line.series1 { stroke-dasharray: 9 3; }
.line.series2 { stroke-width: 2.5; }
.line.series3 { stroke-dasharray: 3 3; }
.line.steps { stroke-width: 1.5; }
.band { fill: currentColor; opacity: 0.16; }
.area { fill: currentColor; opacity: 0.1; }
.point { fill: currentColor; stroke: var(--paper); stroke-width: 1; }
.finding { fill: var(--fail); }
.series0 { color: var(--series0); }
.series1 { color: var(--series1); }
.series2 { color: var(--series2); }
.series3 { color: var(--series3); }

details { border: 1px solid var(--rule); border-radius: 6px; padding: 8px 14px; margin-top: 8px; }
details[open] { padding-bottom: 14px; }
section > .more { margin-top: 8px; }
summary { cursor: pointer; font-weight: 600; }
.names { display: flex; flex-wrap: wrap; gap: 0 20px; margin: 6px 0; }
.names small { margin-right: 6px; }
footer {
  margin-top: 40px; border-top: 1px solid var(--rule); padding-top: 12px; font-size: 13px;
  color: var(--quiet);
}

@media (min-width: 701px) {
  .right { white-space: nowrap; }
}
@media (max-width: 700px) {
  body { padding: 16px 16px 32px; font-size: 14px; }
  section { margin-top: 32px; }
  .banner { padding: 14px 16px; }
  .banner h1 { font-size: 26px; }
  .banner h1 small { display: block; margin: 2px 0 0; font-size: 17px; }
  .box { padding: 12px 16px; }
  .plot.broad { display: none; }
  .plot.narrow { display: block; max-width: 480px; }
  .facts th { width: 116px; }
  .tight tbody th { min-width: 8em; }
  section:not(.box) .tight tbody th { position: sticky; left: 0; background: var(--paper); }
  .wide { margin: 0 -5px; }
  table { font-size: 13px; }
  th, td { padding: 5px; }
  thead th, td small { font-size: 12px; }
}
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { margin-top: 20pt; }
  .wide { overflow: visible; }
  h2, h3, summary { break-after: avoid; }
  tr, figure, details, .banner { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
"""
