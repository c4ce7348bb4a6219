"""Tells the two pytests apart (tests/streamgauge/load/conftest.py): only the inner one may import gevent."""

import sys
from typing import Final

INSIDE: Final = "gevent" in sys.modules
