"""A plan in which everything is chosen, and nothing as it is by default."""

from streamgauge.arrivals import Lockstep
from streamgauge.core.contract import Rule
from streamgauge.core.doubt_limits import DoubtLimits
from streamgauge.core.threshold import Level
from streamgauge.distribution import LogNormal
from streamgauge.persona import Persona
from streamgauge.plan import Graded, Plan
from streamgauge.protocol.login import Login
from streamgauge.script import Result, Sleep

FULL = Plan(
    scenario="isolation",
    target="wss://[::1]:8765/ws?room=1",
    ca_file="/etc/ca.pem",
    sources=("10.0.0.2", "::1"),
    users=3,
    spawn_rate=0.5,
    duration=90,
    arrivals=Lockstep(interval=1),
    personas=(
        Persona(prompts=('Say "no"\n', "Grüße\t\x01 ☃"), cancel_share=1, think=LogNormal(median=2, sigma=1)),
        Persona(name="other", script=(Sleep(ms=20), Result())),
    ),
    goodput=("first_event < 500ms",),
    abort_on=("findings > 100",),
    doubts=DoubtLimits(steal=0.5, slip_p99=1),
    thresholds=("p99(delivery) < 50ms", Graded("goodput_share > 99.9%", Level.WARN)),
    allow_target=("bench.example.test",),
    required=(Rule.ECHO,),
    login=Login(
        kind="subprotocol", audience="us", lifetime=60, claims={"tenant": "acme", "token_use": "access"}
    ),
    seed=2**63 - 1,
)
