"""The planted rises in a smaller company: the clear ones are found, counts are exact, and steady causes stay silent."""

from benchmark import rises
from domain.settings import Policy

FOUND = {"step-2-of-35": 45, "step-3-of-14": 30, "burst-on-mondays": 7, "new": 14, "rare-then-3": 40}
"""So many days a notice about it may take."""


def test_planted_rises_are_found_and_steady_causes_stay_silent() -> None:
    some = [p for p in rises.planted() if p.per_week <= 36]
    life = rises.run(0, 1, Policy(), lambda: some)
    assert life.counts_wrong() == 0
    judged = {outcome.code: outcome for outcome in rises.outcomes(life.causes)}
    delays = {code: judged[code].delay for code in FOUND}
    assert all(delay is not None and delay <= FOUND[code] for code, delay in delays.items()), delays
    assert judged["rare-then-3"].tickets == judged["new"].tickets == 3, "the floor decides"
    years = sum(outcome.years for outcome in judged.values())
    assert (
        sum(outcome.false_rises for outcome in judged.values()) <= years * Policy().rise_false_alarms_per_year
    )
