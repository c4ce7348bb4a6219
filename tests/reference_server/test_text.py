from hypothesis import given
from hypothesis import strategies as st

from reference_server.text import divided, padded


@given(text=st.text(), size=st.integers(0, 500))
def test_padded_has_the_size_and_begins_with_the_text(text: str, size: int) -> None:
    found = padded(text, size)
    assert found.startswith(text)
    assert len(found.encode()) == max(size, len(text.encode()))


@given(text=st.text(), parts=st.integers(1, 60))
def test_divided_gives_so_many_non_empty_pieces_of_the_text(text: str, parts: int) -> None:
    pieces = divided(text, parts)
    assert len(pieces) == parts
    assert all(pieces)
    assert "".join(pieces).startswith(text)
