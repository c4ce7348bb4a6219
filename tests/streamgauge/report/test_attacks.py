"""How every rendering shows an attack list, and what it does to the outcome."""

from collections.abc import Callable

from msgspec.structs import replace

from streamgauge.core.attack import BY_NAME, Attacked, Leaked, Seen, Try, judge
from streamgauge.core.campaign import Campaign
from streamgauge.core.contract import Rule
from streamgauge.core.finding import Outcome, Verdict
from streamgauge.core.telling import Telling
from streamgauge.report import wording
from streamgauge.report.model import Report
from streamgauge.report.reach import bounds, leaks_figure
from streamgauge.report.render_html import render_html
from streamgauge.report.render_json import read_json, render_json
from streamgauge.report.render_junit import render_junit
from streamgauge.report.render_markdown import render_markdown
from streamgauge.report.render_text import WIDTH, render_text

Make = Callable[..., Report]

TOLD = Telling(300, -3_000, -5_000, 1_000)


def attacked(name: str, *tries: Try, applies: bool = True) -> Attacked:
    return judge(BY_NAME[name], BY_NAME[name].answers, Seen(tries, "the server does not offer it", applies))


CAMPAIGN = Campaign(
    "attacker",
    (
        attacked("no token", Try("http 401")),
        attacked("alg none", Try("accepted")),
        attacked("NaN"),
        attacked("compressed bomb", applies=False),
    ),
    bystanders=3,
    runs=99,
    telling=TOLD,
)


def shown(make: Make) -> Report:
    return replace(make(), attack=CAMPAIGN)


def test_the_terminal_shows_each_with_its_answer_and_what_is_stated(make: Make) -> None:
    text = render_text(shown(make))
    assert max(map(len, text.splitlines())) <= WIDTH
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "attack outcome answered stated" in lines
    assert "no token pass http 401 http 401" in lines
    assert "alg none fail accepted http 401" in lines
    assert "NaN unknown the server does not offer it close 1007" in lines
    assert "compressed bomb not exercised the server does not offer it close 1009" in lines
    assert "isolation-timing: 'not yours' and 'does not exist' cannot be told apart by time" in " ".join(
        lines
    )


def test_markdown_and_html_show_what_was_sent_too(make: Make) -> None:
    for page in (render_markdown(shown(make)), render_html(shown(make))):
        assert "an unsigned token, alg none" in page
        assert "isolation-timing" in page
    assert "isolation-timing" not in render_html(make())
    assert "## Attacks" not in render_markdown(make())


def test_junit_has_a_case_for_each(make: Make) -> None:
    xml = render_junit(shown(make)).decode()
    assert '<testsuite name="attacks" tests="4" failures="1" errors="1" skipped="1"' in xml
    assert 'message="alg none: accepted, stated is http 401"' in xml
    assert 'message="not exercised: the server does not offer it"' in xml


def test_a_leak_to_the_attacker_is_a_leak(make: Make) -> None:
    leak = Leaked("ann", "attacker", "sgcanaryA", "chunk", 9, 70)
    of = BY_NAME["chosen ids"]
    attacks = (judge(of, of.answers, Seen((Try("own"),), leak=leak)),)
    report = make(attack=Campaign("attacker", attacks, 3, 9))
    assert leaks_figure(report)[:2] == ("leaks", "1")


def test_the_bounds_on_leaks_do_not_speak_of_the_attacker_s_sockets(make: Make) -> None:
    without = ", without the attacker's"
    assert leaks_figure(shown(make))[2] == leaks_figure(make())[2].replace(" (95 %)", f"{without} (95 %)")
    assert {row[0] for row in bounds(shown(make)).rows if without in row[2]} == wording.ISOLATION
    assert not any(without in row[2] for row in bounds(make()).rows)


def test_what_could_not_be_told_of_attacks_is_not_called_masked() -> None:
    of = Verdict(Rule.ISOLATION_ACTIVE, Outcome.UNKNOWN, True, 4, 2, 0)
    assert wording.unjudged(of) == "isolation-active: required, and unknown of 2 attacks"


def test_json_gives_it_back(make: Make) -> None:
    assert read_json(render_json(shown(make))).attack == CAMPAIGN


def test_the_verdict_counts_attacks_where_there_were_some(make: Make) -> None:
    passed = Campaign("attacker", CAMPAIGN.attacks[:1] + CAMPAIGN.attacks[3:], 3, 9)
    said = wording.verdict(replace(make(), outcome=Outcome.PASS, reasons=(), attack=passed), 200)
    assert said.startswith("steady: 1 attack answered as stated (1 not exercised), ")


def test_time_tells_with_its_interval_and_without_a_verdict() -> None:
    assert wording.telling(TOLD) == (
        "'not yours' and 'does not exist' cannot be told apart by time: difference −3.00 µs, "
        "95 % interval [−5.00 µs, 1.00 µs], 300 pairs"
    )
    assert "can be told apart by time: difference 7.00 µs" in wording.telling(Telling(9, 7_000, 1_000, 9_000))
    assert "too few answers to say (5 pairs)" in wording.telling(Telling(5))
