"""The one read of an owner's causes, behind the digest, the chat and the page: so all three show the same figures."""

from collections.abc import Iterable
from datetime import datetime

from adapters import causes
from domain import digest, hours
from domain.digest import Entry
from domain.settings import Settings


def read(
    owner: str, codes: Iterable[str], since: datetime, until: datetime, now: datetime, settings: Settings
) -> list[Entry]:
    """These causes in one period as of ``now``, those with anything to say, the most harmful first."""
    policy = settings.policy_for(owner)
    today = hours.local(now, policy.time_zone).date()
    known = causes.read(codes, digest.look_back(since, until, policy))
    return digest.rank(
        digest.entry(found.state, found.marks, found.follow_ups, since, until, today) for found in known
    )
