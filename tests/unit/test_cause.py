"""Root causes: counted anew from what is there, told once, and passed on when nobody reacts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, SETTINGS, START, after, closure, opened
from domain.cause import (
    CauseState,
    Count,
    Mark,
    Why,
    acknowledge,
    count,
    daily,
    escalate,
    figures,
    is_repeated,
    mark_of,
    may_tell,
    roll_up,
    tell_owner,
    unmapped,
    why_tell,
)
from domain.follow_up import Answer, FollowUp, State
from domain.message import Kind
from domain.person import person_key
from domain.rise import Days
from domain.settings import UNCLASSIFIED, Cause, is_mixed, value_key

ENOUGH = Count(3, 2)
FLOOR = Why(30)


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
    told = tell_owner(CauseState(code="firmware"), ENOUGH, FLOOR, START, SETTINGS)
    assert told is not None
    state, notice = told
    assert (state.repeated_at, state.tickets, state.customers) == (START, 3, 2)
    assert state.due_at == after(days=7)
    assert (notice.kind, notice.to, notice.name) == (
        Kind.CAUSE_REPEATED,
        "contact:jonas",
        "cause#firmware#0001",
    )
    assert (state.within_days, state.usual) == (30, None)
    assert not may_tell(state, after(days=6.9))


def test_a_cause_that_rises_again_is_news_again() -> None:
    told = tell_owner(CauseState(code="firmware"), ENOUGH, FLOOR, START, SETTINGS)
    assert told is not None
    known = acknowledge(told[0], date(2026, 12, 1), "New firmware is ordered", after(days=1), POLICY)
    again = tell_owner(known, Count(12, 9), Why(7, 3.4), after(days=30), SETTINGS)
    assert again is not None
    assert (again[0].tickets, again[0].within_days, again[0].usual) == (12, 7, 3.4)
    assert (again[0].acknowledged_at, again[1].name) == (None, "cause#firmware#0002")


def test_what_nobody_classified_and_what_is_no_cause_any_more_has_no_owner() -> None:
    for code in (UNCLASSIFIED, "gone"):
        assert tell_owner(CauseState(code=code), Count(99, 99), FLOOR, START, SETTINGS) is None


def test_acknowledging_keeps_what_was_said_before() -> None:
    first = acknowledge(
        CauseState(code="firmware", due_at=START), date(2026, 12, 1), "Ordered", after(days=1), POLICY
    )
    assert first.acknowledged_at == after(days=1)
    assert first.due_at == datetime(2026, 11, 30, 8, tzinfo=UTC), "the owner is reminded the day before"
    assert acknowledge(first, None, None, after(days=2), POLICY) == first
    later = acknowledge(first, date(2027, 1, 8), None, after(days=3), POLICY)
    assert (later.committed_to, later.note, later.acknowledged_at) == (
        date(2027, 1, 8),
        "Ordered",
        after(days=1),
    )


def test_a_notice_that_nobody_acknowledged_goes_to_the_manager_once() -> None:
    told = tell_owner(CauseState(code="firmware"), ENOUGH, FLOOR, START, SETTINGS)
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


tries = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 6)), max_size=60)
others = st.sampled_from(["nothing", "acknowledge", "escalate"])


@given(tries, st.lists(others, min_size=60, max_size=60))
def test_the_owner_is_told_at_most_once_a_week_and_each_time_for_a_reason(
    marked: list[tuple[int, int]], between: list[str]
) -> None:
    """Whatever comes when, and whatever the owner does or does not do."""
    state = CauseState(code="firmware")
    told_at: list[datetime] = []
    names: list[str] = []
    listed: list[Mark] = []
    for number, ((day, who), other) in enumerate(zip(sorted(marked), between, strict=False)):
        now = after(days=day)
        listed.append(mark(str(number), f"customer {who}", day))
        today, since = now.date(), listed[0].opened_at.date()
        days = Days(today=today, counts=daily(listed, since, today), since=since)
        counted = count(one for one in listed if one.opened_at >= now - POLICY.repeated_within)
        why = why_tell(state, days, now, POLICY) if is_repeated(counted, POLICY) else None
        told = tell_owner(state, counted, why, now, SETTINGS) if why else None
        if told:
            state = told[0]
            told_at.append(now)
            names.append(told[1].name)
            assert why_tell(state, days, now, POLICY) is None
        elif not told_at:
            assert not is_repeated(counted, POLICY), "a new cause follows the floor"
        if other == "acknowledge":
            state = acknowledge(state, None, None, now, POLICY)
        elif other == "escalate" and state.due_at and now >= state.due_at:
            state, notice = escalate(state, now, SETTINGS)
            if notice:
                names.append(notice.name)
    assert all(later - earlier >= timedelta(days=7) for earlier, later in pairwise(told_at))
    assert len(names) == len(set(names))


# --- values, days and causes above ------------------------------------------------------------------------------------


def test_g7_one_value_however_it_is_written() -> None:
    for said in ("VPN", "ＶＰＮ", " vpn ", "V\u200bP\u200dN\ufeff", "\u2060Vpn", "ᵛpn", "vpn\u00ad"):
        assert value_key(said) == "vpn"
        assert not is_mixed(said)
    assert value_key("password\u00a0 Reset\tfailed") == "password reset failed"


def test_g7_a_value_that_only_looks_alike_is_another_and_is_marked() -> None:
    homograph = "V\u0420N"
    assert value_key(homograph) != value_key("VPN")
    assert is_mixed(homograph)
    for honest in ("Wi-Fi сеть", "ルーターVPN", "Zugang für Gäste", "VPN-2", "سبب VPN"):
        assert not is_mixed(honest)


@given(st.text(max_size=300))
def test_g7_what_is_compared_is_short_and_stays_the_same(said: str) -> None:
    key = value_key(said)
    assert len(key) <= 100
    assert value_key(key) == key
    assert value_key(f" {said.upper().lower()}\u200b") == value_key(said.upper().lower())


def test_g7_five_kilobytes_are_a_value_of_a_hundred_characters() -> None:
    sent = closure(cause="x" * 5000)
    assert sent.cause is not None
    assert len(sent.cause) == 100
    left = mark_of(opened(cause="x" * 5000))
    assert left is not None
    assert (left.cause, left.value) == (UNCLASSIFIED, sent.cause)


def test_only_what_nobody_mapped_keeps_its_value() -> None:
    left = mark_of(opened())
    assert left is not None
    assert left.value is None


def test_unmapped_values_are_listed_by_how_often_they_came() -> None:
    def named(ticket_id: str, who: str, value: str | None, source: str = "desk") -> Mark:
        return replace(mark(ticket_id, who, source=source), cause=UNCLASSIFIED, value=value)

    listed = unmapped(
        [
            named("1", "anna", "VPN"),
            named("2", "ben", " ｖｐｎ", "other"),
            named("2", "ben", "vpn\u200b", "other"),
            named("3", "ben", "V\u0420N"),
            named("4", "eve", None),
        ]
    )
    assert [(value_key(one.value), one.tickets, one.customers, one.sources, one.mixed) for one in listed] == [
        ("vpn", 2, 2, ("desk", "other"), False),
        ("v\u0440n", 1, 1, ("desk",), True),
    ]


@given(st.lists(st.tuples(marks, st.sampled_from(["", "a", "b", "c", "d"])), min_size=4, max_size=4))
def test_a_cause_above_counts_each_ticket_below_it_once(drawn: list[tuple[list[Mark], str]]) -> None:
    codes = ("a", "b", "c", "d")
    causes = {}
    for at, code in enumerate(codes):
        above = drawn[at][1]
        # Only earlier ones, so that no chain leads back.
        parent = above if above and codes.index(above) < at else None
        causes[code] = Cause(name=code, owner="jonas", parent=parent)
    company = replace(SETTINGS, causes=causes)
    by_code = {code: [replace(one, cause=code) for one in drawn[at][0]] for at, code in enumerate(codes)}
    together = roll_up(by_code, company)
    for code in codes:
        below = []
        for other in codes:
            chain: str | None = other
            while chain and chain != code:
                chain = causes[chain].parent
            below += by_code[other] if chain == code else []
        assert together[code] == recount(below)


@given(marks, st.integers(-50, -1), st.integers(0, 30))
def test_the_days_of_a_cause_equal_a_recount(listed: list[Mark], first: int, last: int) -> None:
    begin, end = after(days=first).date(), after(days=last).date()
    slow = []
    for offset in range((end - begin).days + 1):
        day = begin + timedelta(days=offset)
        mine = [
            one
            for one in listed
            if one.opened_at.date() == day or (day == end and one.opened_at.date() > end)
        ]
        slow.append(recount(mine).tickets)
    assert list(daily(listed, begin, end)) == slow


def test_a_cause_may_have_a_manager_of_its_own() -> None:
    causes = {"firmware": replace(SETTINGS.causes["firmware"], manager="ruth")}
    told = tell_owner(CauseState(code="firmware"), ENOUGH, FLOOR, START, SETTINGS)
    assert told
    _, notice = escalate(told[0], after(days=7), replace(SETTINGS, causes=causes))
    assert notice
    assert notice.to == "contact:ruth"
