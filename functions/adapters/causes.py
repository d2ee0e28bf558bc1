"""Root causes: ``CAUSE#<code>`` holds the state and one mark for each closure that had the cause, by time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from adapters import table, tickets
from domain import cause
from domain.cause import CauseFigures, CauseState, Mark
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.recovery import Recovered, count

KIND = "cause"


@dataclass(frozen=True)
class _Marked:
    mark: Mark
    version: int = 0


def add_mark(mark: Mark) -> bool:
    """Leave the mark of a closure; doing it again changes nothing. Tells whether it was missing."""
    return table.put_missing(
        table.make_row(
            f"CAUSE#{mark.cause}", _mark_key(mark), "mark", _Marked(mark), keep_until=mark.keep_until
        )
    )


def has_mark(mark: Mark) -> bool:
    """Whether a closure certainly has its mark: a tenth of the price of a write that is refused."""
    return table.get(f"CAUSE#{mark.cause}", _mark_key(mark), consistent=False) is not None


def _mark_key(mark: Mark) -> str:
    return f"MARK#{table.now_text(mark.opened_at)}#{mark.source}#{mark.ticket_id}#{mark.number:04d}"


def marks(code: str, since: datetime, until: datetime) -> Iterator[Mark]:
    """The marks of one cause between two instants, newest first."""
    found = table.find(
        f"CAUSE#{code}",
        since=f"MARK#{table.now_text(since)}",
        until=f"MARK#{table.now_text(until)}~",
        newest_first=True,
    )
    return (table.read_row(item, _Marked).mark for item in found)


def is_quiet(code: str, since: datetime, until: datetime) -> bool:
    """Whether a cause has no mark between two instants."""
    return next(marks(code, since, until), None) is None


def load(code: str) -> CauseState:
    """The state of a cause; one that never repeated has none yet."""
    item = table.get(f"CAUSE#{code}", "STATE")
    return table.read_row(item, CauseState) if item else CauseState(code=code)


def row(state: CauseState) -> table.Row:
    """The item of a cause's state."""
    return table.make_row(f"CAUSE#{state.code}", "STATE", KIND, state, due_at=state.due_at)


def save(state: CauseState) -> None:
    """Store the state of a cause; raises Changed when it is not the version that was loaded."""
    table.put(row(state))


def recovery(code: str, since: datetime, until: datetime, most: int | None = None) -> Recovered:
    """Of a cause's closures opened between two instants: how many were not confirmed, and are solved by now.

    ``most`` looks at so many of the newest only, for a page that somebody waits for.
    """
    found = islice(marks(code, since, until), most)
    keys = [(ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)) for mark in found]
    return count(tickets.load_many(keys))


def figures(code: str, since: datetime, until: datetime, buckets: int) -> tuple[CauseFigures, list[FollowUp]]:
    """The figures of one cause for a period, and its follow-ups opened in it or in the ``buckets - 1`` before it."""
    found = list(marks(code, until - (until - since) * buckets, until))
    keys = [(ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)) for mark in found]
    follow_ups = tickets.load_many(keys)
    return cause.figures(code, found, follow_ups, since, until, buckets), follow_ups
