"""Counting anew: which mark each follow-up must have under the settings as they are now, and when to look again.

A follow-up is frozen when it opens, but for its cause: that is our reading of the helpdesk's word, which stays in the
closure. When the reading changes, so does the cause, and its mark moves.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.cause import Mark, mark_of
from domain.follow_up import FollowUp, State
from domain.settings import Policy, Settings

EVERY = timedelta(days=1)
SETTLED = timedelta(minutes=1)
"""Lambdas follow new settings within 30 seconds; until then closures may still be opened under the old ones."""
YOUNG = timedelta(hours=1)
"""So long a mark may be on its way: its absence is no drift yet."""
OLD = timedelta(days=3)
"""DynamoDB deletes what is past its time within two days, a mark perhaps before its follow-up."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One recount, as far as it came: first everything stored is read, then each cause's days are counted anew."""

    began_at: datetime
    place: tuple[str, ...] = ()
    """Key of the last item that was read; empty at the beginning."""
    is_read: bool = False
    counted: str = ""
    """The last cause whose days were counted, in the order of their codes."""
    follow_ups: int = 0
    moved: int = 0
    """Follow-ups whose cause is another one under the settings as they are."""
    drift: int = 0
    """Marks that were not as they had to be: lost by the stream, or somebody else's."""
    mended: int = 0
    """Causes whose days were not those of their marks, because marks had moved, or came days late."""
    finished_at: datetime | None = None
    version: int = 0


def next_run(last: Run | None, applied_at: datetime, now: datetime, since: datetime | None) -> Run | None:
    """The run to go on with: an unfinished one, else a new one when one is needed; None when all is counted.

    It is needed once a day, when somebody wants one that began at ``since`` or later, and whenever settings were
    applied: at once, and again when no Lambda can follow the old ones any more.
    """
    if last is None:
        return Run(began_at=now)
    if last.finished_at is None:
        return last
    is_needed = (
        last.began_at < applied_at
        or last.began_at < applied_at + SETTLED <= now
        or now >= last.began_at + EVERY
        or (since is not None and last.began_at < since)
    )
    return Run(began_at=now, version=last.version) if is_needed else None


def reread(follow_up: FollowUp, settings: Settings) -> FollowUp:
    """The follow-up with the cause that its helpdesk's word means now.

    Unchanged while its details are missing, and where a person said what the cause is, as long as there is that cause.
    """
    is_set = follow_up.cause_set_by is not None and follow_up.cause in settings.causes
    if follow_up.state is State.WAITING or is_set:
        return follow_up
    meant = settings.cause_of(follow_up.closure.cause, follow_up.closure.source)
    return follow_up if follow_up.cause == meant else replace(follow_up, cause=meant)


def is_missing(follow_up: FollowUp, now: datetime, policy: Policy) -> bool:
    """Whether the absence of this follow-up's mark is drift, and not a matter of its first or its last days."""
    has_one = mark_of(follow_up) is not None
    return has_one and follow_up.opened_at + YOUNG <= now < follow_up.opened_at + policy.keep_for - OLD


def is_right(mark: Mark, follow_up: FollowUp | None, now: datetime) -> bool:
    """Whether a mark is that of its follow-up; near its end it may be the last that is left of both."""
    if follow_up is None:
        return mark.keep_until is not None and mark.keep_until - OLD <= now
    must_be = mark_of(follow_up)
    return must_be is not None and (must_be.cause, must_be.opened_at) == (mark.cause, mark.opened_at)
