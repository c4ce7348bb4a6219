"""What a run came to, and how it is shown: pure functions from `Report` to text.

`model` holds the data, `conclude` draws the verdict, `wording` makes sentences of
findings; one file a renderer: JSON, terminal text, Markdown, JUnit, HTML, the
last with its plots (`svg`, `plot_…`), its elements (`markup`) and its looks (`style`).
"""
