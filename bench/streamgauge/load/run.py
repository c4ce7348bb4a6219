"""A run as its user waits for it."""

from gevent.event import Event as Flag

from streamgauge.core.observation import Asked


class Run:
    """A run that this user asked for, while it is under way."""

    __slots__ = ("accepted", "agent", "asked", "ended", "ended_ns", "over", "reported", "request", "run")

    def __init__(self, asked: Asked, agent: str) -> None:
        self.asked = asked
        self.agent = agent
        self.request = asked.request
        self.run = ""
        self.accepted = Flag()
        self.over = Flag()  # ended, refused, or its connection is gone
        self.reported = Flag()  # the server gave its account, or none can come any more
        self.ended = False
        self.ended_ns = 0  # when that was read
