from __future__ import annotations

from streamgauge.core.ownership import Owner, OwnerIndex, Owners, Settlements, digest

ANN, BOB = Owner("ann", 1), Owner("bob", 2)
ANNS_TAB = Owner("ann", 3)


def owners(*runs: tuple[str, Owner]) -> OwnerIndex:
    return OwnerIndex(Owners.of(runs))


def test_a_run_is_its_users() -> None:
    index = owners(("r1", ANN), ("r2", BOB))
    assert index.owners("r1") == [ANN]
    assert index.owners("r2") == [BOB]
    assert index.owners("r3") == []
    assert index.shared() == {}


def test_of_several_connections_the_first_counts() -> None:
    assert owners(("r1", ANNS_TAB), ("r1", ANN)).owners("r1") == [ANN]
    assert owners(("r1", ANNS_TAB), ("r1", ANN)).shared() == {}


def test_a_run_of_two_users_is_told() -> None:
    index = owners(("r1", BOB), ("r1", ANN), ("r2", ANN))
    assert index.owners("r1") == [ANN, BOB]
    assert index.shared() == {"r1": [ANN, BOB]}


def test_of_runs_those_that_were_settled_for_anybody_are_told_apart() -> None:
    index = owners(("r1", BOB), ("r1", ANN), ("r2", ANN))
    assert index.among({digest("r1"), digest("r2"), digest("r3")}) == 2
    assert index.among(set()) == OwnerIndex(Owners()).among({digest("r1")}) == 0
    assert index.shared_digests() == {digest("r1")}


def test_what_two_processes_know_is_one() -> None:
    merged = Owners.of([("r1", BOB), ("r2", BOB)]).merge(Owners.of([("r1", ANN), ("r3", ANN)]))
    index = OwnerIndex(merged)
    assert index.shared() == {"r1": [ANN, BOB]}
    assert index.owners("r2") == [BOB]
    assert index.owners("r3") == [ANN]
    assert merged == Owners().merge(merged)


def test_old_runs_are_known_by_digest_and_newer_ones_by_name() -> None:
    settlements = Settlements(named=2)
    for run, conn in [("r1", 1), ("r2", 1), ("r3", 2), ("r4", 2), ("r5", 2), ("r1", 2)]:
        settlements.add(run, conn)
    assert settlements.have("r1", 1)
    assert settlements.have("r1", 2)
    assert not settlements.have("r2", 2)
    index = OwnerIndex(settlements.owners({1: "ann", 2: "bob"}))
    assert [index.owners(run) for run in ("r2", "r5")] == [[ANN], [BOB]]
    ((name, users),) = index.shared().items()
    assert name.startswith("digest ")
    assert users == [ANN, BOB]


def test_a_run_that_comes_again_soon_keeps_its_name() -> None:
    settlements = Settlements(named=3)
    for run, conn in [("r1", 1), ("r1", 2), ("r2", 1), ("r3", 1), ("r4", 1)]:
        settlements.add(run, conn)
    assert OwnerIndex(settlements.owners({1: "ann", 2: "bob"})).shared() == {"r1": [ANN, BOB]}


def test_a_process_keeps_sixteen_bytes_of_a_run() -> None:
    settlements = Settlements()
    for number in range(10_000):
        settlements.add(f"r{number}", 1)
    state = settlements.owners({1: "ann"})
    assert len(state.owned) == 160_000
    assert len(state.names) < 5_000


def test_runs_that_were_not_whole_are_remembered() -> None:
    settlements = Settlements()
    settlements.add("r1", 1, whole=False)
    settlements.add("r1", 2)
    settlements.add("r2", 1)
    partial = settlements.partial()
    assert (partial("r1"), partial("r2"), partial("r3")) == (True, False, False)


def test_of_those_only_the_newest_are() -> None:
    settlements = Settlements(named=2)  # and so 512 of them at most
    for number in range(513):
        settlements.add(f"r{number}", 1, whole=False)
    partial = settlements.partial()
    assert [partial(f"r{number}") for number in (0, 255, 256, 512)] == [False, False, True, True]
    settlements.add("r513", 1, whole=False)
    assert settlements.partial()("r256")
