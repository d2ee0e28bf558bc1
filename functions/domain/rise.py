"""Whether a root cause really is more often now than in its own past, or whether it only looks so.

Two tests see different rises: a *window* what is sudden, the evidence for a *lasting* rise what is slow. Both compare
whole weeks with whole weeks before them, so that Mondays are compared with Mondays, and both need no known rate: given
the sum of both, the recent share is binomial when the rate is unchanged, whatever it is (Przyborowski and Wilenski
1940). Counts that scatter more than chance, and what drifts with the season, are divided by how much more
(quasi-Poisson; McCullagh and Nelder 1989, chapter 6; so do Farrington et al. 1996 for outbreaks). docs/causes.md has
the methods, their error rates and the sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import exp, fsum, lgamma, log, log1p, sqrt

from domain.settings import Policy

WEEK = 7
WINDOWS = (7, 28)
"""Days of the windows that are compared with the past: whole weeks."""
LOOKS_PER_YEAR = 365 * len(WINDOWS)
"""A window begins at midnight, so within a day its count only grows: a day is one look, whatever its closures."""
LASTING = 12
"""A lasting rise may have begun so many weeks ago, and is compared with twice as long a past as a window."""
ENOUGH = 4
"""So many weeks tell how much a cause scatters; before that, nobody can tell a slow rise from a wavering cause."""
FACTORS = (1.5, 2.0, 3.0)
"""How many times its past a cause may be after a lasting rise: the likelihoods of these are averaged."""
WEEKS_PER_YEAR = 52
HALF = 0.5
"""Each of the two tests may use half of the false alarms that the policy allows."""


@dataclass(frozen=True, kw_only=True)
class Days:
    """A cause's distinct tickets of each UTC day, the last one being ``today``; ``since``: when it was first seen."""

    today: date
    counts: tuple[int, ...] = ()
    since: date | None = None

    def between(self, first: date, last: date) -> tuple[int, ...]:
        """The counts of these days, both included; days that are not kept are left out."""
        end = len(self.counts) - (self.today - last).days
        return self.counts[max(0, end - (last - first).days - 1) : max(0, end)]


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A real rise: so many tickets in so many days, where ``usual`` would have been so many."""

    days: int
    tickets: int
    usual: float
    chance: float
    """How probable so many tickets, or more, would be if nothing had changed."""


def lookback(policy: Policy) -> int:
    """How many days have to be known."""
    window = policy.rise_compared_with.days + max(*WINDOWS, policy.repeated_within.days)
    return max(window, 2 * policy.rise_compared_with.days + LASTING * WEEK)


def is_unusual(days: Days, told: date | None, policy: Policy) -> bool:
    """Whether reaching the floor is news by itself: nobody was told of this cause yet, or it had become quiet.

    Quiet is a cause whose weeks before had less than the floor in all; its window holds no day that was told of.
    """
    if told is None:
        return True
    window = max(1, policy.repeated_within.days)
    if (days.today - told).days < window:
        return False
    last = days.today - timedelta(days=window)
    before = days.between(last - timedelta(days=policy.rise_compared_with.days - 1), last)
    return sum(before) < policy.repeated_tickets


def find(days: Days, told: date | None, policy: Policy) -> Rise | None:
    """The most certain real rise as of today; None when chance explains it, or there is no past to compare with.

    After a notice on the day ``told`` only days after it are looked at, and the past begins with the week that was told
    of: what an owner knows is no news, and only a further rise is.
    """
    found = [rise for window in WINDOWS if (rise := _rise(days, window, told, policy))]
    return min(found, key=lambda rise: rise.chance, default=None) or _lasting(days, told, policy)


def _rise(days: Days, window: int, told: date | None, policy: Policy) -> Rise | None:
    if told is not None and (days.today - told).days < window:
        return None
    start = days.today - timedelta(days=window - 1)
    first = _first(start - timedelta(days=policy.rise_compared_with.days), days, told)
    weeks = _weeks(days.between(first, start - timedelta(days=1)))
    if not weeks:
        return None
    now, before = sum(days.between(start, days.today)), sum(weeks)
    usual = before * window / (len(weeks) * WEEK)
    scatter = _scatter(weeks)
    chance = share_at_least(
        now / scatter, before / scatter, window * policy.rise_at_least, float(len(weeks) * WEEK)
    )
    if chance > HALF * policy.rise_false_alarms_per_year / LOOKS_PER_YEAR:
        return None
    return Rise(days=window, tickets=now, usual=usual, chance=chance)


def _lasting(days: Days, told: date | None, policy: Policy) -> Rise | None:
    """A rise since one of the last weeks, by the sum of the evidence for each (Shiryaev 1963, Roberts 1966).

    If nothing has changed, that sum is on average the number of weeks that were added up, so it takes at least as many
    weeks to come by chance to a threshold as the threshold says (Pollak 1985).
    """
    longest = 2 * policy.rise_compared_with.days // WEEK
    begin = days.today - timedelta(days=(longest + LASTING) * WEEK - 1)
    ever = _weeks(days.between(_first(begin, days, None), days.today))
    known = _weeks(days.between(_first(begin, days, told), days.today))
    since_told = (days.today - told).days // WEEK if told else LASTING
    found: list[tuple[float, int, float]] = []
    for start in range(1, min(LASTING, since_told, len(known) - ENOUGH) + 1):
        past, now = known[:-start][-longest:], sum(known[-start:])
        scatter = _scatter(past, ever[:-start])
        evidence = evidence_of_rise(now / scatter, sum(past) / scatter, start, len(past))
        found.append((evidence, start, scatter))
    if fsum(evidence for evidence, _, _ in found) < WEEKS_PER_YEAR / (
        HALF * policy.rise_false_alarms_per_year
    ):
        return None
    _, start, scatter = max(found)
    past, now = known[:-start][-longest:], sum(known[-start:])
    usual = sum(past) * start / len(past)
    if now < policy.rise_at_least * usual:
        return None
    chance = share_at_least(now / scatter, sum(past) / scatter, start, len(past))
    return Rise(days=start * WEEK, tickets=now, usual=usual, chance=chance)


def _first(wanted: date, days: Days, told: date | None) -> date:
    """The first day that may be looked at: not before the cause was there, nor before the week that was told of."""
    first = max(wanted, days.since) if days.since else wanted
    return max(first, told - timedelta(days=WEEK - 1)) if told else first


def _weeks(past: tuple[int, ...]) -> list[int]:
    """Sums of whole weeks, counted back from the last day."""
    whole = past[len(past) % WEEK :]
    return [sum(whole[at : at + WEEK]) for at in range(0, len(whole), WEEK)]


def _scatter(past: list[int], ever: Sequence[int] = ()) -> float:
    """How many times Poisson's variance that of the weeks is; at least 1, which is chance alone.

    Taken from the past itself, and from the steps between all weeks that are known (von Neumann 1941), also before a
    notice. What is more than chance would show is an estimate of few weeks, so its upper limit is taken.
    """
    found, limit = max(_variance(past), _variance_of_steps(ever)), 1 + 2 * sqrt(2 / max(1, len(past) - 1))
    return max(1.0, found * limit if found > limit else found)


def _variance(weeks: list[int]) -> float:
    if len(weeks) < ENOUGH or not sum(weeks):
        return 1.0
    mean = sum(weeks) / len(weeks)
    return sum((week - mean) ** 2 for week in weeks) / (len(weeks) - 1) / mean


def _variance_of_steps(weeks: Sequence[int]) -> float:
    if len(weeks) <= ENOUGH or not sum(weeks):
        return 1.0
    mean = sum(weeks) / len(weeks)
    return sum((week - after) ** 2 for week, after in pairwise(weeks)) / (2 * (len(weeks) - 1)) / mean


def evidence_of_rise(now: float, before: float, window: float, past: float) -> float:
    """How many times likelier it is that ``now`` of ``now + before`` events fall into the window, if the rate rose.

    On average over FACTORS. Given their sum, events are binomial before and after, and the rate drops out; the same
    ratio comes from the gamma-Poisson predictive distribution with the prior 1/rate.
    """
    return fsum(
        exp(min(600.0, now * log(factor) + (now + before) * log((past + window) / (past + factor * window))))
        for factor in FACTORS
    ) / len(FACTORS)


def share_at_least(now: float, before: float, window: float, past: float) -> float:
    """How probable it is that of ``now + before`` events ``now`` or more fall into the window, if the rate is the same.

    The exact binomial tail P(X >= now) for whole numbers, as the regularised incomplete beta function
    I_p(now, before + 1) with p = window / (window + past), which is also defined in between (DLMF 8.17.5).
    """
    if now <= 0:
        return 1.0
    return incomplete_beta(now, before + 1, window / (window + past))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) by its continued fraction, on the side of it that converges fast."""
    if not 0 < x < 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _continued_fraction(b, a, 1 - x)
    return _continued_fraction(a, b, x)


def _continued_fraction(a: float, b: float, x: float) -> float:
    """DLMF 8.17.22, evaluated by Lentz's method."""
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value, step, change = d, 0, 0.0
    while abs(change - 1) > 1e-13:
        step += 1
        even, odd = a + 2 * step - 1, a + 2 * step + 1
        for term in (
            step * (b - step) * x / (even * (even + 1)),
            -(a + step) * (a + b + step) * x / ((odd - 1) * odd),
        ):
            d, c = 1 / (1 + term * d), 1 + term / c
            change = c * d
            value *= change
    return min(1.0, front * value)
