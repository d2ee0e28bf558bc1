"""Customers as far as mail is concerned: ``PERSON#<hash of the address>``."""

from datetime import datetime

from adapters import table, tickets
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.person import Person, person_key


def load(address: str) -> Person:
    """The person behind an address; somebody unknown has never been asked and is not suppressed."""
    return load_key(person_key(address))


def load_key(key: str) -> Person:
    """The person with this hash."""
    item = table.get(f"PERSON#{key}", "PERSON")
    return table.read_row(item, Person) if item else Person(key=key)


def load_many(keys: list[str]) -> dict[str, Person]:
    """Several persons by their hash; somebody unknown has never been asked and is not suppressed."""
    found = table.get_many([(f"PERSON#{key}", "PERSON") for key in keys]) if keys else ()
    known = {person.key: person for person in (table.read_row(item, Person) for item in found)}
    return {key: known.get(key, Person(key=key)) for key in keys}


def save(person: Person, keep_until: datetime | None) -> None:
    """Store a person: without end while they may not be forgotten, else until then. Raises Changed."""
    table.put(row(person, keep_until))


def row(person: Person, keep_until: datetime | None) -> table.Row:
    """The item of a person."""
    until = None if person.stays else keep_until
    return table.make_row(f"PERSON#{person.key}", "PERSON", "person", person, keep_until=until)


def history(address: str | None) -> list[FollowUp]:
    """What the person behind an address was asked about, the oldest first, as far as it is still kept."""
    return asked_before(load(address)) if address else []


def asked_before(person: Person) -> list[FollowUp]:
    """What this person was asked about, the oldest first, as far as it is still kept."""
    return tickets.load_many(
        [(ticket_scope(ask.source, ask.ticket_id), tickets.sort_key(ask.number)) for ask in person.asked]
    )
