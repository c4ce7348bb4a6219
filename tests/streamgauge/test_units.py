import pytest

from streamgauge.units import seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500ms", 0.5),
        ("30s", 30.0),
        ("30", 30.0),
        ("1.5m", 90.0),
        ("2h", 7200.0),
        (" 3 s ", 3.0),
        ("0", 0.0),
    ],
)
def test_a_duration_is_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["", "soon", "-1s", "1d", "1m30s", "1,5s", ".5s", "1.s", "inf", "nan", "1e3", "s"]
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write 500ms, 30s, 5m or 1h") as refused:
        seconds(text)
    assert str(refused.value).startswith(repr(text))
