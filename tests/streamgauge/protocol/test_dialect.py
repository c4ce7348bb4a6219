import pytest

from streamgauge.protocol.dialect import context_digest


def test_a_digest_is_short_and_the_same_for_the_same_context() -> None:
    assert context_digest({"a": "1", "b": ["x"]}) == context_digest({"b": ["x"], "a": "1"})
    assert len(context_digest({})) == 16


@pytest.mark.parametrize(
    "other", [{}, {"a": "2"}, {"a": 1}, {"b": "1"}, {"a": "1", "b": "1"}, ["a", "1"], None]
)
def test_another_context_has_another_digest(other: object) -> None:
    assert context_digest(other) != context_digest({"a": "1"})
