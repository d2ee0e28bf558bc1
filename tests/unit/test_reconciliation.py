"""When a helpdesk is asked what it closed, over which span, and what counts as the same closing."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, SETTINGS, START, after, closure
from domain.follow_up import (
    SAME_WHEN_FOUND_WITHIN,
    FollowUp,
    Inquiry,
    Obstacle,
    State,
    Ticket,
    Written,
    found_open,
    not_told,
    open_follow_up,
    same_closure,
)
from domain.reconciliation import (
    EVERY,
    OVERLAP,
    WEBHOOKS_TAKE,
    Pass,
    after_page,
    backfill,
    is_too_old,
    nightly,
    not_answered,
)

FIRST = Pass(
    source="desk",
    found_by="reconciliation",
    since=START - timedelta(days=2),
    until=START,
    began_at=START,
    version=3,
)
DONE = replace(FIRST, finished_at=START)


# --- passes ----------------------------------------------------------------------------------------------------------


def test_a_pass_is_needed_once_a_day_and_begins_before_the_last_one_ended() -> None:
    assert nightly(DONE, "desk", START + EVERY - timedelta(seconds=1), POLICY) is None
    run = nightly(DONE, "desk", START + EVERY, POLICY)
    assert run
    assert (run.since, run.until) == (START - OVERLAP, START + EVERY - WEBHOOKS_TAKE)
    assert (run.version, run.opened, run.place) == (3, 0, None)


@given(st.integers(min_value=24, max_value=24 * 400))
def test_however_long_nobody_could_ask_nothing_that_may_be_asked_about_is_left_out(hours: int) -> None:
    now = START + timedelta(hours=hours)
    run = nightly(DONE, "desk", now, POLICY)
    assert run
    assert run.since <= max(DONE.until, now - POLICY.oldest_closure)
    assert run.since >= now - POLICY.oldest_closure or run.since == DONE.until - OVERLAP


def test_an_unfinished_pass_goes_on_when_its_time_has_come() -> None:
    waits = replace(FIRST, again_at=after(minutes=10))
    assert nightly(waits, "desk", after(minutes=9), POLICY) is None
    assert nightly(waits, "desk", after(minutes=10), POLICY) is waits
    assert nightly(FIRST, "desk", after(days=9), POLICY) is FIRST


def test_a_page_ends_the_pass_or_says_where_to_go_on() -> None:
    troubled = not_answered(FIRST, Obstacle.UNREACHABLE, timedelta(minutes=30), START)
    assert (troubled.tries, troubled.again_at) == (1, after(minutes=30))
    on = after_page(troubled, "next", after(hours=1))
    assert (on.place, on.tries, on.again_at, on.finished_at, on.pages) == ("next", 0, None, None, 1)
    assert after_page(on, None, after(hours=1)).finished_at == after(hours=1)
    assert after_page(replace(on, pages=19_999), "more", after(hours=1)).finished_at, "no list is endless"


def test_a_list_that_gives_only_so_much_is_begun_anew_at_the_last_closing_of_it() -> None:
    half = FIRST.since + timedelta(days=1)
    one = after_page(FIRST, "2", START, most_at_once=2, reached=half - timedelta(hours=1))
    assert (one.place, one.begins, one.start, one.in_list) == ("2", None, FIRST.since, 1)
    two = after_page(one, "3", START, most_at_once=2, reached=half)
    assert (two.place, two.begins, two.start, two.in_list) == (None, half, half, 0)
    stuck = after_page(replace(two, in_list=1), "3", START, most_at_once=2, reached=half)
    assert (stuck.place, stuck.begins) == ("3", half), "so many at one instant: nothing tells where to begin"
    assert after_page(replace(two, in_list=1), None, START, most_at_once=2, reached=START).finished_at


def test_a_list_that_always_breaks_at_one_place_is_walked_less_and_less_often() -> None:
    run, pauses = FIRST, []
    for _ in range(9):
        run = after_page(run, "2", START)
        run = not_answered(run, Obstacle.UNREADABLE, timedelta(), START)
        assert run.again_at
        assert run.place is None
        pauses.append((run.again_at - START).total_seconds() / 60)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_place_that_is_no_good_is_forgotten_and_any_other_trouble_keeps_it() -> None:
    there = replace(FIRST, place="page 7")
    for obstacle in Obstacle:
        place = not_answered(there, obstacle, timedelta(), START).place
        assert place == (None if obstacle in {Obstacle.GONE, Obstacle.UNREADABLE} else "page 7")


def test_pauses_grow_to_an_hour() -> None:
    run, pauses = FIRST, []
    for _ in range(12):
        run = not_answered(run, Obstacle.REFUSED, timedelta(), START)
        assert run.again_at
        pauses.append(run.again_at - START)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=1), timedelta(hours=1))


def test_a_backfill_goes_on_where_it_was_cut_off_and_begins_anew_when_it_was_done() -> None:
    half = replace(FIRST, found_by="backfill", opened=4)
    assert backfill(half, "desk", half.since, half.until, after(days=1)) is half
    again = backfill(replace(half, finished_at=START), "desk", half.since, half.until, after(days=1))
    assert (again.opened, again.version) == (0, half.version)


def test_what_is_older_than_the_policy_allows_is_too_old() -> None:
    assert not is_too_old(START - POLICY.oldest_closure, START, POLICY)
    assert is_too_old(START - POLICY.oldest_closure - timedelta(seconds=1), START, POLICY)


# --- the same closing ------------------------------------------------------------------------------------------------


def opened_at(at: datetime, number: int = 1, **changed: object) -> FollowUp:
    """A follow-up of a closing at that instant."""
    made = open_follow_up(Ticket(), closure(closed_at=at, **changed), at, SETTINGS)
    return replace(made, number=number)


@pytest.mark.parametrize("found_first", [True, False])
@given(st.integers(min_value=-3600, max_value=3600))
def test_what_is_found_by_asking_is_the_same_within_ten_minutes(found_first: bool, seconds: int) -> None:
    first, second = ("reconciliation", None) if found_first else (None, "reconciliation")
    known = opened_at(START, found_by=first)
    again = closure(closed_at=START + timedelta(seconds=seconds), found_by=second)
    same = same_closure(Ticket(follow_ups=(known,)), again)
    assert (same is known) == (abs(seconds) <= SAME_WHEN_FOUND_WITHIN.total_seconds())


def test_a_reopening_in_between_makes_it_another_closing() -> None:
    known = opened_at(START)
    found = closure(closed_at=after(minutes=8), found_by="reconciliation")
    assert same_closure(Ticket(follow_ups=(known,), reopens=(after(minutes=4),)), found) is None


def test_two_reports_of_webhooks_are_told_apart_as_ever() -> None:
    known = opened_at(START)
    assert same_closure(Ticket(follow_ups=(known,)), closure(closed_at=after(minutes=8))) is None


def test_a_time_that_is_only_the_last_change_is_the_same_closing_unless_it_was_reopened() -> None:
    known = opened_at(START)
    found = closure(closed_at=after(days=3), found_by="reconciliation", degraded=True)
    assert same_closure(Ticket(follow_ups=(known,)), found) is known
    assert same_closure(Ticket(follow_ups=(known,), reopens=(after(days=1),)), found) is None


# --- our own echo ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reopens", "minutes", "echo"),
    [
        (False, 0.1, True),
        (False, 14, True),
        (False, 16, False),
        (False, -1, True),
        (False, -6, False),
        (True, 0.4, True),
        (True, 5, False),
    ],
)
def test_a_closing_right_after_we_wrote_is_an_echo_of_it(reopens: bool, minutes: float, echo: bool) -> None:
    known = opened_at(START)
    wrote = Written(number=1, since=after(days=2), until=after(days=2), reopens=reopens)
    ticket = Ticket(follow_ups=(known,), written=(wrote,))
    heard = closure(closed_at=after(days=2, minutes=minutes))
    assert (same_closure(ticket, heard) is known) is echo


def test_a_closing_after_a_reopening_is_none() -> None:
    known = opened_at(START)
    wrote = Written(number=1, since=after(days=2), until=after(days=2), reopens=False)
    ticket = Ticket(follow_ups=(known,), written=(wrote,), reopens=(after(days=2, minutes=1),))
    assert same_closure(ticket, closure(closed_at=after(days=2, minutes=5))) is None


def test_an_echo_is_of_the_closure_that_was_written_about() -> None:
    first, second = opened_at(START), opened_at(after(days=1), number=2)
    wrote = Written(number=2, since=after(days=2), until=after(days=2), reopens=False)
    ticket = Ticket(follow_ups=(first, second), written=(wrote,))
    assert same_closure(ticket, closure(closed_at=after(days=2, minutes=1))) is second


@pytest.mark.parametrize(
    ("reopens", "minutes", "ours"), [(True, 1, True), (True, 14, True), (True, 16, False), (False, 1, False)]
)
def test_only_our_own_reopening_supersedes_nothing(reopens: bool, minutes: float, ours: bool) -> None:
    known = opened_at(START)
    wrote = Written(number=1, since=after(days=2), until=after(days=2), reopens=reopens)
    ticket = Ticket(follow_ups=(known,), written=(wrote,), reopens=(after(days=2, minutes=minutes),))
    assert ticket.superseded(known) == (None if ours else "reopened")


# --- details that do not come ----------------------------------------------------------------------------------------

HINT = open_follow_up(Ticket(), closure(requester_email=None, needs_details=True), START, SETTINGS)


def test_asking_in_vain_is_repeated_ever_later_and_at_the_last_moment() -> None:
    waiting, now, tries = HINT, START, 0
    while waiting.state is State.WAITING:
        waiting = not_told(waiting, Obstacle.UNREACHABLE, timedelta(), now, POLICY)
        tries += 1
        assert waiting.due_at is not None
        assert waiting.due_at > now or waiting.state is State.NOT_ASKED
        now = max(now, waiting.due_at)
    assert (waiting.reason, waiting.inquiry) == (
        "no_details",
        Inquiry(tries=tries, at=after(days=3), obstacle=Obstacle.UNREACHABLE),
    )
    assert 50 < tries < 100


@given(st.sampled_from(Obstacle), st.integers(min_value=0, max_value=10**6))
def test_no_wait_is_longer_than_the_time_there_is(obstacle: Obstacle, seconds: int) -> None:
    put_off = not_told(HINT, obstacle, timedelta(seconds=seconds), START, POLICY)
    assert put_off.due_at
    assert START < put_off.due_at <= START + POLICY.details_within


def test_that_there_is_no_such_ticket_is_believed_after_a_while() -> None:
    early = not_told(HINT, Obstacle.GONE, timedelta(), after(minutes=5), POLICY)
    assert early.state is State.WAITING
    late = not_told(HINT, Obstacle.GONE, timedelta(), after(minutes=10), POLICY)
    assert (late.state, late.reason) == (State.NOT_ASKED, "no_details")


def test_that_a_ticket_is_open_is_believed_after_a_while() -> None:
    assert found_open(HINT, after(minutes=5)).due_at == after(minutes=10)
    open_again = found_open(HINT, after(minutes=10))
    assert (open_again.state, open_again.reason) == (State.REOPENED, "reopened")
