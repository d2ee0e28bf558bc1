"""The outbox: messages in the partition of what they are about, ``MESSAGE#<name>``."""

from adapters import table
from domain.message import Message

KIND = "message"


def row(message: Message) -> table.Row:
    """The item of a message."""
    return table.make_row(
        message.scope,
        sort_key(message.name),
        KIND,
        message,
        due_at=message.due_at,
        keep_until=message.keep_until,
    )


def sort_key(name: str) -> str:
    """The sort key of a message."""
    return f"MESSAGE#{name}"


def load(scope: str, name: str) -> Message | None:
    """One message, or None."""
    item = table.get(scope, sort_key(name))
    return table.read_row(item, Message) if item else None


def save(message: Message) -> None:
    """Store a message; raises Changed when it is not the version that was loaded."""
    table.put(row(message))
