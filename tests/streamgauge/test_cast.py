from itertools import count, islice
from pathlib import Path

import msgspec

from streamgauge.cast import Cast, Part, load_cast

SECOND = 1_000_000_000
PART = Part("u0-7", 2 * SECOND, (10 * SECOND, 12 * SECOND), (7,))


def test_a_user_asks_when_it_asked_then_and_never_after() -> None:
    cast = Cast((PART,), starts_ns=9 * SECOND, from_ns=11 * SECOND)
    first, second, then, never = islice(cast.schedule(PART, 100 * SECOND, count()), 4)
    assert (first, second) == (101 * SECOND, 103 * SECOND)
    assert then == never > 3_600 * SECOND


def test_its_own_schedule_is_drawn_as_often_as_it_asks() -> None:
    drawn = count()
    list(islice(Cast((PART,)).schedule(PART, 0, drawn), 5))
    assert next(drawn) == 5


def test_a_cast_is_read_as_it_was_written(tmp_path: Path) -> None:
    cast = Cast((PART,), 9 * SECOND, 11 * SECOND)
    (tmp_path / "cast.json").write_bytes(msgspec.json.encode(cast))
    assert load_cast(tmp_path / "cast.json") == cast
