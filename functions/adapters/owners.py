"""Process owners as far as the clock is concerned: ``OWNER#<contact>`` / ``OWNER`` says when the next digest is due."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from adapters import table
from domain.digest import Owner
from domain.message import owner_scope

KIND = "owner"


def load(key: str) -> Owner | None:
    """One owner's schedule, or None."""
    item = table.get(owner_scope(key), "OWNER")
    return table.read_row(item, Owner) if item else None


def row(owner: Owner) -> table.Row:
    """The item of an owner's schedule."""
    return table.make_row(owner_scope(owner.key), "OWNER", KIND, owner, due_at=owner.due_at)


def ensure(keys: Iterable[str], next_digest_at: datetime) -> None:
    """Give each owner a schedule whose next digest is due then; the one it had before (another policy's) ends.

    Until when the owner was told stays, so that the next digest begins there.
    """
    for key in keys:
        known = load(key) or Owner(key=key)
        table.put(row(replace(known, due_at=next_digest_at)))
