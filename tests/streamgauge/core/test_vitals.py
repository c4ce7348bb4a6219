import pytest

from streamgauge.core.histogram import Distribution, Histogram
from streamgauge.core.vitals import Sampled, Ticks, Vitals, machine_ticks, resident_pages, run_queue_wait_ns

STAT = "cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n"


def seconds(*shares: float) -> Distribution:
    histogram = Histogram()
    for share in shares:
        histogram.add(int(share * 1e9))
    return histogram.distribution()


@pytest.mark.parametrize(
    ("text", "waited"),
    [
        ("1234 567 8\n", 567),
        ("1234 0 8\n", 0),
        ("0 0 0\n", None),  # a kernel that does not keep count says so
        ("", None),
        ("1234", None),
        ("no figures here", None),
    ],
)
def test_the_wait_in_the_run_queue(text: str, waited: int | None) -> None:
    assert run_queue_wait_ns(text) == waited


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        (STAT, Ticks(80, 360)),  # a guest's time is in its host's user time already
        ("cpu 1 2 3 4 5 6 7 0\n", Ticks(0, 28)),
        ("cpu 1 2 3 4 5 6 7\n", None),
        ("cpu0 1 2 3 4 5 6 7 8\n", None),
        ("cpu 1 2 3 4 5 6 7 x\n", None),
        ("", None),
    ],
)
def test_what_the_machines_processors_did(text: str, ticks: Ticks | None) -> None:
    assert machine_ticks(text) == ticks


def test_steal_is_a_share_of_what_passed_between() -> None:
    assert Ticks(30, 500).share_since(Ticks(10, 300)) == 0.1
    assert Ticks(10, 300).share_since(Ticks(10, 300)) is None
    assert Ticks(9, 400).share_since(Ticks(10, 300)) == 0  # it has been seen to run backwards


def test_processor_time_is_that_of_the_busiest_tenth_of_seconds() -> None:
    assert Vitals(cpu=seconds(*[0.2] * 8, 0.9, 0.9)).cpu_share == pytest.approx(0.9, rel=0.01)
    assert Vitals(cpu=seconds(*[0.2] * 9, 0.9)).cpu_share == pytest.approx(0.2, rel=0.01)
    assert Vitals(cpu=seconds(0.9, 0.9)).cpu_share is None


def test_the_wait_is_a_share_of_the_time() -> None:
    assert Vitals(lasted_ns=1_000, waited_ns=250).waited == 0.25
    assert Vitals(lasted_ns=1_000, waited_ns=0).waited == 0
    assert Vitals(lasted_ns=1_000).waited is None
    assert Vitals(waited_ns=0).waited is None


def test_the_error_of_a_mean_of_samples() -> None:
    assert Sampled().mean == Sampled().error == Sampled(1, 5, 25).error == 0
    assert Sampled(4, 20, 100).error == 0
    of = Sampled(4, 2 + 4 + 4 + 6, 4 + 16 + 16 + 36)
    assert of.mean == 4
    assert of.error == pytest.approx((8 / 3 / 4) ** 0.5)  # the sample's variance over its size


@pytest.mark.parametrize(
    ("statm", "pages"), [("900 77 5 1 0 3 0\n", 77), ("", None), ("900", None), ("a b", None)]
)
def test_resident_memory_is_the_second_figure_of_statm(statm: str, pages: int | None) -> None:
    assert resident_pages(statm) == pages
