"""Nobody is asked too often, and nobody who does not want mail gets any."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import CUSTOMER, POLICY, START, after, person
from domain.closure import Ref
from domain.delivery import Feedback
from domain.person import (
    A_MONTH,
    KEPT_ASKS,
    REST,
    Asked,
    Surveys,
    asked_too_often,
    delay,
    person_key,
    prefer,
    quiet_until,
    reserve,
    rests_until,
    suppress,
)

QUIET = POLICY.quiet_period


def ask(ticket_id: str, days: float = 0, number: int = 1) -> Asked:
    """One survey."""
    return Asked(at=after(days=days), source="desk", ticket_id=ticket_id, number=number)


def test_one_mailbox_is_one_person_however_it_is_spelled() -> None:
    assert person_key(" Anna.Berg@Example.COM ") == person_key(CUSTOMER)
    assert person_key(CUSTOMER) != person_key("anna.berg@example.org")
    assert len(person_key(CUSTOMER)) == 32
    assert "anna" not in person_key(CUSTOMER)


def test_somebody_who_was_never_asked_may_be_asked_now() -> None:
    assert quiet_until(person(), [Ref(source="desk", ticket_id="1", number=1)], QUIET) is None


def test_after_one_survey_it_is_quiet_for_a_week() -> None:
    anna = reserve(person(), ask("1"))
    assert quiet_until(anna, [Ref(source="desk", ticket_id="2", number=1)], QUIET) == after(days=7)


def test_the_ask_that_was_reserved_is_not_in_its_own_way() -> None:
    anna = reserve(person(), ask("1"))
    assert quiet_until(anna, [Ref(source="desk", ticket_id="1", number=1)], QUIET) is None
    assert quiet_until(anna, [Ref(source="desk", ticket_id="1", number=2)], QUIET) == after(days=7)
    assert quiet_until(anna, [Ref(source="other-desk", ticket_id="1", number=1)], QUIET) == after(days=7)


def test_the_quiet_period_counts_from_the_last_attempt_to_ask() -> None:
    anna = reserve(person(), ask("1"))
    assert reserve(anna, ask("1")) is anna
    again = reserve(anna, ask("1", days=3))
    assert again.asked == (ask("1", days=3),)


asks = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["1", "2", "3", "4"]), st.integers(1, 3)), max_size=30
)


@given(asks)
def test_two_surveys_of_one_person_are_never_closer_than_the_quiet_period(
    tries: list[tuple[int, str, int]],
) -> None:
    """Whoever is allowed to ask asks; the others wait."""
    anna = person()
    for hours, ticket_id, number in sorted(tries):
        now = after(hours=hours * 6)
        until = quiet_until(anna, [Ref(source="desk", ticket_id=ticket_id, number=number)], QUIET)
        if until is None or until <= now:
            anna = reserve(anna, Asked(at=now, source="desk", ticket_id=ticket_id, number=number))
    instants = sorted({known.at for known in anna.asked})
    assert all(later - earlier >= QUIET for earlier, later in pairwise(instants))
    assert len({(known.ticket_id, known.number) for known in anna.asked}) == len(anna.asked)


@given(asks, st.sampled_from(["1", "2", "9"]), st.timedeltas(timedelta(0), timedelta(days=60)))
def test_the_quiet_period_counts_from_the_last_other_survey(
    known: list[tuple[int, str, int]], ticket_id: str, quiet: timedelta
) -> None:
    anna = person()
    for hours, other, number in known:
        anna = reserve(anna, Asked(at=after(hours=hours), source="desk", ticket_id=other, number=number))
    others = [asked.at for asked in anna.asked if (asked.ticket_id, asked.number) != (ticket_id, 1)]
    expected = sorted(others)[-1] + quiet if others else None
    assert quiet_until(anna, [Ref(source="desk", ticket_id=ticket_id, number=1)], quiet) == expected


@given(st.integers(0, 60))
def test_only_the_latest_asks_are_kept_and_the_last_one_always(asked: int) -> None:
    anna = person()
    for number in range(asked):
        anna = reserve(anna, ask(str(number), days=7 * number))
    assert len(anna.asked) == min(asked, KEPT_ASKS)
    if asked:
        assert quiet_until(anna, [Ref(source="desk", ticket_id="another", number=1)], QUIET) == after(
            days=7 * asked
        )


@pytest.mark.parametrize("feedback", [Feedback.BOUNCE, Feedback.COMPLAINT])
def test_a_bounce_or_a_complaint_ends_all_mail(feedback: Feedback) -> None:
    gone = suppress(person(), feedback, START)
    assert (gone.suppressed, gone.suppressed_at) == (feedback, START)


@given(st.lists(st.sampled_from(list(Feedback)), max_size=8))
def test_the_worst_report_counts_whatever_the_order_and_the_first_of_it_says_since_when(
    told: list[Feedback],
) -> None:
    anna = person()
    for number, feedback in enumerate(told):
        anna = suppress(anna, feedback, after(days=number))
        assert suppress(anna, feedback, after(days=99)) is anna
    worst = next((bad for bad in (Feedback.COMPLAINT, Feedback.BOUNCE) if bad in told), None)
    assert anna.suppressed == worst
    assert anna.suppressed_at == (after(days=told.index(worst)) if worst else None)


@given(asks, st.integers(1, KEPT_ASKS))
def test_m15_nobody_gets_more_than_the_most_in_any_month(
    tries: list[tuple[int, str, int]], most: int
) -> None:
    anna = person()
    for hours, ticket_id, number in sorted(tries):
        now = after(hours=hours * 6)
        if not asked_too_often(anna, [Ref(source="desk", ticket_id=ticket_id, number=number)], now, most):
            anna = reserve(anna, Asked(at=now, source="desk", ticket_id=ticket_id, number=number))
    instants = {known.at for known in anna.asked}
    for first in instants:
        assert sum(first <= at < first + A_MONTH for at in instants) <= most


def test_m15_the_ask_that_was_reserved_is_not_in_its_own_way() -> None:
    anna = reserve(person(), ask("1"))
    assert not asked_too_often(anna, [Ref(source="desk", ticket_id="1", number=1)], START, 1)
    assert asked_too_often(anna, [Ref(source="desk", ticket_id="1", number=2)], START, 1)
    assert not asked_too_often(anna, [Ref(source="desk", ticket_id="1", number=2)], after(days=30), 1)


def test_choosing_the_same_again_changes_nothing() -> None:
    anna = prefer(person(), Surveys.NONE, "de")
    assert (anna.surveys, anna.language) == (Surveys.NONE, "de")
    assert prefer(anna, Surveys.NONE) is anna
    assert prefer(anna, Surveys.NONE, "de") is anna
    assert prefer(anna, Surveys.ALL).language == "de"


def test_what_must_not_be_forgotten_stays() -> None:
    assert not reserve(person(), ask("1")).stays
    assert not delay(person(), START).stays
    assert suppress(person(), Feedback.BOUNCE, START).stays
    assert prefer(person(), Surveys.FIXES).stays
    assert prefer(person(), Surveys.ALL, "de").stays
    assert not prefer(prefer(person(), Surveys.NONE), Surveys.ALL).stays


@given(st.lists(st.integers(0, 40), max_size=8))
def test_m9_a_mailbox_rests_after_three_delays_in_two_weeks_whatever_their_order(days: list[int]) -> None:
    anna = person()
    for day in days:
        anna = delay(anna, after(days=day))
        assert delay(anna, after(days=day)) is anna
    last = sorted(set(days))[-3:]
    rests = len(last) == 3 and after(days=last[2]) - after(days=last[0]) <= REST
    assert rests_until(anna) == (after(days=last[2]) + REST if rests else None)
