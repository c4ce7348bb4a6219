import pytest

from tests.support.compiled import compiled


@pytest.fixture(name="compiled", scope="session")
def compiled_reader() -> None:
    """What is tested is there: without it every message would be read one by one, and nothing be seen."""
    compiled("streamgauge.protocol._native")
