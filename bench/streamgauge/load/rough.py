"""Users who are a trouble to any server: their sockets are cut, or nobody reads them, or nobody is there."""

from typing import TYPE_CHECKING, Final

from locust import task

from streamgauge.load.user import MOST_UNDER_WAY, AgentUser

if TYPE_CHECKING:
    from streamgauge.load.transport import Transport

# So much longer than it may linger such a socket stays open: that it is still there can be seen in mid-run.
_LEFT_OPEN: Final = 2


class Rough(AgentUser):
    """A user who does what its persona has it do to its sockets: `cut_bytes`, `reader`.

    One whose socket was cut comes back when its next request is due. A reader that is
    `stalled` asks for as many runs as it may and reads nothing of them; a `dead` one says nothing at all, nor
    answers a ping. When the server has ended such a connection, or after a while (a server's
    end may be stuck behind what nobody reads), the next one begins.
    """

    abstract = True
    _silent: "Transport | None"
    _forgotten_ns: int

    def on_start(self) -> None:
        """Connect."""
        self._silent = None
        super().on_start()
        for tab in self.tabs:
            if self.persona.cut_bytes:
                tab.cut_after(self._cut_bytes())

    @task
    def act(self) -> None:
        """Do what is due."""
        for due_ns in self.due():
            if self.persona.reader != "prompt":
                self._fall_silent(due_ns)
                continue
            if self.persona.cut_bytes:
                self._come_back()
            self.ask(due_ns)

    def _come_back(self) -> None:
        for place, tab in enumerate(self.tabs):
            if not tab.open:
                self.tabs[place] = self.dial()
                self.tabs[place].cut_after(self._cut_bytes())

    def _cut_bytes(self) -> int:
        """At any byte with the same chance, whatever came before."""
        return 1 + int(self.random.expovariate(1 / self.persona.cut_bytes))

    def _fall_silent(self, due_ns: int) -> None:
        """Ask for what will not be read, or do not even ask, and leave the socket to itself."""
        if self._silent is not None:
            if not self._silent.is_left and due_ns < self._forgotten_ns:
                return
            self.bench.bury(self._silent)
            self._silent = None
        if not self.tabs[0].open:
            self.tabs[0] = self.dial()
        for _ in range(MOST_UNDER_WAY if self.persona.reader == "stalled" else 0):
            self.ask(due_ns)
        self._silent = self.tabs[0].freeze()
        self._forgotten_ns = due_ns + int(_LEFT_OPEN * self.plan.linger * 1e9)
