"""What was promised to a customer, by whom and until when; every promise ends: kept, broken or withdrawn.

    open ──a day before──► reminded ──┬── kept       (a person says so, or the customer does)
                                      ├── withdrawn  (a person says why)
                                      └── broken     (its time is over): flagged

A promise comes with the ticket, or from the page of a flag.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from domain import hours
from domain.errors import Refused
from domain.follow_up import FollowUp
from domain.message import CUSTOMER, Kind, Message, ticket_scope
from domain.settings import Settings

REMIND_BEFORE = timedelta(days=1)
FROM_TICKET = "ticket"
"""The name of the promise that the helpdesk told; others bear the id of the form that they came from."""
LONGEST = timedelta(days=366)


class End(StrEnum):
    """How a promise ended."""

    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise about one closure; ``due_at`` is when its next step is due."""

    source: str
    ticket_id: str
    number: int
    name: str
    words: str
    by: str
    """Key of the contact who has to keep it."""
    promised_at: datetime
    until: datetime
    due_at: datetime | None = None
    reminded_at: datetime | None = None
    end: End | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    """Key of a contact, or ``customer``; None when only its time was over."""
    end_words: str | None = None
    """What was said about its end."""
    keep_until: datetime | None = None
    version: int = 0


def make(follow_up: FollowUp, name: str, words: str, by: str, until: datetime, now: datetime) -> Promise:
    """A new promise; Refused when its time is over already or too far away to be one."""
    if not now < until <= now + LONGEST:
        raise Refused("no time in which it could be kept")
    closure = follow_up.closure
    return Promise(
        source=closure.source,
        ticket_id=closure.ticket_id,
        number=follow_up.number,
        name=name,
        words=words,
        by=by,
        promised_at=now,
        until=until,
        due_at=max(until - REMIND_BEFORE, now + (until - now) / 2),
        keep_until=follow_up.keep_until,
    )


def end_of(day: date, settings: Settings) -> datetime:
    """The instant at which a day of the company's calendar is over."""
    return hours.instant(datetime.combine(day + timedelta(days=1), time()), settings.policy.time_zone)


def last_day(promise: Promise, time_zone: str | None, default: str) -> date:
    """The day until which it holds, on somebody's calendar: a promise until midnight is one for the day before it."""
    return hours.local(promise.until - timedelta(seconds=1), time_zone, default).date()


def end(promise: Promise, how: End, by: str | None, words: str | None, now: datetime) -> Promise:
    """The promise at its end. The same end by the same person changes nothing; Refused when it ended otherwise."""
    if promise.end:
        if (promise.end, promise.ended_by) == (how, by):
            return promise
        raise Refused(f"the promise is {promise.end}")
    return replace(promise, end=how, ended_at=now, ended_by=by, end_words=words, due_at=None)


def remind(
    promise: Promise, follow_up: FollowUp, now: datetime, settings: Settings
) -> tuple[Promise, Message]:
    """The mail to whoever has to keep it, before its time is over."""
    holder = promise.by if promise.by in settings.contacts else settings.responsible_for(follow_up.team)
    told = _message(promise, Kind.PROMISE_DUE, f"contact:{holder}", now)
    return replace(promise, reminded_at=now, due_at=promise.until), told


def kept_message(promise: Promise, now: datetime) -> Message:
    """The mail that tells the customer that it was kept."""
    return _message(promise, Kind.PROMISE_KEPT, CUSTOMER, now)


def customer_says_kept(promise: Promise, follow_up: FollowUp) -> bool:
    """Whether the customer says that what the ticket had promised was kept."""
    answer = follow_up.answer
    return promise.name == FROM_TICKET and answer is not None and answer.kept is True


def _message(promise: Promise, kind: Kind, to: str, now: datetime) -> Message:
    return Message(
        scope=ticket_scope(promise.source, promise.ticket_id),
        name=f"{promise.number:04d}#{kind}#{promise.name}",
        kind=kind,
        to=to,
        created_at=now,
        due_at=now,
        about={
            "source": promise.source,
            "ticket_id": promise.ticket_id,
            "number": str(promise.number),
            "promise": promise.name,
        },
        keep_until=promise.keep_until,
    )
