"""The recount of causes that is under way or was the last, ``RECOUNT`` / ``RUN``, and how it reads all there is."""

from collections.abc import Iterable
from dataclasses import replace

from adapters import causes, table, tickets
from domain.cause import Mark
from domain.closure import Ref
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.recount import Run


def load() -> Run | None:
    """The last run; None before the first."""
    item = table.get("RECOUNT", "RUN")
    return table.read_row(item, Run) if item else None


def save(run: Run) -> Run:
    """Store how far a run came, and give it as stored; raises Changed when somebody else went on with it."""
    table.put(table.make_row("RECOUNT", "RUN", "recount", run))
    return replace(run, version=run.version + 1)


def read(place: tuple[str, ...]) -> tuple[list[FollowUp], list[Mark], tuple[str, ...]]:
    """A part of everything stored: follow-ups, marks that count, and the place where to go on; empty after the last.

    Eventually consistent like the two below: what looks wrong has to be looked at once more before it is put right.
    """
    rows, after = table.read_all([tickets.KIND, causes.MARK], place)
    follow_ups = [table.read_row(row, FollowUp) for row in rows if row.kind == tickets.KIND]
    marked = [causes.read_mark(row) for row in rows if row.kind == causes.MARK]
    return follow_ups, [known.mark for known in marked if not known.taken_back], after


def counting(marks: Iterable[Mark]) -> dict[tuple[str, str], Mark]:
    """Those of these marks that are there and count, by key."""
    found = table.get_many([causes.mark_key(mark) for mark in marks])
    stored = ((item, causes.read_mark(item)) for item in found)
    return {(str(item.pk), str(item.sk)): known.mark for item, known in stored if not known.taken_back}


def owners(marks: Iterable[Mark]) -> dict[Ref, FollowUp]:
    """The follow-ups of these marks, as far as they are kept."""
    keys = [(ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)) for mark in marks]
    return {known.ref: known for known in tickets.load_many(keys)}
