"""Joins Locust to the core: users are greenlets that act, sockets are read by callbacks.

`user` is what a scenario subclasses; `connection` reads one socket with a libev
watcher and wakes its user; `bench` is what one process measures with; `harness`
hangs it all on Locust's events, alone, as worker or as master. This is the only
room that imports locust and gevent.
"""

from locust import task

from streamgauge.load.harness import scenario
from streamgauge.load.rough import Rough
from streamgauge.load.together import Together
from streamgauge.load.user import AgentUser, Asker

__all__ = ["AgentUser", "Asker", "Rough", "Together", "scenario", "task"]
