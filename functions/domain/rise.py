"""Whether a root cause really is more often now than in its own past, or whether it only looks so.

The tickets of the last one or four whole weeks are compared with those of the weeks before: whole weeks on both sides,
so that Mondays are compared with Mondays. Given the sum of both, the recent share is binomial when the rate is
unchanged, whatever it is, so the test needs no known rate (Przyborowski and Wilenski 1940). Counts that scatter more
than chance, and what drifts with the season, are divided by how much more (quasi-Poisson; McCullagh and Nelder 1989,
chapter 6; so do Farrington et al. 1996 for outbreaks). docs/causes.md has the method, its error rates and the sources.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, lgamma, log, log1p

from domain.settings import Policy

WEEK = 7
WINDOWS = (7, 28)
"""Days of the windows that are compared with the past: whole weeks."""
LOOKS_PER_YEAR = 365 * len(WINDOWS)
"""A window begins at midnight, so within a day its count only grows: a day is one look, whatever its closures."""


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
    return policy.rise_compared_with.days + max(*WINDOWS, policy.repeated_within.days)


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
    return min(found, key=lambda rise: rise.chance, default=None)


def _rise(days: Days, window: int, told: date | None, policy: Policy) -> Rise | None:
    if told is not None and (days.today - told).days < window:
        return None
    start = days.today - timedelta(days=window - 1)
    first = start - timedelta(days=policy.rise_compared_with.days)
    if days.since:
        first = max(first, days.since)
    if told is not None:
        first = max(first, told - timedelta(days=WEEK - 1))
    past = days.between(first, start - timedelta(days=1))
    weeks = _weeks(past)
    if not weeks:
        return None
    now, before = sum(days.between(start, days.today)), sum(weeks)
    usual = before * window / (len(weeks) * WEEK)
    scatter = _scatter(weeks)
    chance = share_at_least(
        now / scatter, before / scatter, window * policy.rise_at_least, float(len(weeks) * WEEK)
    )
    if chance > policy.rise_false_alarms_per_year / LOOKS_PER_YEAR:
        return None
    return Rise(days=window, tickets=now, usual=usual, chance=chance)


def _weeks(past: tuple[int, ...]) -> list[int]:
    """Sums of whole weeks, counted back from the last day."""
    whole = past[len(past) % WEEK :]
    return [sum(whole[at : at + WEEK]) for at in range(0, len(whole), WEEK)]


def _scatter(weeks: list[int]) -> float:
    """How many times Poisson's variance that of the weeks is; at least 1, which is chance alone."""
    if len(weeks) < 4 or not sum(weeks):
        return 1.0
    mean = sum(weeks) / len(weeks)
    return max(1.0, sum((week - mean) ** 2 for week in weeks) / (len(weeks) - 1) / mean)


def share_at_least(now: float, before: float, window: float, past: float) -> float:
    """How probable it is that of ``now + before`` events ``now`` or more fall into the window, if the rate is the same.

    The exact binomial tail P(X >= now) for whole numbers, as the regularised incomplete beta function
    I_p(now, before + 1) with p = window / (window + past), which is also defined in between (DLMF 8.17.5).
    """
    if now <= 0:
        return 1.0
    return incomplete_beta(now, before + 1, window / (window + past))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b) by its continued fraction (DLMF 8.17.22, evaluated by Lentz's method)."""
    if not 0 < x < 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
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
