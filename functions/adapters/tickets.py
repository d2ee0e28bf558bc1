"""Follow-ups and reopenings, stored in the partition of their ticket together with its flags and messages.

    TICKET#<source>#<ticket id>   FOLLOW_UP#<number>     one follow-up for each closure
                                  REOPEN#<instant>       one for each reopening
                                  FLAG#<number>          adapters/flags.py
                                  MESSAGE#<name>         adapters/outbox.py
                                  PROMISE#<number>#<name> adapters/promises.py
                                  WRITE_BACK#<name>      adapters/write_backs.py

Whatever has to be decided about a ticket is decided from one consistent read of its partition.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters import flags, outbox, promises, table, write_backs
from domain.closure import Ref, Reopen
from domain.flag import Flag
from domain.follow_up import MOST_TOGETHER, FollowUp, Round, Ticket, may_join
from domain.message import Message, ticket_scope
from domain.promise import Promise
from domain.settings import Policy
from domain.write_back import WriteBack

KIND = "follow_up"


@dataclass(frozen=True)
class Records:
    """Everything stored about one ticket."""

    ticket: Ticket = field(default_factory=Ticket)
    flags: dict[int, Flag] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    """The oldest first."""
    write_backs: dict[str, WriteBack] = field(default_factory=dict)

    def promises_of(self, number: int) -> tuple[Promise, ...]:
        """What was promised about one closure of this ticket."""
        return tuple(known for known in self.promises if known.number == number)

    def follow_up(self, number: int) -> FollowUp | None:
        """The follow-up of one closure of this ticket."""
        return next((known for known in self.ticket.follow_ups if known.number == number), None)


@dataclass(frozen=True)
class _Reopened:
    at: datetime
    version: int = 0


def row(follow_up: FollowUp) -> table.Row:
    """The item of a follow-up."""
    closure = follow_up.closure
    return table.make_row(
        ticket_scope(closure.source, closure.ticket_id),
        sort_key(follow_up.number),
        KIND,
        follow_up,
        due_at=follow_up.due_at,
        keep_until=follow_up.keep_until,
    )


def sort_key(number: int) -> str:
    """The sort key of a closure's follow-up."""
    return f"FOLLOW_UP#{number:04d}"


def save(follow_up: FollowUp) -> None:
    """Store a follow-up; raises Changed when it is not the version that was loaded."""
    table.put(row(follow_up))


def load(source: str, ticket_id: str) -> Records:
    """Everything about one ticket; empty when it is unknown."""
    return load_scope(ticket_scope(source, ticket_id))


def load_scope(scope: str) -> Records:
    """Everything in one ticket's partition."""
    follow_ups: list[FollowUp] = []
    reopens: list[datetime] = []
    flagged: dict[int, Flag] = {}
    messages: dict[str, Message] = {}
    promised: list[Promise] = []
    told: dict[str, WriteBack] = {}
    for item in table.find(scope):
        if item.kind == KIND:
            follow_ups.append(table.read_row(item, FollowUp))
        elif item.kind == "reopen":
            reopens.append(table.read_row(item, _Reopened).at)
        elif item.kind == flags.KIND:
            flag = table.read_row(item, Flag)
            flagged[flag.number] = flag
        elif item.kind == outbox.KIND:
            message = table.read_row(item, Message)
            messages[message.name] = message
        elif item.kind == promises.KIND:
            promised.append(table.read_row(item, Promise))
        elif item.kind == write_backs.KIND:
            wanted = table.read_row(item, WriteBack)
            told[wanted.name] = wanted
    written = tuple(trace for wanted in told.values() if (trace := wanted.trace))
    ticket = Ticket(follow_ups=by_closing(follow_ups), reopens=tuple(reopens), written=written)
    oldest_first = tuple(sorted(promised, key=lambda known: known.promised_at))
    return Records(ticket, flagged, messages, oldest_first, told)


def load_refs(refs: Iterable[Ref]) -> list[FollowUp]:
    """The follow-ups of these closures as they are now; those that are no longer kept are left out."""
    found = (load(ref.source, ref.ticket_id).follow_up(ref.number) for ref in refs)
    return [known for known in found if known]


def joining(
    known: FollowUp, candidates: Iterable[Ref], round: Round, now: datetime, policy: Policy
) -> list[FollowUp]:
    """Which of these are asked about in the same mail, as they are now."""
    found: list[FollowUp] = []
    for ref in candidates:
        if len(found) + 1 >= MOST_TOGETHER:
            break
        records = load(ref.source, ref.ticket_id)
        other = records.follow_up(ref.number)
        if other and may_join(other, records.ticket, known, round, now, policy):
            found.append(other)
    return found


def load_one(ref: Ref) -> FollowUp | None:
    """One follow-up as it is now; None when it is not kept."""
    item = table.get(ticket_scope(ref.source, ref.ticket_id), sort_key(ref.number))
    return table.read_row(item, FollowUp) if item else None


def load_many(keys: list[tuple[str, str]]) -> list[FollowUp]:
    """The follow-ups with these keys, in this order; those that are no longer kept are left out."""
    found = {(str(item.pk), str(item.sk)): item for item in table.get_many(keys)}
    return [table.read_row(found[key], FollowUp) for key in keys if key in found]


def by_closing(follow_ups: list[FollowUp]) -> tuple[FollowUp, ...]:
    """Follow-ups in the order in which the ticket was closed, whatever order we heard of it."""
    return tuple(sorted(follow_ups, key=lambda known: known.closure.closed_at))


def add_reopen(reopen: Reopen, keep_for: timedelta) -> bool:
    """Note that a ticket was reopened; the same reopening twice is noted once. Tells whether it is new."""
    return table.put_missing(
        table.make_row(
            ticket_scope(reopen.source, reopen.ticket_id),
            f"REOPEN#{table.now_text(reopen.reopened_at)}",
            "reopen",
            _Reopened(reopen.reopened_at),
            keep_until=reopen.reopened_at + keep_for,
        )
    )
