"""The one read of an owner's causes, behind the digest, the chat and the page: so all three show the same figures."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from adapters import causes, tellings, tickets
from domain import cause, digest, hours
from domain.cause import Mark
from domain.digest import Entry
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.settings import Settings
from domain.telling import Kind


def read(
    owner: str, codes: Collection[str], since: datetime, until: datetime, now: datetime, settings: Settings
) -> list[Entry]:
    """These causes in one period as of ``now``, those with anything to say, the most harmful first.

    Of a cause that has others under it also the sum, whoever owns those.
    """
    policy = settings.policy_for(owner)
    today = hours.local(now, policy.time_zone).date()
    families = {code: below for code in codes if len(below := settings.under(code)) > 1}
    related = set().union(*families.values())
    entries: dict[str, Entry] = {}
    marks: dict[str, list[Mark]] = {}
    for found in causes.read([*codes, *sorted(related - set(codes))], digest.look_back(since, until, policy)):
        code = found.state.code
        if code in related:
            marks[code] = [mark for mark in found.marks if since <= mark.opened_at < until]
        if code in codes:
            again = _closed_again(found.follow_ups)
            entries[code] = digest.entry(
                found.state, found.marks, found.follow_ups, since, until, today, again
            )
    for code, below in families.items():
        together = cause.count(mark for under in below for mark in marks[under])
        entries[code] = replace(entries[code], below=together)
    return [_with_fixes(entry) for entry in digest.rank(entries.values())]


def _closed_again(follow_ups: Iterable[FollowUp]) -> frozenset[tuple[str, str]]:
    """Tickets that a customer did not call solved and that were closed again since, with whatever cause."""
    denied = (f.ref for f in digest.unsolved(follow_ups))
    keys = [(ticket_scope(ref.source, ref.ticket_id), tickets.sort_key(ref.number + 1)) for ref in denied]
    later = tickets.load_many(keys) if keys else []
    return frozenset((f.closure.source, f.closure.ticket_id) for f in later)


def _with_fixes(entry: Entry) -> Entry:
    """Whether earlier fixes held; of most causes customers were never told anything, and nothing is read."""
    if not entry.state.tellings:
        return entry
    told = tellings.newest(entry.code)
    return replace(entry, fixes=tuple(one for one in told if one.kind is Kind.FIX and one.confirmed_at))
