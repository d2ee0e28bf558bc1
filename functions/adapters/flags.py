"""Flags, in the partition of their ticket: ``FLAG#<number of the closure>``."""

from adapters import table
from domain.flag import Flag
from domain.message import ticket_scope

KIND = "flag"


def row(flag: Flag) -> table.Row:
    """The item of a flag."""
    return table.make_row(
        ticket_scope(flag.source, flag.ticket_id),
        f"FLAG#{flag.number:04d}",
        KIND,
        flag,
        due_at=flag.due_at,
        keep_until=flag.keep_until,
    )
