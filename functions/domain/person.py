"""A customer as far as mail is concerned: when they were asked, and whether they may be."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from domain.closure import Ref
from domain.delivery import Feedback

KEPT_ASKS = 20
KEPT_WAITING = 50


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
    version: int = 0


def person_key(address: str) -> str:
    """The same 32 hexadecimal digits for every spelling of an address that reaches the same mailbox."""
    return sha256(address.strip().casefold().encode()).hexdigest()[:32]


def quiet_until(person: Person, closures: Iterable[Ref], quiet_period: timedelta) -> datetime | None:
    """When this person may be asked about these closures; None means now. An ask reserved for one of them stands."""
    ours = {(ref.source, ref.ticket_id, ref.number) for ref in closures}
    others = [ask.at for ask in person.asked if _closure(ask) not in ours]
    return max(others) + quiet_period if others else None


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
