"""Root causes: ``CAUSE#<code>`` holds the state and one mark for each closure that had the cause, by time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from adapters import table, tickets
from domain import cause
from domain.cause import CauseFigures, CauseState, Mark
from domain.follow_up import FollowUp
from domain.message import ticket_scope

KIND = "cause"

READ_TOGETHER = 25
"""Causes whose follow-ups are read by the same calls, a hundred follow-ups each."""


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


@dataclass(frozen=True)
class Known:
    """What is stored about one cause: its state, its marks since an instant, and their follow-ups."""

    state: CauseState
    marks: list[Mark]
    follow_ups: list[FollowUp]


def read(codes: Iterable[str], since: datetime) -> Iterator[Known]:
    """What is stored about these causes since an instant: one query each, and their follow-ups together.

    A few causes at a time, so that neither calls nor memory grow with causes that nothing happened to.
    """
    waiting = iter(codes)
    while some := list(islice(waiting, READ_TOGETHER)):
        found = [_read(code, since) for code in some]
        keys = [_follow_up_key(mark) for _, marked in found for mark in marked]
        follow_ups = {
            (ticket_scope(f.closure.source, f.closure.ticket_id), tickets.sort_key(f.number)): f
            for f in tickets.load_many(keys)
        }
        for state, marked in found:
            mine = (follow_ups.get(_follow_up_key(mark)) for mark in marked)
            yield Known(state, marked, [f for f in mine if f])


def _read(code: str, since: datetime) -> tuple[CauseState, list[Mark]]:
    """State and marks stand beside each other: marks by time, then the state."""
    state, marked = CauseState(code=code), []
    for item in table.find(f"CAUSE#{code}", since=f"MARK#{table.now_text(since)}", until="STATE"):
        if item.kind == "mark":
            marked.append(table.read_row(item, _Marked).mark)
        elif item.sk == "STATE":
            state = table.read_row(item, CauseState)
    return state, marked


def _follow_up_key(mark: Mark) -> tuple[str, str]:
    return ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)


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


def figures(code: str, since: datetime, until: datetime, buckets: int) -> tuple[CauseFigures, list[FollowUp]]:
    """The figures of one cause for a period, and its follow-ups opened in it or in the ``buckets - 1`` before it."""
    found = list(marks(code, until - (until - since) * buckets, until))
    follow_ups = tickets.load_many([_follow_up_key(mark) for mark in found])
    return cause.figures(code, found, follow_ups, since, until, buckets), follow_ups
