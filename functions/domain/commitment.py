"""A day that somebody promised something for: when they are reminded of it, and when it is over.

Both instants are at the hour of the digests on our own clock (``policy.digest_at``, ``policy.time_zone``).
"""

from datetime import UTC, date, datetime, timedelta

from domain.hours import local, zone_of
from domain.settings import Policy

A_DAY = timedelta(days=1)


def remind_at(day: date, policy: Policy) -> datetime:
    """The morning before the day."""
    return _morning(day - A_DAY, policy)


def overdue_at(day: date, policy: Policy) -> datetime:
    """The morning after the day: all of it could still be used."""
    return _morning(day + A_DAY, policy)


def next_at(day: date, now: datetime, policy: Policy, *, reminded: bool) -> datetime:
    """When to look at it next. Whoever promises something for tomorrow needs no reminder of it today."""
    first = remind_at(day, policy)
    return first if not reminded and now < first else overdue_at(day, policy)


def end_of(day: date, policy: Policy) -> datetime:
    """The first instant after a day on our own clock."""
    return datetime.combine(day + A_DAY, datetime.min.time(), zone_of(policy.time_zone) or UTC).astimezone(
        UTC
    )


def our_day(now: datetime, policy: Policy) -> date:
    """The day on our own clock."""
    return local(now, policy.time_zone).date()


def _morning(day: date, policy: Policy) -> datetime:
    return datetime.combine(day, policy.digest_at, zone_of(policy.time_zone) or UTC).astimezone(UTC)
