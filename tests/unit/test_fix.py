"""Did it work? Small numbers, exact chances, and customers who weigh more than counts."""

from dataclasses import replace
from fractions import Fraction
from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY
from domain.fix import CHANCE, Evidence, Result, chance_of_drop, judge

RANK = {Result.HOLDS: 0, Result.TOO_LITTLE: 1, Result.OPENS_AGAIN: 2}
number = st.integers(0, 60)
evidence = st.builds(
    Evidence, before=number, since=number, gone=st.integers(0, 12), not_gone=st.integers(0, 12)
)


def rank(known: Evidence, **more: int) -> int:
    """How bad it is with so much more of something."""
    return RANK[judge(replace(known, **{name: getattr(known, name) + n for name, n in more.items()}), POLICY)]


@pytest.mark.parametrize(
    ("before", "since", "gone", "not_gone", "result"),
    [
        (0, 0, 0, 0, Result.TOO_LITTLE),
        (4, 0, 0, 0, Result.TOO_LITTLE),
        (5, 0, 0, 0, Result.HOLDS),
        (12, 3, 0, 0, Result.HOLDS),
        (9, 3, 0, 0, Result.OPENS_AGAIN),
        (3, 0, 2, 0, Result.HOLDS),
        (3, 0, 1, 0, Result.TOO_LITTLE),
        (3, 0, 5, 1, Result.TOO_LITTLE),
        (20, 0, 0, 1, Result.TOO_LITTLE),
        (20, 0, 0, 2, Result.OPENS_AGAIN),
        (20, 0, 3, 2, Result.HOLDS),
        (3, 2, 0, 0, Result.TOO_LITTLE),
        (3, 1, 0, 1, Result.OPENS_AGAIN),
        (0, 3, 9, 0, Result.OPENS_AGAIN),
    ],
)
def test_what_is_decided(before: int, since: int, gone: int, not_gone: int, result: Result) -> None:
    assert judge(Evidence(before=before, since=since, gone=gone, not_gone=not_gone), POLICY) is result


@given(before=number, since=number)
def test_the_chance_is_exact(before: int, since: int) -> None:
    together = before + since
    exact = Fraction(sum(comb(together, k) for k in range(since + 1)), 2**together)
    assert isclose(chance_of_drop(before, since), exact)
    assert chance_of_drop(before, since) <= 1


@given(known=evidence)
def test_more_trouble_never_looks_better_and_more_good_never_worse(known: Evidence) -> None:
    as_it_is = rank(known)
    assert rank(known, since=1) >= as_it_is
    assert rank(known, not_gone=1) >= as_it_is
    assert rank(known, gone=1) <= as_it_is
    assert rank(known, before=1) <= as_it_is


@given(known=evidence)
def test_nothing_holds_without_evidence_and_two_customers_are_heard(known: Evidence) -> None:
    result = judge(known, POLICY)
    if result is Result.HOLDS:
        assert chance_of_drop(known.before, known.since) <= CHANCE or known.gone >= 2
        assert known.not_gone <= known.gone
    if known.not_gone >= 2 and known.not_gone >= known.gone:
        assert result is Result.OPENS_AGAIN
    if known.since == 0 and known.not_gone == 0:
        assert result is not Result.OPENS_AGAIN


def test_the_chance_can_be_told_of_thousands_of_tickets() -> None:
    assert chance_of_drop(600, 424) < CHANCE
    assert chance_of_drop(5_000, 4_999) == pytest.approx(0.5, abs=0.01)
    assert chance_of_drop(3, 1) == 5 / 16
