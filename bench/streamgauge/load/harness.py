"""Hangs a run on Locust's events: alone, as a worker, or as the master of workers.

Locust starts and stops the users; this begins and ends what measures them. A
worker ships its share when its users have stopped; the master asks for the shares
before it lets Locust send its workers home, which would not wait for them.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

import gevent
import msgspec
from gevent.event import Event as Flag
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from streamgauge.load.bench import Bench, Share, Snapshot
from streamgauge.load.outcome import Outcome, conclude_run
from streamgauge.load.progress import Progress
from streamgauge.load.user import begin
from streamgauge.plan import Plan, load_plan
from streamgauge.results import new_folder

SECRET_VARIABLE: Final = "STREAMGAUGE_SECRET"  # noqa: S105 - the name of a variable
_SHARE: Final = "streamgauge-share"
_DRAIN: Final = "streamgauge-drain"
_TELL_LOCUST_S: Final = 0.1
_LATE_SHARE_S: Final = 10  # beyond the drain: what a worker may take to ship its share


def scenario(locustfile: str) -> None:
    """Make a Locust file a scenario: its plan without flags stands beside it, as TOML."""
    path = Path(locustfile).with_suffix(".toml")
    harness = Harness(load_plan(path.read_text(encoding="utf-8"), str(path)))
    events.init_command_line_parser.add_listener(harness.add_options)
    events.init.add_listener(harness.init)
    events.test_start.add_listener(harness.start)
    events.test_stopping.add_listener(harness.stopping)
    events.test_stop.add_listener(harness.stop)
    events.user_error.add_listener(harness.user_error)
    events.report_to_master.add_listener(harness.report_to_master)
    events.worker_report.add_listener(harness.worker_report)
    events.quitting.add_listener(harness.quitting)
    events.quit.add_listener(harness.quit)


class Harness:
    """One Locust process's part of one run after another."""

    def __init__(self, defaults: Plan) -> None:
        self._defaults = defaults
        self._bench: Bench | None = None
        self._plan = defaults
        self._folder = Path()
        self._progress: Progress | None = None
        self._teller: gevent.Greenlet[..., None] | None = None
        self._shares: list[Share] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._expected: set[str] = set()
        self._shared = Flag()
        self._outcome: Outcome | None = None
        self._cut_short = False
        self._running = False

    # before a run

    def add_options(self, parser: LocustArgumentParser, **_: object) -> None:
        """Locust's own options give users, ramp, duration and host; the plan gives the rest."""
        group = parser.add_argument_group("streamgauge")
        group.add_argument("--plan", dest="sg_plan", default="", help="A plan (TOML) instead of the defaults")
        group.add_argument("--out", dest="sg_out", default="", help="Result folder (default: a new one)")

    def init(self, environment: Environment, runner: Any, **_: object) -> None:
        """Locust's default would kill runs in flight: let them drain."""
        self._environment = environment
        environment.stop_timeout = self._defaults.drain
        # not Python's own handler: its KeyboardInterrupt would strike in any greenlet or callback
        gevent.signal_handler(signal.SIGINT, self._interrupted)
        if isinstance(runner, MasterRunner):
            runner.register_message(_SHARE, self._take_share)
        elif isinstance(runner, WorkerRunner):
            runner.register_message(_DRAIN, self._drain, concurrent=True)

    def _planned(self) -> Plan:
        """The plan of this run: the file, or the defaults with Locust's options over them."""
        options, runner = _options(self._environment), _runner(self._environment)
        if options.sg_plan:
            path = Path(options.sg_plan)
            return load_plan(path.read_text(encoding="utf-8"), str(path))
        changes: dict[str, Any] = {"target": self._environment.host or self._defaults.target}
        if runner.target_user_count:
            changes["users"] = runner.target_user_count
        if options.spawn_rate:
            changes["spawn_rate"] = options.spawn_rate
        if options.run_time:
            changes["duration"] = options.run_time
        return msgspec.structs.replace(self._defaults, **changes)

    # a run

    def start(self, environment: Environment, **_: object) -> None:
        """A run begins: alone or as master decide its plan and folder, as worker take them over."""
        runner = _runner(environment)
        self._shares, self._snapshots, self._outcome = [], {}, None
        self._shared.clear()
        self._running, self._cut_short = True, False
        options = _options(environment)
        if isinstance(runner, WorkerRunner):
            self._plan = msgspec.json.decode(options.sg_run["plan"], type=Plan)
            self._folder = Path(options.sg_run["folder"])
        else:
            self._plan = self._planned()
            self._folder = Path(options.sg_out or new_folder(Path("results"), self._plan.scenario))
            # what is not known to Locust itself is shipped to the workers
            options.sg_run = {"plan": msgspec.json.encode(self._plan).decode(), "folder": str(self._folder)}
            self._progress = Progress(self._snapshot, self._plan.duration)
        environment.stop_timeout = self._plan.drain
        if isinstance(runner, MasterRunner):
            self._expected = {client.id for client in runner.clients.all}
            return
        secret = os.environ.get(SECRET_VARIABLE, "")
        index = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        self._bench = Bench(self._plan, runner.client_id, index, self._folder, secret)
        begin(self._bench)
        self._teller = gevent.spawn(self._tell_locust, self._bench)

    def _tell_locust(self, bench: Bench) -> None:
        """Feed Locust's own statistics, once a run; nothing in a report comes from there."""
        while True:
            gevent.sleep(_TELL_LOCUST_S)
            while bench.finished:
                run = bench.finished.popleft()
                self._environment.events.request.fire(
                    request_type="RUN",
                    name=run.name,
                    response_time=run.took_ms,
                    response_length=0,
                    exception=RuntimeError(run.error) if run.error else None,
                    context={},
                )

    def _snapshot(self) -> Snapshot:
        if self._bench is not None:
            return self._bench.snapshot()
        return sum(self._snapshots.values(), Snapshot())

    def user_error(self, exception: Exception, **_: object) -> None:
        """A scenario's own code failed: the load was not the planned one."""
        if self._bench is not None:
            self._bench.trouble(f"{type(exception).__name__} in a user's task: {exception}")

    def report_to_master(self, data: dict[str, Any], **_: object) -> None:
        """A worker says how far it is."""
        if self._bench is not None:
            data["streamgauge"] = msgspec.to_builtins(self._bench.snapshot())

    def worker_report(self, client_id: str, data: dict[str, Any], **_: object) -> None:
        """The master hears how far a worker is."""
        if "streamgauge" in data:
            self._snapshots[client_id] = msgspec.convert(data["streamgauge"], Snapshot)

    # its end

    def stopping(self, environment: Environment, **_: object) -> None:
        """The master has its workers drain, and waits for their shares."""
        runner = environment.runner
        if isinstance(runner, MasterRunner) and self._running:
            runner.send_message(_DRAIN)
            self._shared.wait(self._plan.drain + _LATE_SHARE_S)

    def _drain(self, environment: Environment, **_: object) -> None:
        _runner(environment).stop()

    def _take_share(self, msg: Any, **_: object) -> None:
        self._shares.append(msgspec.msgpack.decode(msg.data["share"], type=Share))
        if len(self._shares) >= len(self._expected):
            self._shared.set()

    def stop(self, environment: Environment, **_: object) -> None:
        """All users have stopped: ship the share, or conclude."""
        if not self._running:
            return
        self._running = False
        runner = environment.runner
        if self._bench is not None:
            if self._teller is not None:
                self._teller.kill()
            share = self._bench.finish()
            self._bench = None
            if isinstance(runner, WorkerRunner):
                runner.send_message(_SHARE, {"share": msgspec.msgpack.encode(share)})
                return
            self._shares = [share]
            self._expected = {share.worker}
        if self._progress is not None:
            self._progress.stop()
        missing = len(self._expected) - len(self._shares)
        self._outcome = conclude_run(
            self._plan, self._folder, self._shares, missing=missing, cut_short=self._cut_short
        )
        environment.process_exit_code = self._outcome.exit_code
        if environment.web_ui is not None:
            _print(self._outcome.text)

    def _interrupted(self) -> None:
        """Ctrl-C: drain and conclude; the second one does not wait any longer."""
        environment = self._environment
        if isinstance(environment.runner, WorkerRunner) and self._running:
            return  # the master was interrupted too, and will say when to drain
        if not self._running:
            raise KeyboardInterrupt  # gevent brings it to the main greenlet
        if self._cut_short:
            self.stop(environment)
            self.quit()
            os._exit(environment.process_exit_code or 0)
        self._cut_short = True
        _runner(environment).quit()
        if environment.web_ui is not None:
            environment.web_ui.stop()

    def quitting(self, environment: Environment, **_: object) -> None:
        """Locust is told to end with the run still going (SIGTERM): drain and conclude first."""
        if self._running and not isinstance(environment.runner, WorkerRunner):
            self._cut_short = True
            _runner(environment).stop()

    def quit(self, **_: object) -> None:
        """Locust has printed its own statistics: the verdict comes last."""
        if self._outcome is not None:
            _print(self._outcome.text)


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _runner(environment: Environment) -> Any:
    """Locust's runner, which is there from `init` on."""
    assert environment.runner is not None
    return environment.runner


def _options(environment: Environment) -> Any:
    """The command line, which is there wherever a Locust file is run."""
    assert environment.parsed_options is not None
    return environment.parsed_options
