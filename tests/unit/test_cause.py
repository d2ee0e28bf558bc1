"""Root causes: counted anew from what is there, told once, and passed on when nobody reacts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, SETTINGS, START, after, closure, opened
from domain.cause import (
    CauseState,
    Count,
    Mark,
    acknowledge,
    count,
    escalate,
    figures,
    is_repeated,
    mark_of,
    may_tell,
    tell_owner,
)
from domain.follow_up import Answer, FollowUp, State
from domain.message import Kind
from domain.person import person_key
from domain.settings import UNCLASSIFIED

ENOUGH = Count(3, 2)


def mark(
    ticket_id: str, who: str | None = "anna", day: float = 0, number: int = 1, source: str = "desk"
) -> Mark:
    """One closing that had the cause."""
    return Mark(
        cause="firmware",
        source=source,
        ticket_id=ticket_id,
        number=number,
        opened_at=after(days=day),
        person=who,
    )


def test_a_follow_up_leaves_one_mark_without_the_customers_address() -> None:
    left = mark_of(opened())
    assert left is not None
    assert (left.cause, left.ticket_id, left.number, left.opened_at) == ("firmware", "48211", 1, START)
    assert left.person == person_key("anna.berg@example.com")
    assert "anna" not in repr(left)


def test_a_hint_leaves_no_mark_because_its_cause_is_not_known() -> None:
    assert mark_of(opened(needs_details=True)) is None


def test_a_closing_without_an_address_still_counts() -> None:
    left = mark_of(opened(requester_email=None))
    assert left is not None
    assert left.person is None


def test_a_ticket_closed_twice_is_one_ticket() -> None:
    assert count([mark("1"), mark("1", number=2), mark("1")]) == Count(1, 1)


def test_the_same_id_in_two_helpdesks_is_two_tickets() -> None:
    assert count([mark("1"), mark("1", source="other")]) == Count(2, 1)


def test_three_tickets_of_two_customers_are_a_repeated_cause() -> None:
    assert is_repeated(count([mark("1"), mark("2"), mark("3", "ben")]), POLICY)
    assert not is_repeated(count([mark("1"), mark("2"), mark("3")]), POLICY)
    assert not is_repeated(count([mark("1"), mark("2", "ben"), mark("2", "eve")]), POLICY)


def test_its_owner_is_told_at_once_and_has_a_week_to_say_so() -> None:
    told = tell_owner(CauseState(code="firmware"), ENOUGH, START, SETTINGS)
    assert told is not None
    state, notice = told
    assert (state.repeated_at, state.tickets, state.customers) == (START, 3, 2)
    assert state.due_at == after(days=7)
    assert (notice.kind, notice.to, notice.name) == (
        Kind.CAUSE_REPEATED,
        "contact:jonas",
        "cause#firmware#0001",
    )
    assert tell_owner(state, Count(9, 9), after(days=29), SETTINGS) is None


def test_a_cause_that_is_repeated_in_the_next_window_is_news_again() -> None:
    told = tell_owner(CauseState(code="firmware"), ENOUGH, START, SETTINGS)
    assert told is not None
    known = acknowledge(told[0], date(2026, 12, 1), "New firmware is ordered", after(days=1))
    again = tell_owner(known, ENOUGH, after(days=30), SETTINGS)
    assert again is not None
    assert (again[0].acknowledged_at, again[1].name) == (None, "cause#firmware#0002")


def test_what_nobody_classified_and_what_is_no_cause_any_more_has_no_owner() -> None:
    for code in (UNCLASSIFIED, "gone"):
        assert tell_owner(CauseState(code=code), Count(99, 99), START, SETTINGS) is None


def test_acknowledging_keeps_what_was_said_before() -> None:
    first = acknowledge(
        CauseState(code="firmware", due_at=START), date(2026, 12, 1), "Ordered", after(days=1)
    )
    assert (first.acknowledged_at, first.due_at) == (after(days=1), None)
    assert acknowledge(first, None, None, after(days=2)) == first
    later = acknowledge(first, date(2027, 1, 8), None, after(days=3))
    assert (later.committed_to, later.note, later.acknowledged_at) == (
        date(2027, 1, 8),
        "Ordered",
        after(days=1),
    )


def test_a_notice_that_nobody_acknowledged_goes_to_the_manager_once() -> None:
    told = tell_owner(CauseState(code="firmware"), ENOUGH, START, SETTINGS)
    assert told is not None
    state, notice = escalate(told[0], after(days=7), SETTINGS)
    assert notice is not None
    assert (notice.to, notice.name) == ("contact:selma", "cause#firmware#0002")
    assert (state.escalated_from, state.due_at) == ("jonas", None)
    assert escalate(state, after(days=9), SETTINGS) == (state, None)


def test_nobody_is_bothered_about_an_acknowledged_cause_or_above_the_top() -> None:
    known = CauseState(code="firmware", repeated_at=START, acknowledged_at=START, due_at=START)
    assert escalate(known, after(days=7), SETTINGS) == (replace(known, due_at=None), None)
    top = CauseState(code="licence", repeated_at=START, due_at=START)
    assert escalate(top, after(days=7), SETTINGS) == (replace(top, due_at=None), None)


# --- against a recount -----------------------------------------------------------------------------------------------

marks = st.lists(
    st.builds(
        mark,
        st.sampled_from(["1", "2", "3", "4"]),
        st.sampled_from([None, "anna", "ben", "eve"]),
        st.integers(-40, 20),
        st.integers(1, 3),
        st.sampled_from(["desk", "other"]),
    ),
    max_size=25,
)


def recount(listed: Iterable[Mark]) -> Count:
    """The same two figures, counted the slow way."""
    tickets: list[tuple[str, str]] = []
    customers: list[object] = []
    for one in listed:
        if (one.source, one.ticket_id) not in tickets:
            tickets.append((one.source, one.ticket_id))
        customer: object = one.person if one.person is not None else (one.source, one.ticket_id)
        if customer not in customers:
            customers.append(customer)
    return Count(len(tickets), len(customers))


@given(marks, st.integers(1, 5), st.integers(1, 5), st.randoms())
def test_counting_equals_a_recount_whatever_the_order_and_however_often_a_mark_comes(
    listed: list[Mark], tickets: int, customers: int, chance: object
) -> None:
    policy = replace(POLICY, repeated_tickets=tickets, repeated_customers=customers)
    slow = recount(listed)
    assert count(listed) == count([*reversed(listed), *listed]) == count(iter(listed)) == slow
    assert is_repeated(slow, policy) == (slow.tickets >= tickets and slow.customers >= customers)


words = st.sampled_from([None, "Thank you", "It still drops"])


@st.composite
def follow_ups(draw: st.DrawFn, listed: list[Mark]) -> list[FollowUp]:
    """For some of these marks, and for some closings that left none: what became of them."""
    found = []
    keys = {(one.source, one.ticket_id, one.number) for one in listed} | {("desk", "5", 1)}
    for source, ticket_id, number in sorted(keys):
        state = draw(st.sampled_from([*State, None]))
        if state is None:
            continue
        answers: tuple[Answer, ...] = ()
        if state in {State.CONFIRMED, State.DENIED}:
            solved, said = state is State.CONFIRMED, draw(words)
            consent = said if solved and draw(st.booleans()) else None
            said_at = after(days=draw(st.integers(-15, 15)))
            answers = (Answer(solved=solved, at=said_at, words=said, consent=consent),)
        day = draw(st.integers(-40, 20))
        found.append(
            FollowUp(
                closure=closure(source=source, ticket_id=ticket_id),
                number=number,
                state=state,
                opened_at=after(days=day),
                cause="firmware",
                answers=answers,
                outcome_at=after(days=draw(st.integers(-15, 15))),
            )
        )
    return found


@given(st.data(), marks, st.integers(1, 12), st.integers(1, 6))
def test_figures_equal_a_recount(data: st.DataObject, listed: list[Mark], days: int, buckets: int) -> None:
    known = data.draw(follow_ups(listed))
    since, until = START, after(days=days)
    found = figures("firmware", iter(listed), iter(known), since, until, buckets)

    inside = [one for one in listed if one.opened_at >= since and one.opened_at < until]
    mine = [one for one in known if one.outcome_at and one.outcome_at >= since and one.outcome_at < until]
    assert Count(found.tickets, found.customers) == recount(inside)
    assert found.confirmed == len([one for one in mine if one.state == "confirmed"])
    assert found.denied == len([one for one in mine if one.state == "denied"])
    assert found.silent == len([one for one in mine if one.state == "silent"])
    assert found.not_asked == len([one for one in mine if one.state == "not_asked"])
    trend = []
    for back in range(buckets - 1, -1, -1):
        first, last = after(days=days - days * (back + 1)), after(days=days - days * back)
        trend.append(recount(one for one in listed if first <= one.opened_at < last).tickets)
    assert list(found.trend) == trend
    assert found.trend[-1] == found.tickets
    assert found.tickets_before == (trend[-2] if buckets > 1 else 0)
    spoken = [one.answer for one in known if one.answer and one.answer.words]
    said = [one for one in spoken if one.at >= since and one.at < until]
    told = [one for one in said if not one.solved or one.consent]
    assert sorted(found.words) == sorted(one.words for one in told if one.words)
    complaints = len([one for one in told if not one.solved])
    assert set(found.words[:complaints]) <= {one.words for one in told if not one.solved}


tries = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 6), st.integers(0, 4)), max_size=30)
others = st.sampled_from(["nothing", "acknowledge", "escalate"])


@given(tries, st.lists(others, min_size=30, max_size=30))
def test_the_owner_is_told_at_most_once_in_each_window(
    counts: list[tuple[int, int, int]], between: list[str]
) -> None:
    """Whatever is counted when, and whatever the owner does or does not do."""
    state = CauseState(code="firmware")
    told_at: list[datetime] = []
    names: list[str] = []
    for (day, tickets, customers), other in zip(sorted(counts), between, strict=False):
        now, counted = after(days=day), Count(tickets, customers)
        told = tell_owner(state, counted, now, SETTINGS)
        wanted = is_repeated(counted, POLICY) and may_tell(state, now, POLICY)
        assert (told is not None) == wanted
        if told:
            state = told[0]
            told_at.append(now)
            names.append(told[1].name)
            assert tell_owner(state, counted, now, SETTINGS) is None
        if other == "acknowledge":
            state = acknowledge(state, None, None, now)
        elif other == "escalate" and state.due_at and now >= state.due_at:
            state, notice = escalate(state, now, SETTINGS)
            if notice:
                names.append(notice.name)
    window = timedelta(days=30)
    assert all(later - earlier >= window for earlier, later in pairwise(told_at))
    assert len(names) == len(set(names))
