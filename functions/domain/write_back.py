"""Telling the helpdesk what came out: once for each outcome, and never as if that were news to us.

ready ──claim──► claimed ──every request made──► sent
  │                 └──no reply──► looked up and repeated once ──no reply──► unknown: a person looks
  └── overtaken, switched off, a dry run: ended, with the reason
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from domain import delivery
from domain.delivery import Delivery, Progress
from domain.follow_up import FollowUp, Obstacle, State, Written
from domain.settings import Policy, Settings, Source

TOLD = frozenset({State.CONFIRMED, State.DENIED, State.SILENT})
TO_LOOK_AT = frozenset({"unknown", "refused", "too_late"})
"""How it may have ended that a person has to look at."""
MOST = 6
"""So often a helpdesk is told of one closure; who changes their mind all day does not fill a ticket with notes."""
TOO_LATE = timedelta(days=3)
"""A helpdesk that could not be told for so long is told nothing."""


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """One outcome on its way to the helpdesk; ``said_at`` is when the follow-up came to it."""

    source: str
    ticket_id: str
    number: int
    outcome: State
    said_at: datetime
    created_at: datetime
    due_at: datetime | None = None
    delivery: Delivery | None = None
    done: tuple[str, ...] = ()
    """Names of the requests that were made."""
    refused: tuple[str, ...] = ()
    """Names of those that the helpdesk does not take, such as a note on a closed ticket."""
    unsure: bool = False
    """A request was made once whose reply was lost: whatever is not repeatable is looked for first."""
    reopens: bool = False
    """One of the requests opens the ticket again."""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    """From the first claim to the last request."""
    would: tuple[str, ...] = ()
    """Of a dry run: what would be sent."""
    ended: str | None = None
    """Why nothing (more) is sent: ``dry_run``, ``off``, ``overtaken``, ``too_late`` and so on."""
    obstacle: Obstacle | None = None
    tries: int = 0
    """Of the last try that the helpdesk certainly did not take."""
    keep_until: datetime | None = None
    version: int = 0

    @property
    def name(self) -> str:
        """Its name within its ticket: one for each time that the follow-up came to this outcome."""
        return f"{self.number:04d}#{self.outcome}#{self.said_at.astimezone(UTC):%Y%m%dT%H%M%S%f}"

    @property
    def mark(self) -> str:
        """What stands in the note, so that a note that was made is found again."""
        business = f"{self.source}|{self.ticket_id}|{self.name}"
        return f"Followthrough {hashlib.sha256(business.encode()).hexdigest()[:12]}"

    @property
    def tag(self) -> str:
        """The tag that the ticket gets; a helpdesk's triggers can leave out tickets with it."""
        return f"followthrough_{self.outcome}"

    @property
    def trace(self) -> Written | None:
        """When the helpdesk was written to, as far as anybody knows; None while it certainly was not."""
        if self.began_at is None:
            return None
        until = self.ended_at or (self.delivery.claimed_at if self.delivery else self.began_at)
        return Written(number=self.number, since=self.began_at, until=until, reopens=self.reopens)


def not_told(known: Mapping[str, WriteBack], number: int) -> str | None:
    """Why the helpdesk does not know, or perhaps not, what this closure came to last; None when it does or need not."""
    own = [wanted for wanted in known.values() if wanted.number == number and wanted.ended != "overtaken"]
    last = max(own, key=lambda wanted: wanted.said_at, default=None)
    if last is None or last.ended not in TO_LOOK_AT or (last.ended == "refused" and "follow_up" in last.done):
        return None
    return last.ended


def missing(
    follow_up: FollowUp, known: Mapping[str, WriteBack], now: datetime, settings: Settings
) -> tuple[WriteBack, ...]:
    """What has to be written for this follow-up, given what exists by name.

    A customer who pressed has some time for words, which then stand in the note; words that come send it at once. Words
    beside a "yes" wait for the customer's consent.
    """
    source = settings.sources.get(follow_up.closure.source)
    if source is None or not _is_told(follow_up, source) or follow_up.outcome_at is None:
        return ()
    answer = follow_up.answer
    said = follow_up.quote if follow_up.state is State.CONFIRMED else answer and answer.words
    has_words = said is not None
    waits = follow_up.state is not State.SILENT and not has_words
    wanted = WriteBack(
        source=follow_up.closure.source,
        ticket_id=follow_up.closure.ticket_id,
        number=follow_up.number,
        outcome=follow_up.state,
        said_at=follow_up.outcome_at,
        created_at=now,
        due_at=follow_up.outcome_at + settings.policy.words_within if waits else now,
        keep_until=follow_up.keep_until,
    )
    own = known.get(wanted.name)
    if own is not None:
        early = has_words and own.delivery is None and own.due_at is not None and now < own.due_at
        return (replace(own, due_at=now),) if early and own.tries == 0 else ()
    if sum(other.number == follow_up.number for other in known.values()) >= MOST:
        return ()
    return (wanted,)


def _is_told(follow_up: FollowUp, source: Source) -> bool:
    return (
        source.api is not None
        and source.write_back.mode != "off"
        and follow_up.state in TOLD
        and follow_up.state.value in source.write_back.outcomes
    )


def needless(
    wanted: WriteBack, follow_up: FollowUp | None, source: Source | None, now: datetime
) -> str | None:
    """Why this is not to be told (any more), asked at the moment of sending; None when it is."""
    if source is None or source.api is None or source.write_back.mode == "off":
        return "off"
    if follow_up is None or (follow_up.state, follow_up.outcome_at) != (wanted.outcome, wanted.said_at):
        return "overtaken"
    if now > wanted.created_at + TOO_LATE:
        return "unknown" if wanted.unsure else "too_late"
    return None


def end(wanted: WriteBack, reason: str) -> WriteBack:
    """Nothing (more) is sent, and why."""
    return replace(wanted, ended=reason, due_at=None)


def claim(wanted: WriteBack, claim_id: str, reopens: bool, now: datetime, policy: Policy) -> WriteBack:
    """Claimed, to be stored before the first request. Refused when somebody else holds it or it is over."""
    held = delivery.claim(wanted.delivery, claim_id, now, policy.unknown_after)
    return replace(
        wanted,
        delivery=held,
        unsure=wanted.unsure
        or (wanted.delivery is not None and wanted.delivery.progress is Progress.CLAIMED),
        began_at=wanted.began_at or now,
        ended_at=None,
        reopens=wanted.reopens or reopens,
        due_at=delivery.claim_ends(held, policy.unknown_after),
    )


def is_sendable(wanted: WriteBack, now: datetime, policy: Policy) -> bool:
    """Whether it may be claimed now."""
    if wanted.ended or wanted.due_at is None or now < wanted.due_at:
        return False
    return delivery.may_claim(wanted.delivery, now, policy.unknown_after)


def is_lost(wanted: WriteBack, now: datetime, policy: Policy) -> bool:
    """Whether nobody knows what became of it and it was tried as often as anything is."""
    held = wanted.delivery
    return (
        held is not None
        and held.progress is Progress.CLAIMED
        and now >= delivery.claim_ends(held, policy.unknown_after)
        and not delivery.may_claim(held, now, policy.unknown_after)
    )


def give_up(wanted: WriteBack, now: datetime) -> WriteBack:
    """Nobody knows whether the helpdesk was told."""
    held = delivery.give_up(wanted.delivery, now) if wanted.delivery else None
    return replace(wanted, delivery=held, ended="unknown", due_at=None, ended_at=now)


def put_off(
    claimed: WriteBack, claim_id: str, obstacle: Obstacle, wait: timedelta, now: datetime
) -> WriteBack:
    """The helpdesk certainly did not take this request: it is tried again later."""
    if claimed.delivery is None:
        return claimed
    tries = claimed.tries + 1
    pause = min(timedelta(minutes=2 ** min(tries - 1, 6)), timedelta(hours=1))
    return replace(
        claimed,
        delivery=delivery.release(claimed.delivery, claim_id),
        obstacle=obstacle,
        tries=tries,
        due_at=now + max(wait, pause),
        # Written to only where something was done.
        began_at=claimed.began_at if claimed.done or claimed.unsure else None,
        ended_at=now if claimed.done or claimed.unsure else None,
    )


def settle(claimed: WriteBack, claim_id: str, now: datetime) -> WriteBack:
    """Every request was made, or refused for good."""
    if claimed.delivery is None:
        return claimed
    if claimed.done:
        held = delivery.settle_sent(claimed.delivery, claim_id, claim_id, now)
    else:
        held = delivery.refuse(claimed.delivery, claim_id, now)
    ended = "refused" if claimed.refused else "told"
    return replace(claimed, delivery=held, ended=ended, due_at=None, ended_at=now)
