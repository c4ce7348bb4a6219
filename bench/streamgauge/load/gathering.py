"""What the master of workers gathers: how far each is, who takes part, and their shares at the end."""

import time
from typing import Any, Final

import gevent
import msgspec
from locust.runners import STATE_MISSING, STATE_RUNNING, MasterRunner, WorkerRunner
from msgspec.structs import replace

from streamgauge.load.bench import Share, Snapshot
from streamgauge.load.crew import Crew

LATE_SHARE_S: Final = 10  # beyond the drain: what a worker may take to ship its share
_SHARE: Final = "streamgauge-share"
_BEGAN: Final = "streamgauge-began"
_LOOK_S: Final = 0.1  # how often the master looks who is still to be waited for


def tell_begun(runner: WorkerRunner) -> None:
    """Have the master know that this worker takes part."""
    runner.send_message(_BEGAN)


def ship(runner: WorkerRunner, share: Share) -> None:
    """Bring this worker's share to its master."""
    runner.send_message(_SHARE, {"share": msgspec.msgpack.encode(share)})


class Gathering:
    """One run of several workers after the other, each until all shares are here."""

    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner
        self._open = False
        self._snapshots: dict[str, Snapshot] = {}
        runner.register_message(_SHARE, self._take_share)
        runner.register_message(_BEGAN, self._worker_began)

    def begin(self) -> None:
        """A run begins, with the workers that are here."""
        self._began_s = time.monotonic()
        self._snapshots = {}
        self._asked = False
        self._open = True
        self._given_work: set[str] = set()
        self.shares: list[Share] = []
        self.crew = Crew(self._here())

    def _here(self) -> set[str]:
        return {client.id for client in self._runner.clients.all if client.state != STATE_MISSING}

    def _worker_began(self, msg: Any, **_: object) -> None:
        """One that comes when the run is under way is awaited at its end as the others are."""
        if self._open:
            self.crew.began(msg.node_id, time.monotonic() - self._began_s)

    def snapshot(self) -> Snapshot:
        """How far all are together."""
        if not self._open:
            return Snapshot()
        for client in self._runner.clients.all:  # Locust forgets the users of a worker that is missing
            self.crew.had(client.id, client.user_count)
        return sum(self._snapshots.values(), Snapshot())

    def give_all_work(self) -> None:
        """Have users moved to a late worker that Locust overlooked.

        It moves them itself, but for those workers that come in the second after the ramp.
        """
        runner = self._runner
        idle = {client.id for client in runner.clients.ready} - self._given_work
        if idle and runner.state == STATE_RUNNING:
            self._given_work |= idle
            runner.start(runner.target_user_count, runner.spawn_rate)

    def hear(self, worker: str, snapshot: Snapshot) -> None:
        """A worker says how far it is."""
        self._snapshots[worker] = snapshot

    def _take_share(self, msg: Any, **_: object) -> None:
        if not self._open:
            return  # its worker was reported missing
        share = msgspec.msgpack.decode(msg.data["share"], type=Share)
        self.shares.append(share)
        self.crew.brought(share.worker, time.monotonic() - self._began_s, asked=self._asked)
        if share.worker in self._snapshots:
            self._snapshots[share.worker] = replace(self._snapshots[share.worker], users=0)

    def wait(self, drain_s: float) -> None:
        """Wait for the shares: until the workers have drained, but not as long for those that fell silent."""
        self._asked = True
        began_s = time.monotonic()
        while self.crew.awaited() and (waited_s := time.monotonic() - began_s) < drain_s + LATE_SHARE_S:
            if waited_s > LATE_SHARE_S and not self.crew.awaited() & self._here():
                return
            gevent.sleep(_LOOK_S)

    def end(self) -> None:
        """What comes from now on is nobody's."""
        self._open = False
