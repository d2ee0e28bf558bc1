"""A promise: how long it holds, when somebody is reminded, and that it ends once."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import A_DAY, A_MINUTE, START, settings
from domain import flag, promise
from domain.closure import Closure, end_of
from domain.errors import Refused
from domain.flag import Reason
from domain.follow_up import Answer, FollowUp, State, Ticket, open_follow_up, to_state
from domain.message import CUSTOMER
from domain.promise import End, Promise

SETTINGS = settings()
FRIDAY = date(2026, 12, 4)
KNOWN: FollowUp = open_follow_up(
    Ticket(),
    Closure(source="acme", ticket_id="4711", closed_at=START, kind="solved", team="Web Portal"),
    START,
    SETTINGS,
)


def made(until: datetime, now: datetime = START) -> Promise:
    """A promise."""
    return promise.make(KNOWN, "a" * 32, "A visit", "ravi", until, now)


def test_a_day_ends_where_the_customer_is() -> None:
    zones = {None: "2026-12-04T23:00", "Nowhere/There": "2026-12-04T23:00", "Asia/Tokyo": "2026-12-04T15:00"}
    for zone, over in zones.items():
        closure = replace(KNOWN.closure, time_zone=zone)
        until = promise.end_of(FRIDAY, closure, SETTINGS)
        assert until.isoformat() == f"{over}:00+00:00"
        assert promise.last_day(made(until), closure, SETTINGS) == FRIDAY


def test_a_day_that_the_helpdesk_promised_is_that_day_wherever_it_ends() -> None:
    for zone in (None, "Asia/Tokyo"):
        closure = replace(KNOWN.closure, time_zone=zone)
        until = end_of(FRIDAY, None)
        assert promise.last_day(made(until), closure, SETTINGS) == FRIDAY


@given(st.timedeltas(min_value=timedelta(minutes=1), max_value=promise.LONGEST))
def test_the_reminder_comes_after_the_promise_and_before_its_end(length: timedelta) -> None:
    known = made(START + length)
    assert known.due_at is not None
    assert START < known.due_at < known.until
    assert known.until - known.due_at <= promise.REMIND_BEFORE


@pytest.mark.parametrize("length", [timedelta(), -A_DAY, promise.LONGEST + A_MINUTE])
def test_what_cannot_be_kept_is_no_promise(length: timedelta) -> None:
    with pytest.raises(Refused):
        made(START + length)


def test_a_promise_ends_while_its_case_is_still_kept_for_a_while() -> None:
    kept = replace(KNOWN, keep_until=START + 100 * A_DAY)
    last = START + 86 * A_DAY
    assert promise.make(kept, "a" * 32, "A visit", "ravi", last, START).until == last
    with pytest.raises(promise.Forgotten):
        promise.make(kept, "a" * 32, "A visit", "ravi", last + A_MINUTE, START)


@pytest.mark.parametrize(
    ("days", "reminded_on", "deleted"), [(86, 85, False), (90, 86, False), (100, 86, True), (300, 86, True)]
)
def test_what_the_ticket_promises_for_later_than_we_keep_it_is_reminded_of_in_time(
    days: int, reminded_on: int, *, deleted: bool
) -> None:
    told = replace(KNOWN.closure, promise="A call", promised_until=START + days * A_DAY)
    kept = replace(KNOWN, closure=told, keep_until=START + 100 * A_DAY)
    found = promise.from_ticket(kept, START, SETTINGS)
    assert found is not None
    assert (found.until, found.due_at) == (told.promised_until, START + reminded_on * A_DAY)
    assert promise.deleted_before(found) == (found.keep_until if deleted else None)


@pytest.mark.parametrize("first", list(End))
@pytest.mark.parametrize("second", list(End))
def test_a_promise_ends_once(first: End, second: End) -> None:
    ended = promise.end(made(START + A_DAY), first, "ravi", "Done.", START)
    assert (ended.end, ended.ended_at, ended.ended_by, ended.due_at) == (first, START, "ravi", None)
    if first is second:
        assert promise.end(ended, second, "ravi", "Other words.", START + A_DAY) is ended
    else:
        with pytest.raises(Refused):
            promise.end(ended, second, "ravi", None, START)


def test_whoever_is_gone_is_reminded_through_the_team() -> None:
    reminded, told = promise.remind(made(START + 3 * A_DAY), KNOWN, START + 2 * A_DAY, SETTINGS)
    assert (told.to, reminded.due_at) == ("contact:ravi", START + 3 * A_DAY)
    gone = replace(made(START + 3 * A_DAY), by="nobody")
    assert promise.remind(gone, KNOWN, START, SETTINGS)[1].to == "contact:ravi"
    assert promise.remind(gone, replace(KNOWN, team=None), START, SETTINGS)[1].to == "contact:mia"


def test_the_customers_word_ends_what_the_ticket_promised() -> None:
    ticket = replace(made(START + A_DAY), name=promise.FROM_TICKET)
    kept = replace(KNOWN, answers=(Answer(solved=False, at=START, kept=True),))
    content = replace(KNOWN, answers=(Answer(solved=True, at=START),))
    broken = replace(KNOWN, answers=(Answer(solved=True, at=START, kept=False),))
    assert promise.customer_says_kept(ticket, kept)
    assert promise.customer_says_kept(ticket, content)
    assert not promise.customer_says_kept(ticket, broken)
    assert not promise.customer_says_kept(ticket, KNOWN)
    assert not promise.customer_says_kept(made(START + A_DAY), kept)


def test_the_customer_hears_that_it_was_kept_once() -> None:
    known = made(START + A_DAY)
    first, second = promise.kept_message(known, START), promise.kept_message(known, START + A_DAY)
    assert (first.to, first.name) == (CUSTOMER, second.name)


def test_a_broken_promise_is_a_flag_of_its_own_that_hides_nothing() -> None:
    """Raised while the customer had not answered; their silence afterwards is news, a "yes" does not mend it."""
    broken = flag.raise_for(KNOWN, None, Reason.PROMISE_BROKEN, START + A_DAY, SETTINGS, "mia")
    assert (broken.holder, broken.reason) == ("mia", Reason.PROMISE_BROKEN)
    asked = replace(KNOWN, state=State.ASKED)
    silent = to_state(asked, State.SILENT, START + 8 * A_DAY)
    for known in (broken, replace(broken, settled_at=START + 2 * A_DAY)):
        raised = flag.flag_for(silent, known, START + 8 * A_DAY, SETTINGS)
        assert raised is not None
        assert raised.reason is Reason.SILENT
    before = Answer(solved=True, at=START)
    content = replace(asked, state=State.CONFIRMED, answers=(before,))
    assert flag.flag_for(content, broken, START + 8 * A_DAY, SETTINGS) is None
    after = replace(content, answers=(replace(before, at=START + 2 * A_DAY),))
    taken = flag.flag_for(after, broken, START + 8 * A_DAY, SETTINGS)
    assert taken is not None
    assert taken.settled_at


@pytest.mark.parametrize(
    ("changed", "by"),
    [
        ({}, "ravi"),
        ({"promised_by": "Mia Okafor"}, "mia"),
        ({"promised_by": "Somebody else"}, "ravi"),
        ({"promise": None}, None),
        ({"promised_until": None}, None),
        ({"promised_until": START - A_MINUTE}, None),
        ({"degraded": True}, None),
    ],
)
def test_a_promise_comes_with_the_ticket_while_there_is_time_to_keep_it(
    changed: dict[str, Any], by: str | None
) -> None:
    told = replace(
        KNOWN.closure, requester_email="a@b.example", promise="A call", promised_until=START + 3 * A_DAY
    )
    opened = open_follow_up(Ticket(), replace(told, **changed), START, SETTINGS)
    found = promise.from_ticket(opened, START, SETTINGS)
    assert (found.by if found else None) == by
    assert found is None or (found.words, found.name) == ("A call", promise.FROM_TICKET)
