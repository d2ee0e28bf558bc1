"""Asking a helpdesk what it closed, and opening what no webhook told: each night, and for a span that a person names.

begun ──page──► page ──► … ──► finished        a page that is walked twice opens nothing twice: closings are told apart
  └── the helpdesk does not answer: later       by the rule that repeats are (domain/follow_up.py)
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.closure import Found
from domain.follow_up import Obstacle
from domain.settings import Policy

EVERY = timedelta(days=1)
FIRST = timedelta(days=2)
"""How far back the first pass looks."""
OVERLAP = timedelta(days=2)
"""Each pass looks at so much again: lists lag behind their tickets, and one that is turned page by page while tickets
change leaves some out. So every closing is looked for in three passes."""
WEBHOOKS_TAKE = timedelta(minutes=45)
"""So young a closing is left to its webhook: helpdesks try again for half an hour and more."""
LONGEST_PAUSE = timedelta(hours=1)
MOST_PAGES = 20_000


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One walk through what a helpdesk closed from ``since`` to ``until``, as far as it came."""

    source: str
    found_by: Found
    since: datetime
    until: datetime
    began_at: datetime
    place: str | None = None
    """Where to go on; None at the beginning, and at the end."""
    begins: datetime | None = None
    """Where the list was begun anew, because it gives only so many pages at once; and how many it gave since."""
    in_list: int = 0
    pages: int = 0
    listed: int = 0
    """Closings within the span that are ours; each is one of the next three."""
    opened: int = 0
    known: int = 0
    too_old: int = 0
    """Closed longer ago than the policy allows: counted, and nobody is asked."""
    unusable: int = 0
    """Entries of the list that could not be read."""
    not_ours: int = 0
    """Closings within the span that the source's ``api.only`` leaves out."""
    obstacle: Obstacle | None = None
    tries: int = 0
    """How often in a row the helpdesk did not answer, and why the last time; when it is asked again."""
    again_at: datetime | None = None
    broken: int = 0
    """How often it broke off midway and was begun anew."""
    finished_at: datetime | None = None
    version: int = 0

    @property
    def start(self) -> datetime:
        """From where the list is asked for."""
        return self.begins or self.since


def nightly(last: Pass | None, source: str, now: datetime, policy: Policy) -> Pass | None:
    """The pass to go on with: an unfinished one whose time has come, else a new one once a day; None for neither.

    A new one begins where the last one ended, however long ago that was, as far as closings may still be asked about.
    """
    until = now - WEBHOOKS_TAKE
    if last is None:
        since = until - FIRST
    elif last.finished_at is None:
        return last if last.again_at is None or now >= last.again_at else None
    elif now < last.began_at + EVERY:
        return None
    else:
        since = last.until - OVERLAP
    return Pass(
        source=source,
        found_by="reconciliation",
        since=max(since, now - policy.oldest_closure),
        until=until,
        began_at=now,
        version=last.version if last else 0,
    )


def backfill(last: Pass | None, source: str, since: datetime, until: datetime, now: datetime) -> Pass:
    """The walk through a span that a person names: goes on where the same one was cut off, else begins."""
    if last is not None and last.finished_at is None:
        return last
    return Pass(
        source=source,
        found_by="backfill",
        since=since,
        until=until,
        began_at=now,
        version=last.version if last else 0,
    )


def is_too_old(closed_at: datetime, now: datetime, policy: Policy) -> bool:
    """Whether nobody is asked about this closing any more."""
    return closed_at < now - policy.oldest_closure


def after_page(
    run: Pass,
    place: str | None,
    now: datetime,
    *,
    most_at_once: int = 0,
    reached: datetime | None = None,
) -> Pass:
    """The pass after one page; without a ``place`` to go on it was the last.

    A list that gives so many pages at once (0: all) is begun anew from what this page has ``reached``.
    """
    pages, in_list = run.pages + 1, run.in_list + 1
    over = place is None or pages >= MOST_PAGES
    anew = not over and 0 < most_at_once <= in_list and reached is not None and reached > run.start
    return replace(
        run,
        pages=pages,
        place=None if over or anew else place,
        begins=reached if anew else run.begins,
        in_list=0 if anew else in_list,
        obstacle=None,
        tries=0,
        again_at=None,
        finished_at=now if over else None,
    )


def not_answered(run: Pass, obstacle: Obstacle, wait: timedelta, now: datetime) -> Pass:
    """The pass when the helpdesk did not answer: it goes on later, from the beginning where the place is no good."""
    tries = run.tries + 1
    lost = obstacle in {Obstacle.GONE, Obstacle.UNREADABLE}
    broken = run.broken + (lost and run.place is not None)
    # What always breaks at the same place has answered well before: that alone does not make it worth another walk.
    pause = min(timedelta(minutes=2 ** min(max(tries, broken) - 1, 6)), LONGEST_PAUSE)
    return replace(
        run,
        place=None if lost else run.place,
        in_list=0 if lost else run.in_list,
        broken=broken,
        obstacle=obstacle,
        tries=tries,
        again_at=now + max(pause, wait),
    )
