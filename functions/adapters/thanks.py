"""Teams: ``TEAM#<key>`` holds a mark for each confirmed closure it had a part in, by time, and when its mails are due.

TEAM#<key>   THANKS#<instant>#<source>#<ticket id>#<number>   one mark for each confirmation
             TEAM#notes, TEAM#month                           when the next gathered mail is due
             MESSAGE#<name>                                   adapters/outbox.py
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from adapters import table, tickets
from domain import thanks as domain
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.settings import Settings
from domain.thanks import MOST_SHOWN, SETTLING, Round, TeamRound, Thanks, next_due, team_scope

KIND = "team"


@dataclass(frozen=True)
class _Marked:
    mark: Thanks
    version: int = 0


def add(mark: Thanks) -> bool:
    """Leave the mark of a confirmation; doing it again changes nothing. Tells whether it was missing."""
    key = f"THANKS#{table.now_text(mark.at)}#{mark.source}#{mark.ticket_id}#{mark.number:04d}"
    return table.put_missing(
        table.make_row(team_scope(mark.team), key, "thanks", _Marked(mark), keep_until=mark.keep_until)
    )


def marks(team: str, since: datetime, until: datetime) -> Iterator[Thanks]:
    """A team's marks with ``since`` <= instant < ``until``, newest first."""
    found = table.find(
        team_scope(team),
        since=f"THANKS#{table.now_text(since)}",
        until=f"THANKS#{table.now_text(until)}",
        newest_first=True,
    )
    return (table.read_row(item, _Marked).mark for item in found)


def confirmed(team: str, since: datetime, until: datetime) -> list[FollowUp]:
    """What customers confirmed to a team between two instants and still call solved, the newest first.

    Words are shown only while their ticket stands as it was confirmed: one that was opened again is left out. Each is a
    read, so only as many are looked at as can be shown; the rest is only counted.
    """
    keys = [
        (ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number))
        for mark in marks(team, since, until)
    ]
    found = domain.confirmed(tickets.load_many(list(dict.fromkeys(keys))))
    shown, stale = 0, set()
    for follow_up in sorted(found, key=lambda known: known.quote is None):
        if shown == MOST_SHOWN:
            break
        if _superseded(follow_up):
            stale.add(follow_up.ref)
        else:
            shown += 1
    return [follow_up for follow_up in found if follow_up.ref not in stale]


def _superseded(follow_up: FollowUp) -> bool:
    closure = follow_up.closure
    return tickets.load(closure.source, closure.ticket_id).ticket.superseded(follow_up) is not None


def load(team: str, round: Round) -> TeamRound | None:
    """When one of a team's mails is due, or None."""
    item = table.get(team_scope(team), f"TEAM#{round}")
    return table.read_row(item, TeamRound) if item else None


def row(due: TeamRound) -> table.Row:
    """The item of a team's round."""
    return table.make_row(team_scope(due.team), f"TEAM#{due.round}", KIND, due, due_at=due.due_at)


def ensure(settings: Settings, now: datetime) -> None:
    """Give each team its next gathered notes, if it wants any, and its next look back; what is overdue stays due."""
    for key, team in settings.teams.items():
        for round in Round:
            due_at = next_due(round, team, now, settings.policy.time_zone)
            known = load(key, round)
            if known and due_at is None and known.due_at and known.due_at > now:
                # The team gets each at once from now on: what was gathered so far goes out, and nothing of it twice.
                due_at = min(known.due_at, now + SETTLING)
            if known is None and due_at:
                table.put(row(TeamRound(team=key, round=round, since=now, due_at=due_at)))
            elif known and due_at and due_at != known.due_at and (known.due_at is None or known.due_at > now):
                since = known.since if known.due_at else now
                table.put(
                    row(TeamRound(team=key, round=round, since=since, due_at=due_at, version=known.version))
                )
