"""When customers may be written to, and when digests are due.

Instants go in and come out as aware ``datetime`` in UTC; the clocks between are those of a time zone. Where
they jump over the opening, it opens after the jump; an open hour that comes twice is open twice.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.settings import Hours, Policy

END_OF_DAY = time.max
"""How ``24:00`` is kept: the day has no closing hour."""

A_DAY = timedelta(days=1)
FIRST_MONDAY = date(1970, 1, 5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_CLOSURE = 30 * A_DAY
"""No holidays last so long: after it closed days count no more, so that nobody waits for ever."""
DAYS_TO_SEARCH = 45
"""Beyond that, one allowed weekday is at most a week away; a second one covers an opening that the clocks skipped."""

ClosedDays = Callable[[date], bool]
"""Tells of a day on a customer's calendar whether it is a public holiday there."""


def no_day(_: date) -> bool:
    """No day is closed."""
    return False


def known_zone(name: str | None) -> bool:
    """Tell whether ``name`` is an IANA time zone that this machine has data for, whatever a helpdesk sent."""
    return zone_of(name) is not None


def local(instant: datetime, time_zone: str | None, default: str = "UTC") -> datetime:
    """Give ``instant`` on the clock of ``time_zone``; of ``default`` when that is None or unknown."""
    return instant.astimezone(zone_of(time_zone) or zone_of(default) or UTC)


def clock(day: date, at: time, time_zone: str) -> datetime:
    """Give the instant at which the clocks of ``time_zone`` (UTC when unknown) show ``at`` on ``day``."""
    return datetime.combine(day, at, zone_of(time_zone) or UTC).astimezone(UTC)


def next_open(
    instant: datetime,
    hours: Hours,
    time_zone: str | None,
    default: str = "UTC",
    closed: ClosedDays = no_day,
) -> datetime:
    """Give ``instant`` itself when the hours are open then, else the next opening.

    The hours are those of ``time_zone``; of ``default`` when that is None or unknown, of UTC when both are. Days that
    are ``closed`` there do not open. Raises ValueError for hours that never open, which the apply command refuses.
    """
    zone = zone_of(time_zone) or zone_of(default) or UTC
    today = instant.astimezone(zone).date()

    def is_open(at: datetime) -> bool:
        day = at.astimezone(zone).date()
        return _is_open(at, hours, zone) and (day - today > LONGEST_CLOSURE or not closed(day))

    if is_open(instant):
        return instant.astimezone(UTC)
    for days in range(DAYS_TO_SEARCH):
        for fold in (0, 1):
            opening = (
                datetime.combine(today + days * A_DAY, hours.opens, zone).replace(fold=fold).astimezone(UTC)
            )
            if opening >= instant and is_open(opening):
                return opening
    raise ValueError(f"{hours} never open in {zone}")


def next_digest(after: datetime, policy: Policy) -> datetime:
    """Give the first instant later than ``after`` at which a digest is due.

    Whole days of ``digest_every`` are counted from ``digest_weekday`` and fall on ``digest_at`` in
    ``policy.time_zone``: seven days mean every week. Shorter ones count in UTC: 1h means every full hour.
    """
    number = _digest_number(after, policy)
    return _digest(number + 1, policy)


def digest_period(until: datetime, policy: Policy) -> tuple[datetime, datetime]:
    """Give the period of the digest due at ``until``: from the last due instant before it until then."""
    number = _digest_number(until, policy)
    since = _digest(number, policy)
    return (since if since < until else _digest(number - 1, policy)), until


def _digest_number(at: datetime, policy: Policy) -> int:
    """Give the number of the last digest due at or before ``at``."""
    if policy.digest_every % A_DAY:
        return (at - EPOCH) // policy.digest_every
    zone = zone_of(policy.time_zone) or UTC
    number = (at.astimezone(zone).date() - _digest_day(0, policy)) // policy.digest_every
    return number if _digest(number, policy) <= at else number - 1


def _digest(number: int, policy: Policy) -> datetime:
    if policy.digest_every % A_DAY:
        return EPOCH + number * policy.digest_every
    zone = zone_of(policy.time_zone) or UTC
    return datetime.combine(_digest_day(number, policy), policy.digest_at, zone).astimezone(UTC)


def _digest_day(number: int, policy: Policy) -> date:
    return FIRST_MONDAY + policy.digest_weekday * A_DAY + number * policy.digest_every


def _is_open(instant: datetime, hours: Hours, zone: tzinfo) -> bool:
    local = instant.astimezone(zone)
    closed_already = local.time() >= hours.closes and hours.closes != END_OF_DAY
    return local.weekday() in hours.weekdays and local.time() >= hours.opens and not closed_already


@lru_cache(maxsize=512)
def zone_of(name: str | None) -> tzinfo | None:
    """Give the zone called ``name``; None when there is none: helpdesks also send names of their own."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
