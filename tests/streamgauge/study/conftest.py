"""What studies are made of: whole reports, as `report` tests make them."""

from tests.streamgauge.report.conftest import make

__all__ = ["make"]
