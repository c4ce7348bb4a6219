"""Begins and ends a run as Locust does: alone, as a worker, or as the master of workers.

Locust starts and stops the users; this begins and ends what measures them. A
worker ships its share when its users have stopped; the master asks for the shares
before it lets Locust send its workers home, which would not wait for them.
"""

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

import gevent
import msgspec
from gevent.event import Event as Flag
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from streamgauge.cast import load_cast
from streamgauge.exit_code import INCONCLUSIVE, INTERRUPTED, USAGE
from streamgauge.load import interpreter, orders
from streamgauge.load.bench import Bench, Snapshot
from streamgauge.load.crew import Crew
from streamgauge.load.gathering import LATE_SHARE_S, Gathering, ship, tell_begun
from streamgauge.load.locust_stats import tell
from streamgauge.load.options import SECRET_VARIABLE, add_options, options_of, planned, runner_of
from streamgauge.load.outcome import Outcome, conclude_run
from streamgauge.load.progress import Progress
from streamgauge.load.server_metrics import Holding, Inquiry
from streamgauge.load.user import begin
from streamgauge.load.watch import CAPPED, await_early_end, inquire
from streamgauge.plan import ATTACK, Plan, PlanError
from streamgauge.results import new_folder
from streamgauge.trust import trust

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DRAIN: Final = "streamgauge-drain"
_LET_GO: Final = "streamgauge-let-go"
_TELL_LOCUST_S: Final = 0.1


class Harness:
    """One Locust process's part of one run after another."""

    def __init__(self, defaults: Plan, lacks_plan: str = "") -> None:
        self._defaults = defaults
        self._lacks_plan = lacks_plan  # why there are no defaults
        self._bench: Bench | None = None
        self._last: Bench | None = None  # of the run before
        self._initialised = Flag()
        self._plan = defaults
        self._folder = Path()
        self._progress: Progress | None = None
        self._teller: gevent.Greenlet[..., None] | None = None
        self._gathering: Gathering | None = None
        self._outcome: Outcome | None = None
        self._cut_short = False
        self._aborted = ""
        self._capped = False
        self._hurried = False
        self._stopping = False
        self._concluded = Flag()
        self._concluded.set()  # there is nothing to wait for
        self._watcher: gevent.Greenlet[..., None] | None = None
        self._running = False
        self._inquiry: Inquiry | None = None

    # before a run

    def add_options(self, parser: LocustArgumentParser, **_: object) -> None:
        """Locust's own options give users, ramp, duration and host; the plan gives the rest."""
        for number in _SIGNALS:
            signal.signal(number, _too_early)
        add_options(parser)

    def init(self, environment: Environment, runner: Any, **_: object) -> None:
        """Locust's default would kill runs in flight: let them drain."""
        self._environment = environment
        environment.stop_timeout = self._defaults.drain
        # they are told last to first: this, before Locust's runner takes leave of its master or its workers
        environment.events.quitting.add_listener(self.quitting)
        # its clock stood still while Python imported: by that much a run would be too short
        gevent.get_hub().loop.update_now()
        # not Python's own handler: its KeyboardInterrupt would strike in any greenlet or callback
        gevent.signal_handler(signal.SIGINT, self._interrupted)
        gevent.signal_handler(signal.SIGHUP, self._told_to_end)
        gevent.signal_handler(signal.SIGTERM, self._terminated)
        options = options_of(environment)
        if options.sg_verdict_only:
            logging.getLogger("locust.stats_logger").disabled = True
        if options.sg_lasts and not isinstance(runner, WorkerRunner):
            options.run_time = options.sg_lasts  # it is taken up after this
        if isinstance(runner, MasterRunner):
            self._gathering = Gathering(runner)
        elif isinstance(runner, WorkerRunner):
            runner.register_message(_DRAIN, self._drain, concurrent=True)
            runner.register_message(_LET_GO, self._let_go, concurrent=True)
        self._initialised.set()

    # a run

    def start(self, environment: Environment, **_: object) -> None:
        """A run begins, unless what it was told cannot be: then nobody starts, and one line says why."""
        self._initialised.wait()  # a worker that joins a run is told to begin as soon as it is connected
        try:
            self._start(environment)
        except (PlanError, OSError, UnicodeDecodeError) as error:
            self._running = False
            self._concluded.set()
            begin(None)
            environment.process_exit_code = USAGE
            sys.stderr.write(f"streamgauge: {error}\n")
            if environment.web_ui is None:
                gevent.spawn(runner_of(environment).quit)

    def _start(self, environment: Environment) -> None:
        """Alone or as master decide the run's plan and folder, as worker take them over."""
        runner = runner_of(environment)
        self._outcome = None
        self._concluded.clear()
        self._running, self._stopping, self._cut_short = True, False, False
        if self._last is not None:
            self._last.bury_all()
        self._aborted, self._capped, self._hurried = "", False, False
        options = options_of(environment)
        if isinstance(runner, WorkerRunner):
            told = orders.taken(environment)
            self._plan, self._folder = told.plan, Path(told.folder)
        else:
            environment.process_exit_code = INCONCLUSIVE  # whatever comes, without an outcome it is no pass
            if self._lacks_plan and not options.sg_plan:
                raise PlanError(f"{self._lacks_plan}: write one (streamgauge plan init), or give --plan")
            self._plan = planned(environment, self._defaults)
            self._folder = Path(options.sg_out or new_folder(Path("results"), self._plan.name))
            shared_by = runner.worker_count if isinstance(runner, MasterRunner) else 1
            orders.give(environment, orders.Orders(self._plan, str(self._folder), shared_by))
            context = trust(self._plan.target, self._plan.ca_file)
            self._inquiry = Inquiry(self._plan.target, context, self._plan.linger)
            self._inquiry.begin()
            gevent.spawn(self._inquire, self._inquiry)
            self._progress = Progress(self._snapshot, self._plan.duration)
            self._watcher = gevent.spawn(self._watch)
        environment.stop_timeout = self._plan.drain
        if self._gathering is not None:
            self._gathering.begin()
            return
        interpreter.set_up(asks_at_once=any(persona.asks_at_once for persona in self._plan.personas))
        secret = os.environ.get(SECRET_VARIABLE, "")
        index = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        workers = orders.taken(environment).workers
        self._bench = Bench(
            self._plan, runner.client_id, index, self._folder, secret, workers, crowd=options.sg_crowd
        )
        if isinstance(runner, WorkerRunner):
            tell_begun(runner)
        begin(self._bench, load_cast(Path(options.sg_cast)) if options.sg_cast else None)
        self._teller = gevent.spawn(self._tell_locust, self._bench)

    def _tell_locust(self, bench: Bench) -> None:
        """Feed Locust's own statistics; nothing in a report comes from there."""
        while True:
            gevent.sleep(_TELL_LOCUST_S)
            tell(self._environment, bench.finished)

    def _snapshot(self) -> Snapshot:
        if self._bench is not None:
            return self._bench.snapshot()
        return self._gathering.snapshot() if self._gathering is not None else Snapshot()

    def user_error(self, exception: Exception, **_: object) -> None:
        """A scenario's own code failed: the load was not the planned one."""
        if self._bench is not None:
            self._bench.trouble(f"{type(exception).__name__} in a user's task: {exception}")

    def _watch(self) -> None:
        """Stop the run as Ctrl-C would, where it is to end early."""
        why = await_early_end(
            self._plan,
            lambda: self._running and not self._stopping,
            self._seen_by_the_watcher,
            lambda: runner_of(self._environment).user_count,
        )
        if why:
            self._capped = why == CAPPED
            self._aborted = "" if self._capped else why
            self._told_to_end()

    def _seen_by_the_watcher(self) -> Snapshot:
        if self._gathering is not None:
            self._gathering.give_all_work()
        return self._snapshot()

    def _inquire(self, inquiry: Inquiry) -> None:
        """Ask the server along this run, and no longer."""
        inquire(
            self._plan,
            inquiry,
            lambda: self._running and inquiry is self._inquiry,
            self._snapshot,
            self._holding,
        )

    def _holding(self) -> Holding | None:
        """What the server may hold of this run's; of several processes together nobody knows it at once."""
        alone = self._gathering is None and not self._plan.control and self._plan.name != ATTACK
        return self._bench.holding() if self._bench is not None and alone else None

    def report_to_master(self, data: dict[str, Any], **_: object) -> None:
        """A worker says how far it is."""
        if self._bench is not None:
            data["streamgauge"] = msgspec.to_builtins(self._bench.snapshot())

    def worker_report(self, client_id: str, data: dict[str, Any], **_: object) -> None:
        """The master hears how far a worker is."""
        if "streamgauge" in data and self._gathering is not None:
            self._gathering.hear(client_id, msgspec.convert(data["streamgauge"], Snapshot))

    # its end

    def stopping(self, environment: Environment, **_: object) -> None:
        """The master has its workers drain, and waits for their shares."""
        runner = runner_of(environment)
        again, self._stopping = self._stopping, True  # Locust's own end may come upon a drain
        if not self._running:
            return
        if self._inquiry is not None and not again:
            self._inquiry.users_are_told_to_stop()
        if self._gathering is not None:
            if not again:
                runner.send_message(_DRAIN, {"aborted": self._aborted, "cut_short": self._is_cut_short})
            self._gathering.wait(self._plan.drain)

    def _drain(self, environment: Environment, msg: Any, **_: object) -> None:
        self._aborted, self._cut_short = msg.data["aborted"], msg.data["cut_short"]
        runner_of(environment).stop()

    def _let_go(self, environment: Environment, **_: object) -> None:
        """End the drain that goes on: its runs are abandoned, and all else takes its course."""
        runner = environment.runner
        if isinstance(runner, MasterRunner):
            runner.send_message(_LET_GO)
            return
        if self._bench is not None:
            self._bench.let_go()

    def stop(self, environment: Environment, **_: object) -> None:
        """All users have stopped: ship the share, or conclude."""
        if not self._running:
            return
        self._running = False
        try:
            self._conclude(environment)
        finally:
            self._concluded.set()

    def _conclude(self, environment: Environment) -> None:
        runner = runner_of(environment)
        if self._bench is not None:
            if self._teller is not None:
                self._teller.kill()
                tell(self._environment, self._bench.finished)
            share = self._bench.finish(self._aborted, cut_short=self._is_cut_short)
            self._last, self._bench = self._bench, None  # its frozen sockets stay while the server is watched
            if isinstance(runner, WorkerRunner):
                ship(runner, share)
                return
            shares, crew = [share], Crew(())
        else:
            assert self._gathering is not None
            self._gathering.end()
            shares, crew = self._gathering.shares, self._gathering.crew
        if self._progress is not None:
            self._progress.stop()
        if self._watcher is not None and self._watcher is not gevent.getcurrent():
            self._watcher.kill()
        self._outcome = conclude_run(
            self._plan,
            self._folder,
            shares,
            missing=crew.missing(),
            changed=crew.changes(),
            cut_short=self._is_cut_short,
            aborted=self._aborted,
            inquiry=self._inquiry,
            there_is_time=lambda: not self._hurried,
        )
        environment.process_exit_code = self._outcome.exit_code
        if environment.web_ui is not None:
            self.quit()
        elif not shares:
            gevent.spawn(runner.quit)  # all workers are dead: Locust would wait for the run to be over

    @property
    def _is_cut_short(self) -> bool:
        """Whether it was stopped before its time, and not for a cap that was reached."""
        return self._cut_short and not self._capped

    def _interrupted(self) -> None:
        """Ctrl-C: drain and conclude; the second one does not wait for the drain, nor for the server."""
        self._hurried = self._hurried or self._cut_short or not self._running
        if self._running and self._cut_short:
            self._let_go(self._environment)
        else:
            self._told_to_end()

    def _told_to_end(self) -> None:
        """Drain and conclude, however often it is said."""
        environment = self._environment
        is_worker = isinstance(environment.runner, WorkerRunner)
        if self._running and not is_worker:  # a worker's master was told too, and will say when to drain
            if not self._cut_short:
                self._cut_short = True
                runner_of(environment).quit()
                if environment.web_ui is not None:
                    environment.web_ui.stop()
        elif self._running or not self._concluded.is_set():
            return  # the run is being concluded
        elif is_worker or environment.web_ui is not None:
            raise KeyboardInterrupt  # gevent brings it to the main greenlet
        elif environment.process_exit_code is None:
            sys.exit(INTERRUPTED)  # nothing has begun

    def _terminated(self) -> None:
        """SIGTERM, which Locust hears beside us: what has no run to conclude is its affair."""
        environment = self._environment
        is_worker = isinstance(environment.runner, WorkerRunner)
        if self._running or (environment.web_ui is None and not is_worker):
            self._told_to_end()

    def quitting(self, environment: Environment, **_: object) -> None:
        """Locust ends: with the run still going (SIGTERM) drain and conclude first, all in one place."""
        if self._running and not self._cut_short:
            self._cut_short = True
            runner_of(environment).stop()
        self._concluded.wait(self._plan.drain + LATE_SHARE_S + self._plan.linger)

    def quit(self, **_: object) -> None:
        """Locust has printed its own statistics: the verdict comes last, and once."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            sys.stdout.write(outcome.text)
            sys.stdout.flush()


def _too_early(*_: object) -> None:
    """A signal before `init`: end without a word, but let Locust send the workers home that it may have."""
    sys.exit(INTERRUPTED)
