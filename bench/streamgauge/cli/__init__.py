"""The command `streamgauge`: one file a sub-command; they compose, and hold no logic."""

from streamgauge.cli.app import main

__all__ = ["main"]
