"""Root causes: ``CAUSE#<code>`` holds the state and one mark for each closure that had the cause, by time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge

from adapters import table, tickets
from domain import cause
from domain.cause import CauseFigures, CauseState, Mark
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.ownership import DEPTH
from domain.settings import Settings

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


def marks(code: str, since: datetime, until: datetime, state: CauseState | None = None) -> Iterator[Mark]:
    """The marks of one cause and those merged into it between two instants, newest first.

    What a person moved to another cause counts there only. ``state`` spares reading it, where it was read just now.
    """
    found = [_marks(each, since, until) for each in family(code, state)]
    return merge(*found, key=lambda mark: mark.opened_at, reverse=True) if len(found) > 1 else found[0]


def _marks(code: str, since: datetime, until: datetime) -> Iterator[Mark]:
    found = table.find(
        f"CAUSE#{code}",
        since=f"MARK#{table.now_text(since)}",
        until=f"MARK#{table.now_text(until)}~",
        newest_first=True,
    )
    listed = (table.read_row(item, _Marked).mark for item in found)
    return (mark for mark in listed if mark.moved_to is None)


def marks_before(code: str, before: str | None, most: int) -> tuple[list[Mark], str | None]:
    """A page of one cause's own marks, the newest first, and the key from which older ones go on; None: no more."""
    rows = table.find_before(f"CAUSE#{code}", "MARK#", before, most)
    listed = [table.read_row(item, _Marked).mark for item in rows]
    more = str(rows[-1].sk) if len(rows) == most else None
    return [mark for mark in listed if mark.moved_to is None], more


def move_rows(mark: Mark, to: str) -> list[table.Row]:
    """The items of a mark that a person moves to another cause: the one here says so, the one there counts."""
    return [
        _marked_row(mark, moved_to=to),
        _marked_row(replace(mark, cause=to), moved_to=None),
    ]


def _marked_row(mark: Mark, moved_to: str | None) -> table.Row:
    item = table.get(f"CAUSE#{mark.cause}", _mark_key(mark))
    known = table.read_row(item, _Marked) if item else _Marked(mark)
    marked = _Marked(replace(mark, moved_to=moved_to), known.version)
    return table.make_row(f"CAUSE#{mark.cause}", _mark_key(mark), "mark", marked, keep_until=mark.keep_until)


def family(code: str, state: CauseState | None = None) -> tuple[str, ...]:
    """A cause and all that were merged into it, however deep."""
    found, parts = [code], [*(state or load(code)).includes]
    while parts:
        part = parts.pop()
        if part not in found:
            found.append(part)
            parts += load(part).includes
    return tuple(found)


def home(code: str) -> CauseState:
    """The state of the cause that this one counts for: its own, unless it was merged into another."""
    state = load(code)
    for _ in range(DEPTH):
        if state.merged_into is None:
            break
        state = load(state.merged_into)
    return state


def above(code: str) -> tuple[str, ...]:
    """The causes that a cause is part of, the nearest first."""
    found: list[str] = []
    into = load(code).merged_into
    while into and into not in found and len(found) < DEPTH:
        found.append(into)
        into = load(into).merged_into
    return tuple(found)


def states(settings: Settings) -> dict[str, CauseState]:
    """The states of all causes in the settings, by code, at one price (eventually consistent)."""
    keys = [(f"CAUSE#{code}", "STATE") for code in settings.causes]
    found = (table.read_row(item, CauseState) for item in (table.get_many(keys) if keys else ()))
    known = {state.code: state for state in found}
    return {code: known.get(code, CauseState(code=code)) for code in settings.causes}


def owned_by(owner: str, settings: Settings) -> list[str]:
    """The causes that a contact owns now; those merged into another one are in the figures of that one."""
    return [
        code
        for code, state in states(settings).items()
        if state.merged_into is None and cause.owner_of(state, settings) == owner
    ]


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


def figures(code: str, since: datetime, until: datetime, buckets: int) -> tuple[CauseFigures, list[FollowUp]]:
    """The figures of one cause for a period, and its follow-ups opened in it or in the ``buckets - 1`` before it."""
    found = list(marks(code, until - (until - since) * buckets, until))
    keys = [(ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)) for mark in found]
    follow_ups = tickets.load_many(keys)
    return cause.figures(code, found, follow_ups, since, until, buckets), follow_ups
