"""Joins Locust to the core: users are greenlets that act, sockets are read by callbacks.

`user` is what a scenario subclasses; `connection` reads one socket with a libev
watcher and wakes its user; `bench` is what one process measures with; `harness`
begins and ends it, alone, as worker or as master; `scenario` hangs that on
Locust's events. This is the only
room that imports locust and gevent.
"""

from locust import task

from streamgauge.load.rough import Rough
from streamgauge.load.scenario import scenario
from streamgauge.load.together import Together
from streamgauge.load.user import AgentUser, Asker

__all__ = ["AgentUser", "Asker", "Rough", "Together", "scenario", "task"]
