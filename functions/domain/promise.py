"""What was promised to a customer, by whom and until when; every promise ends: kept, broken or withdrawn.

    open ──a day before──► reminded ──┬── kept       (a person says so, or the customer does)
                                      ├── withdrawn  (a person says why)
                                      └── broken     (its time is over): flagged

A promise comes with the ticket, or from the page of a flag.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from domain import hours
from domain.closure import DAY_ENDS, Closure, Ref
from domain.errors import Refused
from domain.follow_up import FollowUp, State
from domain.message import CUSTOMER, Kind, Message, about_closure, ticket_scope
from domain.settings import Settings

REMIND_BEFORE = timedelta(days=1)
FROM_TICKET = "ticket"
"""The name of the promise that the helpdesk told; others bear the id of the form that they came from."""
LONGEST = timedelta(days=366)
KEPT_AFTER = timedelta(days=14)
"""A case is kept at least so long after the end of its promise: time to flag a broken one, pass it on and settle it."""


class Forgotten(Refused):
    """The case is deleted too soon for this promise."""


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

    @property
    def ref(self) -> Ref:
        """Which closure it is about."""
        return Ref(source=self.source, ticket_id=self.ticket_id, number=self.number)


def make(follow_up: FollowUp, name: str, words: str, by: str, until: datetime, now: datetime) -> Promise:
    """A new promise; Refused when its time is over already or too far away to be one.

    Forgotten when its case is deleted before anybody could look after its end: then nobody would ever be reminded.
    """
    if not now < until <= now + LONGEST:
        raise Refused("no time in which it could be kept")
    last = _last_end(follow_up)
    if last and last < until:
        raise Forgotten("the case is deleted too soon")
    return _new(follow_up, name, words, by, until, now)


def _last_end(follow_up: FollowUp) -> datetime | None:
    return follow_up.keep_until - KEPT_AFTER if follow_up.keep_until else None


def _new(follow_up: FollowUp, name: str, words: str, by: str, until: datetime, now: datetime) -> Promise:
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


def from_ticket(follow_up: FollowUp, now: datetime, settings: Settings) -> Promise | None:
    """What the helpdesk says was promised, while there is time to keep it; None when nothing is, or nobody says when.

    Whoever promised it keeps it, if one of our contacts has that name; else whoever is responsible for the team. Nobody
    chose how long we keep the case, so where that is too short they are reminded while it is there, however early.
    """
    closure = follow_up.closure
    until = closure.promised_until
    if closure.promise is None or until is None or closure.degraded or not now < until <= now + LONGEST:
        return None
    if follow_up.state is not State.SCHEDULED:
        return None
    named = (key for key, contact in settings.contacts.items() if contact.name == closure.promised_by)
    by = next(named, settings.responsible_for(follow_up.team))
    made = _new(follow_up, FROM_TICKET, closure.promise, by, until, now)
    last = _last_end(follow_up)
    return replace(made, due_at=max(last, now)) if last and made.due_at and last < made.due_at else made


def end_of(day: date, closure: Closure, settings: Settings) -> datetime:
    """The instant at which a day is over where the customer is; on the company's calendar when nobody knows where."""
    known = closure.time_zone if hours.known_zone(closure.time_zone) else None
    return hours.clock(day + timedelta(days=1), time(), known or settings.policy.time_zone)


def last_day(promise: Promise, closure: Closure, settings: Settings) -> date:
    """The day until which it holds, there: a promise until midnight is one for the day before it.

    A day that the helpdesk promised is that day wherever it ends.
    """
    if promise.until.time() == DAY_ENDS:
        return promise.until.date()
    last = promise.until - timedelta(seconds=1)
    return hours.local(last, closure.time_zone, settings.policy.time_zone).date()


def deleted_before(promise: Promise) -> datetime | None:
    """When the promise is deleted, where that is before its end; None where its end is seen."""
    kept = promise.keep_until
    return kept if kept and kept <= promise.until else None


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


def kept_name(promise: Promise) -> str:
    """The name of the message that tells the customer that it was kept."""
    return _name(promise, Kind.PROMISE_KEPT)


def customer_says_kept(promise: Promise, follow_up: FollowUp) -> bool:
    """Whether the customer says that what the ticket had promised was kept: in so many words, or by "solved" alone."""
    answer = follow_up.answer
    if promise.name != FROM_TICKET or answer is None:
        return False
    return answer.solved if answer.kept is None else answer.kept


def came_again(promise: Promise, known: Iterable[Promise]) -> bool:
    """Whether the ticket's promise came with a later closing as well: it is one promise, and that one is watched."""
    return promise.name == FROM_TICKET and any(
        other.name == FROM_TICKET and other.number > promise.number for other in known
    )


def _name(promise: Promise, kind: Kind) -> str:
    return f"{promise.number:04d}#{kind}#{promise.name}"


def _message(promise: Promise, kind: Kind, to: str, now: datetime) -> Message:
    return Message(
        scope=ticket_scope(promise.source, promise.ticket_id),
        name=_name(promise, kind),
        kind=kind,
        to=to,
        created_at=now,
        due_at=now,
        about=about_closure(promise.ref) | {"promise": promise.name},
        keep_until=promise.keep_until,
    )
