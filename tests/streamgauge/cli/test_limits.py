import resource

import pytest

from streamgauge.cli.errors import UsageProblem
from streamgauge.cli.limits import require_files

UNLIMITED = resource.RLIM_INFINITY


class Kernel:
    """Keeps the limit on open files, and what it was set to."""

    def __init__(self) -> None:
        self.limit = (0, 0)
        self.most: int | None = None
        self.set: list[tuple[int, int]] = []

    def getrlimit(self, what: int) -> tuple[int, int]:
        assert what == resource.RLIMIT_NOFILE
        return self.limit

    def setrlimit(self, what: int, limit: tuple[int, int]) -> None:
        assert what == resource.RLIMIT_NOFILE
        if self.most is not None and limit[0] > self.most:
            raise ValueError("not allowed to raise maximum limit")
        self.set.append(limit)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(resource, "getrlimit", kernel.getrlimit)
    monkeypatch.setattr(resource, "setrlimit", kernel.setrlimit)
    return kernel


@pytest.mark.parametrize(
    ("sockets", "processes", "limit"),
    [
        (924, 1, (1024, 4096)),
        (1, 1, (101, 101)),
        (2_000, 4, (600, 600)),
        (10**6, 1, (UNLIMITED, UNLIMITED)),
    ],
)
def test_a_limit_that_suffices_is_left_alone(
    kernel: Kernel, sockets: int, processes: int, limit: tuple[int, int]
) -> None:
    kernel.limit = limit
    require_files(sockets, processes)
    assert kernel.set == []


@pytest.mark.parametrize(
    ("sockets", "processes", "hard", "soft_then"),
    [
        (925, 1, 4096, 1025),
        (3_996, 1, 4096, 4096),
        (5_001, 2, 4096, 2601),
        (5_001, 2, UNLIMITED, 2601),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_needed(
    kernel: Kernel, sockets: int, processes: int, hard: int, soft_then: int
) -> None:
    kernel.limit = (1024, hard)
    require_files(sockets, processes)
    assert kernel.set == [(soft_then, hard)]


@pytest.mark.parametrize(
    ("sockets", "processes", "hard", "says"),
    [
        (
            3_997,
            1,
            4096,
            "about 3996 sockets would fit into 1, 3997 were asked for; raise it (ulimit -n 4097)",
        ),
        (
            8_000,
            2,
            4096,
            "about 7992 sockets would fit into 2, 8000 were asked for; raise it (ulimit -n 4100)",
        ),
        (1, 1, 50, "about 0 sockets would fit into 1, 1 were asked for; raise it (ulimit -n 101)"),
    ],
)
def test_a_hard_limit_that_is_too_low_is_said_with_what_would_fit(
    kernel: Kernel, sockets: int, processes: int, hard: int, says: str
) -> None:
    kernel.limit = (50, hard)
    with pytest.raises(UsageProblem) as refused:
        require_files(sockets, processes)
    assert says in str(refused.value)
    assert f"the limit on open files is {hard} a process" in str(refused.value)
    assert kernel.set == []


def test_a_kernel_that_has_a_limit_of_its_own_is_said(kernel: Kernel) -> None:
    kernel.limit, kernel.most = (256, UNLIMITED), 10_240
    with pytest.raises(UsageProblem, match=r"cannot be raised to 20100 .*; use fewer users"):
        require_files(20_000, 1)
