"""The compiled readers, which every machine of ours has and a user's may lack."""

import os
from importlib import import_module
from types import ModuleType

import pytest

READERS = ("streamgauge.wire._frames", "streamgauge.protocol._native")


def compiled(name: str) -> ModuleType:
    """The module; where it is missing its tests cannot be made, which fails in CI and is said elsewhere."""
    try:
        return import_module(name)
    except ImportError:
        why = (
            f"{name} is not compiled: there was no C compiler when streamgauge was installed; "
            "install gcc and Python's headers, then `make clean` and again"
        )
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
