"""`streamgauge serve`: the reference server, as a process of its own."""

import os
import sys

import typer


def serve(context: typer.Context) -> None:
    """Start the reference server (`streamgauge serve --help` shows its options)."""
    # the server's room and ours never import each other: become it
    os.execv(sys.executable, [sys.executable, "-m", "reference_server", *context.args])  # noqa: S606
