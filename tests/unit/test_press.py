"""Which presses look like a machine's, and that a person is never locked out."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, after, asked
from domain.follow_up import AskedAgain, FollowUp, Press, record_answer
from domain.press import KEPT_SUSPECTS, Page, Rule, suspect, suspicions

A_DAY_LATER = after(days=2)


def shown(seconds_ago: float, **changed: bool) -> Page:
    """The page, some seconds before the press."""
    return Page(shown_at=A_DAY_LATER - timedelta(seconds=seconds_ago), **changed)


def judged(
    page: Page | None,
    *,
    hidden_field: bool = False,
    now: datetime = A_DAY_LATER,
    follow_up: FollowUp | None = None,
) -> tuple[str, ...]:
    """By which rules a "yes" is suspected."""
    return suspicions(follow_up or asked(), True, page, hidden_field, now, POLICY)


def test_whoever_opens_the_page_reads_and_presses_is_a_person() -> None:
    assert judged(shown(2)) == ()
    assert judged(shown(60 * 60 * 24)) == ()


@pytest.mark.parametrize(
    ("page", "hidden_field", "rule"),
    [
        (None, False, Rule.NO_PAGE),
        (shown(1.9), False, Rule.AT_ONCE),
        (shown(30, hidden_link=True), False, Rule.HIDDEN_LINK),
        (shown(30), True, Rule.HIDDEN_FIELD),
        (shown(1.9, once_more=True), False, Rule.AT_ONCE),
    ],
)
def test_what_only_machines_do_is_suspected(page: Page | None, hidden_field: bool, rule: Rule) -> None:
    assert judged(page, hidden_field=hidden_field) == (rule,)


def test_a_press_within_a_minute_of_the_mail_is_asked_for_once_more_and_then_counts() -> None:
    follow_up = asked()
    assert follow_up.survey is not None
    assert follow_up.survey.sent_at is not None
    soon = follow_up.survey.sent_at + timedelta(seconds=59)
    page = Page(shown_at=soon - timedelta(seconds=20))
    assert judged(page, now=soon) == (Rule.JUST_SENT,)
    assert judged(replace(page, once_more=True), now=soon) == ()
    assert judged(page, now=soon + timedelta(seconds=1)) == ()


def test_the_opposite_of_what_was_pressed_a_moment_ago_is_suspected_counted_or_not() -> None:
    pressed = record_answer(asked(), Press(solved=False), A_DAY_LATER - timedelta(seconds=9), POLICY)
    assert judged(shown(5), follow_up=pressed) == (Rule.CONTRADICTS,)
    doubted = suspect(asked(), False, ("at_once",), A_DAY_LATER - timedelta(seconds=9))
    assert judged(shown(5), follow_up=doubted) == (Rule.CONTRADICTS,)
    earlier = record_answer(asked(), Press(solved=False), A_DAY_LATER - timedelta(seconds=11), POLICY)
    assert judged(shown(5), follow_up=earlier) == ()


def test_words_for_the_answer_that_stands_are_no_new_press() -> None:
    answered = record_answer(asked(), Press(solved=True), A_DAY_LATER, POLICY)
    assert judged(None, hidden_field=True, follow_up=answered) == ()


@given(st.integers(0, 40))
def test_what_is_kept_of_a_machine_that_never_stops_is_limited_and_never_counts(times: int) -> None:
    follow_up = asked()
    for number in range(times):
        follow_up = suspect(follow_up, number % 2 == 0, ("no_page",), A_DAY_LATER)
    assert len(follow_up.suspects) == min(times, KEPT_SUSPECTS)
    assert (follow_up.state, follow_up.answers) == (asked().state, ())


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600)), max_size=10))
def test_a_person_who_presses_once_more_after_a_while_is_heard(earlier: list[tuple[bool, int]]) -> None:
    """Whatever machines pressed before."""
    follow_up = asked()
    for solved, seconds in sorted(earlier, key=lambda press: press[1]):
        follow_up = suspect(follow_up, solved, ("no_page",), A_DAY_LATER + timedelta(seconds=seconds))
    now = A_DAY_LATER + timedelta(seconds=611)
    page = Page(shown_at=now - timedelta(seconds=3), once_more=True)
    assert suspicions(follow_up, True, page, False, now, POLICY) == ()


def test_the_same_no_to_the_question_that_was_asked_again_is_judged_anew() -> None:
    said_no = record_answer(asked(), Press(solved=False), A_DAY_LATER, POLICY)
    asked_at = A_DAY_LATER + timedelta(days=2)
    again = replace(said_no, asked_again=(AskedAgain(at=asked_at, by="ravi", done="Called."),))
    soon = asked_at + timedelta(seconds=30)
    page = Page(shown_at=soon - timedelta(seconds=5))
    assert suspicions(said_no, False, page, False, soon, POLICY) == ()
    assert suspicions(again, False, page, False, soon, POLICY) == (Rule.JUST_SENT,)
    later = asked_at + timedelta(minutes=2)
    assert suspicions(again, False, replace(page, shown_at=soon), False, later, POLICY) == ()
