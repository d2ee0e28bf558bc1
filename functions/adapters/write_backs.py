"""What helpdesks are told, in the partition of the ticket: ``WRITE_BACK#<name>``."""

from dataclasses import replace

from adapters import table
from domain.message import ticket_scope
from domain.write_back import WriteBack

KIND = "write_back"


def row(wanted: WriteBack) -> table.Row:
    """The item of an outcome on its way."""
    return table.make_row(
        ticket_scope(wanted.source, wanted.ticket_id),
        f"WRITE_BACK#{wanted.name}",
        KIND,
        wanted,
        due_at=wanted.due_at,
        keep_until=wanted.keep_until,
    )


def save(wanted: WriteBack) -> WriteBack:
    """Store it, and give it as stored; raises Changed when it is not the version that was loaded."""
    table.put(row(wanted))
    return replace(wanted, version=wanted.version + 1)
