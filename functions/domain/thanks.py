"""Thanks: the solutions that customers confirmed, as the teams that supplied them hear of them.

A team gets each note at once or gathered into one mail a day or a week, as it chose, and looks back on each month.
What is thanked for is never copied: a mark says which closure was confirmed and when the team is to hear of it, and
what a mail or page then says comes from the follow-up as it is at that moment.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain import hours
from domain.follow_up import FollowUp, State
from domain.message import Kind, Message
from domain.settings import Settings, Team

SETTLING = timedelta(minutes=15)
"""So long after its instant a mark is certainly stored; a gathering leaves what is younger to the next one."""
MOST_SHOWN = 100
"""Solutions that a page shows, those with words first; mails show fewer."""
A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Thanks:
    """One confirmed closure that ``team`` had a part in; ``at`` is when it may hear of it."""

    team: str
    source: str
    ticket_id: str
    number: int
    at: datetime
    keep_until: datetime | None = None


class Round(StrEnum):
    """What a team gets regularly."""

    NOTES = "notes"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class TeamRound:
    """When a team's next gathered notes or look back on a month are due; they cover what is after ``since``."""

    team: str
    round: Round
    since: datetime
    due_at: datetime | None = None
    version: int = 0


def team_scope(team: str) -> str:
    """The scope of everything that a team gets regularly."""
    return f"TEAM#{team}"


def next_notes(team: Team, after: datetime, time_zone: str) -> datetime | None:
    """When the team's next gathered notes are due; None for a team that gets each at once."""
    if team.notes == "at_once":
        return None
    days = (hours.local(after, time_zone).date() + n * A_DAY for n in range(9))
    fitting = (day for day in days if team.notes == "daily" or day.weekday() == team.notes_weekday)
    return next(at for day in fitting if (at := hours.clock(day, team.notes_at, time_zone)) > after)


def next_month(team: Team, after: datetime, time_zone: str) -> datetime:
    """When the team's next look back is due: on the first of a month, at the hour of its notes."""
    first = hours.local(after, time_zone).date().replace(day=1)
    while (at := hours.clock(first, team.notes_at, time_zone)) <= after:
        first = month_after(first)
    return at


def next_due(round: Round, team: Team, after: datetime, time_zone: str) -> datetime | None:
    """When the round is due next."""
    return next_notes(team, after, time_zone) if round is Round.NOTES else next_month(team, after, time_zone)


def month_after(first: date) -> date:
    """The first of the month after the one that begins on ``first``."""
    return (first + 31 * A_DAY).replace(day=1)


def month_before(first: date) -> date:
    """The first of the month before."""
    return (first - A_DAY).replace(day=1)


def month_of(first: date, time_zone: str) -> tuple[datetime, datetime]:
    """Begin and end of the month that begins on ``first``, in the company's zone."""
    midnight = datetime.min.time()
    return hours.clock(first, midnight, time_zone), hours.clock(month_after(first), midnight, time_zone)


def looked_back_on(until: datetime, time_zone: str) -> date:
    """The first of the month that a look back due at ``until`` is about."""
    return month_before(hours.local(until, time_zone).date().replace(day=1))


def message(due: TeamRound, until: datetime, now: datetime, settings: Settings) -> Message:
    """The mail about the round that was due at ``until``; its business key is that instant."""
    kind = Kind.GATHERED_NOTES if due.round is Round.NOTES else Kind.THANKS_MONTH
    return Message(
        scope=team_scope(due.team),
        name=f"{due.round}#{until:%Y%m%dT%H%M%S}",
        kind=kind,
        to=f"team:{due.team}",
        created_at=now,
        due_at=now,
        about={"since": due.since.isoformat(), "until": until.isoformat()},
        keep_until=now + settings.policy.keep_for,
    )


def confirmed(follow_ups: Iterable[FollowUp]) -> list[FollowUp]:
    """Those that their customers still call solved, each once, the newest confirmation first."""
    known = {follow_up.ref: follow_up for follow_up in follow_ups if follow_up.state is State.CONFIRMED}
    return sorted(known.values(), key=lambda f: f.outcome_at or f.opened_at, reverse=True)


def customers(follow_ups: Iterable[FollowUp]) -> int:
    """How many different customers these are of."""
    return len({(f.closure.requester_email or f.ref.ticket_id).casefold() for f in follow_ups})


def people(follow_ups: Iterable[FollowUp], team: str, settings: Settings) -> list[tuple[str, int]]:
    """Who of the team had a part in how many of these, the most first: its resolvers and its contributors."""
    found: Counter[str] = Counter()
    for follow_up in follow_ups:
        names = {
            c.name
            for c in follow_up.closure.contributors
            if team in {settings.team_of(c.team), settings.team_with(c.email)}
        }
        if follow_up.team == team:
            names.add(follow_up.closure.resolver_name)
        found.update(name for name in names if name)
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))
