"""The planted rises in a smaller company: they are found, counts are exact, and steady causes stay silent."""

from benchmark import rises
from domain.settings import Policy

FOUND = {
    "step-2-of-35": 21,
    "step-2-of-7": 60,
    "step-3-of-14": 14,
    "step-3-of-3": 60,
    "step-5-of-3": 30,
    "step-1.5-of-20": 60,
    "burst-on-mondays": 7,
    "new": 14,
    "rare-then-3": 40,
}
"""So many days a notice about it may take; the burst of seven a week is hidden by chance in this company."""


def test_planted_rises_are_found_and_steady_causes_stay_silent() -> None:
    some = [p for p in rises.planted() if p.per_week <= 36]
    life = rises.run(0, 1, Policy(), lambda: some)
    assert life.counts_wrong() == 0
    told = life.told()
    assert told.closures > told.customers > 10_000
    assert told.messages == told.customers, (
        "one message per customer, however many tickets and repeated pages"
    )
    judged = {outcome.code: outcome for outcome in rises.outcomes(life.causes)}
    delays = {code: judged[code].delay for code in FOUND}
    assert all(delay is not None and delay <= FOUND[code] for code, delay in delays.items()), delays
    assert judged["rare-then-3"].tickets == judged["new"].tickets == 3, "the floor decides"
    steady = [outcome for outcome in judged.values() if not outcome.code.startswith("season")]
    allowed = sum(outcome.years for outcome in steady) * Policy().rise_false_alarms_per_year
    assert sum(outcome.false_rises for outcome in steady) <= allowed
