from reference_server.rate import TokenBucket

SECOND = 10**9


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    bucket = TokenBucket(per_s=2, burst=3, now_ns=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(SECOND) for _ in range(3)] == [True, True, False]


def test_patience_never_saves_up_more_than_the_burst() -> None:
    bucket = TokenBucket(per_s=2, burst=3, now_ns=0)
    assert [bucket.take(100 * SECOND) for _ in range(4)] == [True, True, True, False]
