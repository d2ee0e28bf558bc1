"""Promises, in the partition of their ticket: ``PROMISE#<number of the closure>#<name>``."""

from adapters import table
from domain.message import ticket_scope
from domain.promise import Promise

KIND = "promise"


def row(promise: Promise) -> table.Row:
    """The item of a promise."""
    return table.make_row(
        ticket_scope(promise.source, promise.ticket_id),
        sort_key(promise.number, promise.name),
        KIND,
        promise,
        due_at=promise.due_at,
        keep_until=promise.keep_until,
    )


def sort_key(number: int, name: str) -> str:
    """The sort key of a promise."""
    return f"PROMISE#{number:04d}#{name}"


def load(scope: str, key: str) -> Promise | None:
    """The promise with this sort key, or None."""
    item = table.get(scope, key)
    return table.read_row(item, Promise) if item else None
