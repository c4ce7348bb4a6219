"""A replay's result in words."""

from streamgauge.report import quantity, wording
from streamgauge.study.recurrence import Attempt, Recurrence


def beginning(of: Recurrence, planned: int) -> str:
    """What is about to be driven."""
    named = [user for user in dict.fromkeys((of.finding.user, of.finding.other)) if user in of.users]
    others = len(of.users) - len(named)
    beside = f" and {quantity.some(others, 'user')} beside" if others else ""
    much = f"{quantity.some(of.requests, 'request')}, {quantity.some(planned, 'time')}"
    lines = wording.identified(of.finding), f"{' and '.join(named)}{beside}: {much}"
    return "".join(f"{wording.visible(line)}\n" for line in lines)


def attempt(of: Attempt, number: int, planned: int) -> str:
    """What one replay came to."""
    what = {True: "recurs", False: "does not recur", None: "could not be driven"}[of.recurred]
    return wording.visible(": ".join(filter(None, (f"replay {number} of {planned}  {what}", of.said))))


def verdict(of: Recurrence) -> str:
    """How often it recurred, with its interval; and how much of what was sent was as then."""
    same, asked = sum(one.same for one in of.attempts), sum(one.of for one in of.attempts)
    lines = [f"requests as they were: {quantity.count(same)} of {quantity.count(asked)}"] if asked else []
    if lost := len(of.attempts) - of.driven:
        lines.append(f"{quantity.some(lost, 'replay')} could not be driven")
    if of.low is not None and of.high is not None:
        share = f"[{of.low:.0%}, {of.high:.0%}]".replace("%", " %")
        lines.append(f"recurs in {of.recurred} of {quantity.some(of.driven, 'replay')} {share}")
    return "".join(f"{line}\n" for line in lines)
