"""Root causes: ``CAUSE#<code>`` holds the state, one mark for each closure that had the cause, and its past days.

    CAUSE#<code>   STATE                                   what is known and done about it
                   MARK#<instant>#<ticket>#<number>        one closure; also one that was taken back
                   PAST                                    distinct tickets of each day, counted from the marks

A mark that turned out wrong stays as one that was ``taken_back``: a late record of the stream finds its key taken.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice

from adapters import table, tickets
from domain import cause, rise
from domain.cause import CauseFigures, CauseState, Mark, Why
from domain.errors import Changed
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.ownership import DEPTH
from domain.recovery import Recovered, count
from domain.rise import Days
from domain.settings import Policy, Settings

KIND = "cause"
MARK = "mark"
A_DAY = timedelta(days=1)
PAGE = 200
"""Marks that are read at once: a check of a busy cause needs no more of its older ones."""

READ_TOGETHER = 25
"""Causes whose follow-ups are read by the same calls, a hundred follow-ups each."""


@dataclass(frozen=True)
class Marked:
    """A stored mark."""

    mark: Mark
    taken_back: bool = False
    version: int = 0


@dataclass(frozen=True)
class _Past:
    """Days before ``until``, the last one next to it. They are over for a day or more; a recount mends them."""

    until: date
    counts: tuple[int, ...] = ()
    since: date | None = None
    family: tuple[str, ...] = ()
    """The causes that were counted: when others belong together, the days are counted anew."""
    version: int = 0


def add_mark(mark: Mark) -> bool:
    """Leave the mark of a closure; doing it again changes nothing. Tells whether it was missing."""
    return table.put_missing(_row(Marked(mark)))


def has_mark(mark: Mark) -> bool:
    """Whether a closure certainly has its mark, or had it: a tenth of the price of a write that is refused."""
    return table.get(*mark_key(mark), consistent=False) is not None


def put_mark(mark: Mark) -> bool:
    """See to it that a closure has this very mark, whatever was there; tells whether it had not."""
    return _see_to(mark, taken_back=False)


def take_back(mark: Mark) -> bool:
    """See to it that a closure does not count for this cause, now or later; tells whether it did."""
    return _see_to(mark, taken_back=True)


def _see_to(mark: Mark, *, taken_back: bool) -> bool:
    item = table.get(*mark_key(mark))
    known = read_mark(item) if item else Marked(mark, taken_back=True)
    if item is None or (known.taken_back, known.mark.value) != (taken_back, mark.value):
        table.put(_row(replace(known, mark=mark, taken_back=taken_back)))
    return known.taken_back != taken_back


def read_mark(item: table.Row) -> Marked:
    """The mark in an item."""
    return table.read_row(item, Marked)


def mark_key(mark: Mark) -> tuple[str, str]:
    """The key of a closure's mark."""
    instant = table.now_text(mark.opened_at)
    return f"CAUSE#{mark.cause}", f"MARK#{instant}#{mark.source}#{mark.ticket_id}#{mark.number:04d}"


def _row(marked: Marked) -> table.Row:
    return table.make_row(*mark_key(marked.mark), MARK, marked, keep_until=marked.mark.keep_until)


def marks(
    code: str,
    since: datetime,
    until: datetime,
    *,
    page: int | None = None,
    state: CauseState | None = None,
) -> Iterator[Mark]:
    """The marks of one cause and those merged into it between two instants, newest first.

    ``state`` spares reading it, where it was read just now.
    """
    found = [_marks(each, since, until, page) for each in family(code, state)]
    return merge(*found, key=lambda mark: mark.opened_at, reverse=True) if len(found) > 1 else found[0]


def _marks(code: str, since: datetime, until: datetime, page: int | None) -> Iterator[Mark]:
    found = table.find(
        f"CAUSE#{code}",
        since=f"MARK#{table.now_text(since)}",
        until=f"MARK#{table.now_text(until)}~",
        newest_first=True,
        page=page,
    )
    return (known.mark for known in map(read_mark, found) if not known.taken_back)


def marks_before(code: str, before: str | None, most: int) -> tuple[list[Mark], str | None]:
    """A page of one cause's own marks, the newest first, and the key from which older ones go on; None: no more."""
    rows = table.find_before(f"CAUSE#{code}", "MARK#", before, most)
    more = str(rows[-1].sk) if len(rows) == most else None
    return [known.mark for known in map(read_mark, rows) if not known.taken_back], more


def move_rows(mark: Mark, new: Mark) -> list[table.Row]:
    """The items of a mark that a person moves to another cause: the one here is taken back, the one there counts."""
    return [_moved_row(mark, taken_back=True), _moved_row(new, taken_back=False)]


def _moved_row(mark: Mark, *, taken_back: bool) -> table.Row:
    item = table.get(*mark_key(mark))
    known = read_mark(item) if item else Marked(mark)
    return _row(replace(known, mark=mark, taken_back=taken_back))


def family(code: str, state: CauseState | None = None) -> tuple[str, ...]:
    """A cause and all that were merged into it, however deep."""
    found, parts = [code], [*(state or load(code)).includes]
    while parts:
        part = parts.pop()
        if part not in found:
            found.append(part)
            parts += load(part).includes
    return tuple(found)


def home(code: str, settings: Settings) -> CauseState:
    """The state of the cause that this one counts for: its own, unless it was merged into one that there still is."""
    state = load(code)
    for _ in range(DEPTH):
        if state.merged_into not in settings.causes:
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
    """The causes that a contact owns now; those merged into another one are in the figures of that one.

    A cause whose whole has left the settings stands for itself again, or nobody would hear of it.
    """
    return [
        code
        for code, state in states(settings).items()
        if state.merged_into not in settings.causes and cause.owner_of(state, settings) == owner
    ]


@dataclass(frozen=True)
class Known:
    """What is stored about one cause: its state, its marks and those of causes merged into it, their follow-ups."""

    state: CauseState
    marks: list[Mark]
    follow_ups: list[FollowUp]


def read(codes: Iterable[str], since: datetime) -> Iterator[Known]:
    """What is stored about these causes since an instant: one query each, and their follow-ups together.

    A few causes at a time, so that neither calls nor memory grow with causes that nothing happened to.
    """
    waiting = iter(codes)
    while some := list(islice(waiting, READ_TOGETHER)):
        found = [_read_family(code, since) for code in some]
        keys = [_follow_up_key(mark) for _, marked in found for mark in marked]
        follow_ups = {
            (ticket_scope(f.closure.source, f.closure.ticket_id), tickets.sort_key(f.number)): f
            for f in tickets.load_many(keys)
        }
        for state, marked in found:
            mine = (follow_ups.get(_follow_up_key(mark)) for mark in marked)
            yield Known(state, marked, [f for f in mine if f])


def _read_family(code: str, since: datetime) -> tuple[CauseState, list[Mark]]:
    state, marked = _read(code, since)
    for part in family(code, state)[1:]:
        marked += _read(part, since)[1]
    return state, marked


def _read(code: str, since: datetime) -> tuple[CauseState, list[Mark]]:
    """State and marks stand beside each other: marks by time, then the state."""
    state = CauseState(code=code)
    marked: list[Mark] = []
    for item in table.find(f"CAUSE#{code}", since=f"MARK#{table.now_text(since)}", until="STATE"):
        if item.kind == MARK:
            known = read_mark(item)
            marked += [] if known.taken_back else [known.mark]
        elif item.sk == "STATE":
            state = table.read_row(item, CauseState)
    return state, marked


def _follow_up_key(mark: Mark) -> tuple[str, str]:
    return ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)


def look_back(code: str, now: datetime, policy: Policy, state: CauseState | None = None) -> tuple[Days, bool]:
    """The days of a cause up to now, and whether it reached the floor since its last fix.

    However long its past is, only the marks of today, yesterday and as many as the floor needs are read.
    """
    today = now.astimezone(UTC).date()
    known = state or load(code)
    past = _catch_up(code, family(code, known), today, policy)
    since = _start(past.until)
    floor = cause.counts_since(known, now, policy)
    recent: list[Mark] = []
    tickets_of: set[tuple[str, str]] = set()
    customers: set[str] = set()
    reached = False
    # Another machine's clock may be a little ahead of ours.
    for mark in marks(code, min(since, floor), now + A_DAY, page=PAGE, state=known):
        if mark.opened_at >= since:
            recent.append(mark)
        elif reached:
            break
        if mark.opened_at >= floor:
            tickets_of.add(mark.ticket)
            customers.add(mark.customer)
            reached = cause.is_repeated(cause.Count(len(tickets_of), len(customers)), policy)
    counts = past.counts + cause.daily(recent, past.until, today)
    return Days(today=today, counts=counts[-rise.lookback(policy) :], since=past.since), reached


def told_marks(code: str, why: Why, now: datetime) -> Iterator[Mark]:
    """The marks that an owner is told of: of the floor's window to the instant, of a rise by whole days."""
    if why.usual is None:
        return marks(code, now - timedelta(days=why.days), now + A_DAY)
    first = now.astimezone(UTC).date() - timedelta(days=why.days - 1)
    return marks(code, _start(first), now + A_DAY)


def mend_past(code: str, policy: Policy) -> bool:
    """Count the kept days of a cause anew; tells whether any was wrong."""
    known = _load_past(code)
    if known is None:
        return False
    begin = _first_past(family(code), known.until, policy)
    right = _extend(begin, code, known.until, policy)
    same = right.counts == known.counts[len(known.counts) - len(right.counts) :]
    if same and (_begins(known) == begin.until or not any(known.counts)):
        return False
    table.put(_past_row(code, replace(right, version=known.version)))
    return True


def _catch_up(code: str, counted: tuple[str, ...], today: date, policy: Policy) -> _Past:
    """The kept days as far as yesterday, a week at a time: whoever is cut off leaves a part to the next one."""
    past = _load_past(code)
    if past is None or past.family != counted or (past.since == _begins(past) and not any(past.counts)):
        # A cause that had no mark yet, or none any more, begins with its first one.
        past = replace(_first_past(counted, today, policy), version=past.version if past else 0)
    while past.until < today - A_DAY:
        further = _extend(past, code, min(past.until + timedelta(days=rise.WEEK), today - A_DAY), policy)
        try:
            table.put(_past_row(code, further))
        except Changed:
            past = _load_past(code) or further
        else:
            past = replace(further, version=further.version + 1)
    return past


def _first_past(counted: tuple[str, ...], today: date, policy: Policy) -> _Past:
    """Nothing counted yet: it begins with the first mark of these causes, or as far back as is ever looked."""
    since = min([today, *(first for code in counted if (first := _first_day(code)))])
    until = max(since, today - timedelta(days=rise.lookback(policy)))
    return _Past(until=until, since=since, family=counted)


def _first_day(code: str) -> date | None:
    oldest = table.find(f"CAUSE#{code}", since="MARK#", until="MARK#~", page=PAGE)
    first = next((known.mark for known in map(read_mark, oldest) if not known.taken_back), None)
    return first.opened_at.astimezone(UTC).date() if first else None


def _extend(past: _Past, code: str, until: date, policy: Policy) -> _Past:
    if until <= past.until:
        return past
    last = until - A_DAY
    found = marks(code, _start(past.until), _start(until) - timedelta(microseconds=1))
    counts = past.counts + cause.daily(found, past.until, last)
    return replace(past, until=until, counts=counts[-rise.lookback(policy) :])


def _begins(past: _Past) -> date:
    """The first day that is kept."""
    return past.until - timedelta(days=len(past.counts))


def _load_past(code: str) -> _Past | None:
    item = table.get(f"CAUSE#{code}", "PAST")
    return table.read_row(item, _Past) if item else None


def _past_row(code: str, past: _Past) -> table.Row:
    return table.make_row(f"CAUSE#{code}", "PAST", "past", past)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


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
    follow_ups = tickets.load_many([_follow_up_key(mark) for mark in found])
    return cause.figures(code, found, follow_ups, since, until, buckets), follow_ups
