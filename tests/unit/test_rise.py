"""A real rise is told from chance: exactly, with a stated rate of false alarms, and never twice for the same."""

import math
import random
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import comb, isclose, nextafter

from hypothesis import given
from hypothesis import strategies as st

from company import POLICY
from domain import rise
from domain.rise import Days, evidence_of_rise, find, incomplete_beta, is_unusual, share_at_least

TODAY = date(2026, 11, 30)
BUSINESS = (1.4, 1.2, 1.1, 1.1, 1.0, 0.1, 0.1)
"""How much of an average day's work comes on a Monday, a Tuesday and so on."""


def days(*counts: int, since: date | None = date(2024, 1, 1), today: date = TODAY) -> Days:
    """The last days of a cause, today's last."""
    return Days(today=today, counts=counts, since=since)


def steady(per_week: int, weeks: int, last: int) -> Days:
    """So many tickets every Monday, and ``last`` today."""
    return days(*[*[per_week, 0, 0, 0, 0, 0, 0] * weeks, last], today=TODAY)


@given(st.integers(1, 80), st.integers(0, 300), st.sampled_from([7, 28]), st.integers(1, 16))
def test_the_chance_is_the_exact_binomial_tail(now: int, before: int, window: int, weeks: int) -> None:
    past, total = 7 * weeks, now + before
    exact = sum(comb(total, k) * window**k * past ** (total - k) for k in range(now, total + 1))
    wanted = float(Fraction(exact, (window + past) ** total))
    assert isclose(share_at_least(now, before, window, past), wanted, rel_tol=1e-9, abs_tol=1e-300)


@given(st.floats(0.1, 5000), st.floats(0, 50_000), st.floats(0.1, 40), st.floats(1, 400))
def test_the_chance_is_a_chance_and_falls_with_every_ticket(
    now: float, before: float, window: float, past: float
) -> None:
    chance = share_at_least(now, before, window, past)
    assert 0 <= chance <= 1
    assert share_at_least(now + 1, before, window, past) <= chance + 1e-12


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_chance_comes_to_an_end_where_both_sides_of_the_fraction_meet(a: int, b: int) -> None:
    """At x = (a + 1) / (a + b + 2) rounding may say of both sides that the other one is better."""
    x = (a + 1) / (a + b + 2)
    for near in (x, nextafter(x, 0), nextafter(x, 1)):
        assert isclose(incomplete_beta(a, b, near) + incomplete_beta(b, a, 1 - near), 1, rel_tol=1e-9)


def test_nothing_is_certain_to_be_as_often_as_nothing() -> None:
    assert share_at_least(0, 10, 7, 84) == 1.0


def test_three_times_as_many_as_in_each_week_before_are_a_rise() -> None:
    found = find(steady(20, 16, 60), None, POLICY)
    assert found is not None
    assert (found.days, found.tickets, found.usual) == (7, 60, 20)
    assert find(steady(20, 16, 25), None, POLICY) is None


def test_a_busy_monday_is_compared_with_mondays() -> None:
    """A whole week has one of each weekday: the busiest day of the week is no rise."""
    pattern = [40, 5, 5, 5, 5, 0, 0]
    assert find(days(*pattern * 16, 40), None, POLICY) is None
    assert find(days(*[*pattern * 16, 40, 80]), None, POLICY) is not None


def test_a_cause_without_a_past_has_nothing_to_compare_with() -> None:
    assert find(days(3, since=TODAY), None, POLICY) is None
    assert is_unusual(days(3, since=TODAY), None, POLICY)
    assert find(Days(today=TODAY), None, POLICY) is None


def test_what_is_not_known_yet_is_not_counted_as_none() -> None:
    """A cause that began two weeks ago is compared with its one week, not with ten empty ones before it."""
    begun = TODAY - timedelta(days=13)
    busy = days(*[0] * 90, *[5] * 14, since=begun)
    assert find(busy, None, POLICY) is None
    assert find(replace(busy, since=date(2024, 1, 1)), None, POLICY) is not None


def test_the_floor_is_news_when_nobody_was_told_yet_or_the_cause_had_become_quiet() -> None:
    long_ago = TODAY - timedelta(days=300)
    assert is_unusual(steady(1, 16, 3), None, POLICY)
    assert not is_unusual(steady(1, 16, 3), long_ago, POLICY)
    assert is_unusual(days(*[0] * 112, 3), long_ago, POLICY)
    assert is_unusual(days(*[*[0] * 20, 1, *[0] * 50, 1], *[0] * 40, 3), long_ago, POLICY)


def test_after_a_notice_the_same_tickets_are_no_news() -> None:
    told = TODAY - timedelta(days=3)
    assert not is_unusual(days(*[0] * 109, 3, 1, 1, 1), told, POLICY)
    assert find(days(*[2] * 109, 40, 40, 40, 40), told, POLICY) is None


def test_after_a_notice_only_a_further_rise_is_news() -> None:
    """Told a week ago at a level of 40 a week: the same again is known, three times as much is not."""
    told = TODAY - timedelta(days=7)
    before = [*[1] * 98, *[6] * 7]
    assert find(days(*before, *[6] * 7), told, POLICY) is None
    found = find(days(*before, *[18] * 7), told, POLICY)
    assert found is not None
    assert (found.tickets, found.usual) == (126, 42)
    assert find(days(*before, *[18] * 7), None, POLICY) is not None


def test_after_a_quiet_time_the_floor_is_news_again() -> None:
    told = TODAY - timedelta(days=140)
    assert is_unusual(days(*[0] * 110, 1, 1, 1), told, POLICY)
    assert not is_unusual(days(*[*[0] * 60, 1, 1, 1], *[0] * 40, 1, 1, 1), told, POLICY)


def test_a_cause_that_scatters_needs_more_than_one_that_does_not() -> None:
    calm = [20, 0, 0, 0, 0, 0, 0] * 12
    wild = [
        [2, 38, 10, 30, 45, 0, 5, 40, 3, 37, 25, 5][week] if day == 0 else 0
        for week in range(12)
        for day in range(7)
    ]
    assert sum(calm) == sum(wild)
    now = [0] * 6 + [52]
    assert find(days(*calm, *now), None, POLICY) is not None
    assert find(days(*wild, *now), None, POLICY) is None


# --- rises that last --------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 60),
    st.integers(1, 12),
    st.integers(4, 24),
)
def test_without_a_rise_the_evidence_is_one_on_average_whatever_the_rate_is(
    together: int, recent: int, past: int
) -> None:
    """Given their sum, the recent tickets are binomial: the mean over all of them is exactly one."""
    share = recent / (recent + past)
    mean = sum(
        comb(together, now)
        * share**now
        * (1 - share) ** (together - now)
        * evidence_of_rise(now, together - now, recent, past)
        for now in range(together + 1)
    )
    assert isclose(mean, 1.0, rel_tol=1e-9)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 12), st.integers(4, 24))
def test_each_further_ticket_is_further_evidence(now: int, before: int, recent: int, past: int) -> None:
    """So a day is one look, taken whenever its last ticket comes."""
    assert evidence_of_rise(now + 1, before, recent, past) > evidence_of_rise(now, before, recent, past) >= 0


def test_half_as_many_again_is_found_once_it_has_lasted() -> None:
    """Twenty a week, then thirty: too few for a window, and enough for nine weeks of them."""
    level = [20, 0, 0, 0, 0, 0, 0] * 24
    more = [30, 0, 0, 0, 0, 0, 0]
    told = [bool(find(days(*level, *more * weeks), None, POLICY)) for weeks in range(1, 10)]
    assert told == sorted(told), "what is evidence stays evidence"
    assert (told[1], told[-1]) == (False, True)
    found = find(days(*level, *more * 9), None, POLICY)
    assert found is not None
    assert (found.days, found.tickets, found.usual) == (63, 270, 180), "since it began"
    assert find(days(*level, *[20, 0, 0, 0, 0, 0, 0] * 9), None, POLICY) is None


def test_a_lasting_rise_that_was_told_of_is_no_news_and_a_further_one_is() -> None:
    level, more, most = ([n, 0, 0, 0, 0, 0, 0] for n in (20, 30, 45))
    told = TODAY - timedelta(days=7 * 12)
    assert find(days(*level * 20, *more * 21, today=TODAY), told, POLICY) is None
    found = find(days(*level * 20, *more * 13, *most * 8, today=TODAY), told, POLICY)
    assert found is not None
    assert found.tickets / found.usual == 1.5


def test_a_past_of_less_than_four_weeks_says_nothing_about_a_slow_rise() -> None:
    """Nobody knows yet how much such a cause scatters."""
    begun = TODAY - timedelta(days=7 * 12 - 1)
    counts = [6, 0, 0, 0, 0, 0, 0] * 3 + [12, 0, 0, 0, 0, 0, 0] * 9
    assert find(days(*counts, since=begun), None, POLICY) is None
    long_ago = [6, 0, 0, 0, 0, 0, 0] * 20 + [12, 0, 0, 0, 0, 0, 0] * 9
    assert find(days(*long_ago), None, POLICY) is not None


def test_what_is_smaller_than_is_worth_a_notice_is_none() -> None:
    """Four tenths more of very many are certain, and a company may want to hear of larger ones only."""
    level, more = [200, 0, 0, 0, 0, 0, 0] * 24, [280, 0, 0, 0, 0, 0, 0] * 8
    assert find(days(*level, *more), None, POLICY) is not None
    assert find(days(*level, *more), None, replace(POLICY, rise_at_least=1.5)) is None


def per_day(chance: random.Random, rate: float) -> int:
    """So many tickets come in a day by chance alone (Knuth's way for Poisson's distribution)."""
    limit, tickets, product = math.exp(-rate), 0, chance.random()
    while product > limit:
        tickets, product = tickets + 1, product * chance.random()
    return tickets


def notices(seed: int, rate: float, lasts: int, factor: float = 1.0, begins: int = 0) -> list[int]:
    """The days on which an owner would be told of a rise, of a cause that is old when they begin."""
    chance, told, found = random.Random(seed), None, []
    counts: list[int] = []
    for day in range(-rise.lookback(POLICY), lasts):
        today = TODAY + timedelta(days=day)
        grown = factor if day >= begins else 1.0
        counts.append(per_day(chance, rate * grown * BUSINESS[today.weekday()]))
        known = days(*counts[-rise.lookback(POLICY) :], today=today)
        if day >= 0 and find(known, told, POLICY):
            found.append(day)
            told = today
    return found


def test_chance_alone_gives_no_more_false_alarms_than_stated() -> None:
    """Sixty years of causes whose rate never changes, at four rates; what is stated is the most for each year."""
    for rate in (0.1, 0.5, 3.0, 15.0):
        alarms = sum(len(notices(seed, rate, 365)) for seed in range(15))
        assert alarms <= 15 * POLICY.rise_false_alarms_per_year + 2, f"{alarms} at {rate} a day"


def test_a_rise_to_three_times_is_found_soon_and_not_told_again_and_again() -> None:
    delays = []
    for seed in range(12):
        found = [day for day in notices(seed, 3.0, 60, factor=3.0, begins=20) if day >= 20]
        assert found, seed
        delays.append(found[0] - 20)
        assert len(found) <= 2
    assert sorted(delays)[10] < 7, "found within the first week but for one"
    assert max(delays) < 28
