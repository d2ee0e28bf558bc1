"""A customer as far as mail is concerned: when they were asked, whether they may be, and what they chose."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from domain.closure import Ref
from domain.delivery import Feedback

KEPT_ASKS = 200
"""Closures, ten of which may be asked about in one mail: enough for every survey that a month can have."""
KEPT_WAITING = 50
A_MONTH = timedelta(days=30)
DELAYS_UNTIL_REST = 3
REST = timedelta(days=14)
"""So many mails that were delayed within this time are enough: the address then rests for as long again."""


class Surveys(StrEnum):
    """Which mails a customer wants from us."""

    ALL = "all"
    FIXES = "fixes"
    """Only when the cause of their problem is fixed."""
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One survey that this person got: the ticket's source and id, and the closure's number."""

    at: datetime
    source: str
    ticket_id: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Person:
    """Identified by a hash of the address; ``suppressed`` is why no mail may go there any more."""

    key: str
    suppressed: str | None = None
    suppressed_at: datetime | None = None
    asked: tuple[Asked, ...] = ()
    waiting: tuple[Ref, ...] = ()
    """Closures that wait for the end of the quiet period, to be asked about together."""
    surveys: Surveys = Surveys.ALL
    language: str | None = None
    """The tag of the language they chose; None: the one their helpdesk tells."""
    delays: tuple[datetime, ...] = ()
    """When their mailbox last put our mail off, the oldest first."""
    version: int = 0

    @property
    def stays(self) -> bool:
        """Whether this must not be forgotten: nobody who stopped is asked again because a record expired."""
        return bool(self.suppressed or self.language or self.surveys is not Surveys.ALL)


def person_key(address: str) -> str:
    """The same 32 hexadecimal digits for every spelling of an address that reaches the same mailbox."""
    return sha256(address.strip().casefold().encode()).hexdigest()[:32]


def quiet_until(person: Person, closures: Iterable[Ref], quiet_period: timedelta) -> datetime | None:
    """When this person may be asked about these closures; None means now. An ask reserved for one of them stands."""
    others = _other_asks(person, closures)
    return max(others) + quiet_period if others else None


def asked_too_often(person: Person, closures: Iterable[Ref], now: datetime, most: int) -> bool:
    """Whether this person got ``most`` surveys about other closures within the last 30 days.

    A helpdesk that anybody can write to must not become a way of sending mail to somebody else.
    """
    return sum(at > now - A_MONTH for at in _other_asks(person, closures)) >= most


def _other_asks(person: Person, closures: Iterable[Ref]) -> set[datetime]:
    """When they were asked about anything else; several closures in one mail are one ask."""
    ours = {(ref.source, ref.ticket_id, ref.number) for ref in closures}
    return {ask.at for ask in person.asked if _closure(ask) not in ours}


def wait(person: Person, closure: Ref) -> Person:
    """The person with one more closure that waits for the end of their quiet period."""
    if closure in person.waiting:
        return person
    return replace(person, waiting=(*person.waiting, closure)[-KEPT_WAITING:])


def reserve(person: Person, *asks: Asked) -> Person:
    """The person with these asks noted, once for each closure, and none of these waiting any more.

    The quiet period counts from the last attempt to ask about a closure.
    """
    keys = {_closure(ask) for ask in asks}
    others = [ask for ask in person.asked if _closure(ask) not in keys]
    waiting = tuple(w for w in person.waiting if (w.source, w.ticket_id, w.number) not in keys)
    if set(asks) <= set(person.asked) and waiting == person.waiting:
        return person
    return replace(person, asked=(*others, *asks)[-KEPT_ASKS:], waiting=waiting)


def _closure(ask: Asked) -> tuple[str, str, int]:
    return ask.source, ask.ticket_id, ask.number


def suppress(person: Person, feedback: Feedback, at: datetime) -> Person:
    """No more mail after a hard bounce or a complaint; a complaint is never downgraded to a bounce."""
    if feedback not in {Feedback.BOUNCE, Feedback.COMPLAINT} or person.suppressed in {
        feedback,
        Feedback.COMPLAINT,
    }:
        return person
    return replace(person, suppressed=str(feedback), suppressed_at=at)


def prefer(person: Person, surveys: Surveys, language: str | None = None) -> Person:
    """The person with what they chose; without a language that stays. Choosing the same again changes nothing."""
    chosen = replace(person, surveys=surveys, language=language or person.language)
    return person if chosen == person else chosen


def delay(person: Person, sent_at: datetime) -> Person:
    """The person once their mailbox put a mail off (full, busy); more reports about the same mail change nothing."""
    latest = tuple(sorted({*person.delays, sent_at}))[-DELAYS_UNTIL_REST:]
    return person if latest == person.delays else replace(person, delays=latest)


def rests_until(person: Person) -> datetime | None:
    """Until when no survey goes to a mailbox that keeps putting mail off; None when it does not."""
    if len(person.delays) < DELAYS_UNTIL_REST or person.delays[-1] - person.delays[0] > REST:
        return None
    return person.delays[-1] + REST
