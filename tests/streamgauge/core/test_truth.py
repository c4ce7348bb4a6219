import pytest

from streamgauge.core.truth import Sent, TruthError, decode, encode


def test_what_is_written_is_read() -> None:
    truth = [Sent("r-1", 1, 10, 20, 30), Sent("r-1", 2, 2**62, 2**62 + 1, 2**62 + 2)]
    assert encode(truth).splitlines()[0] == b'["r-1",1,10,20,30]'
    assert decode(encode(truth)) == truth
    assert decode(encode([])) == []


@pytest.mark.parametrize("data", [b"hello", b'["r-1",1,10,20]', b'["r-1",1,10,20,30]\n["r-1",2'])
def test_what_is_damaged_is_no_truth(data: bytes) -> None:
    with pytest.raises(TruthError, match="no truth file"):
        decode(data)
