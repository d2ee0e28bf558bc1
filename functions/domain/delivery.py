"""One mail on its way: claimed, sent once, settled by what the mail provider reports.

The provider has no idempotency key, so a call whose reply is lost may or may not have sent the mail. Such a claim stays
open until the provider's own event settles it; after ``unknown_after`` it is repeated once, and then a person is told.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import Refused

MOST_ATTEMPTS = 2


class Progress(StrEnum):
    """How far a mail has come; later values never fall back to earlier ones."""

    READY = "ready"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REFUSED = "refused"


FAILED = frozenset({Progress.BOUNCED, Progress.COMPLAINED, Progress.REFUSED, Progress.UNKNOWN})
"""Whoever it was for has not got it, or does not want it, or nobody knows."""


class Feedback(StrEnum):
    """What the mail provider reports about a mail (SES event types of the same meaning)."""

    SEND = "send"
    DELIVERY = "delivery"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REJECT = "reject"
    DELAY = "delay"
    """Put off by the mailbox (full, busy); sent all the same, and perhaps delivered later."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The history of one mail; ``claim`` names the attempt, so that a late writer can be told apart."""

    progress: Progress
    claim: str
    claimed_at: datetime
    earlier: str | None = None
    """The claim before, when nobody knows what became of it."""
    attempts: int = 1
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    provider_id: str | None = None
    """SES message id, once known."""


def is_open(delivery: Delivery | None) -> bool:
    """Whether the mail has not been handed to the provider yet, as far as anybody knows."""
    return delivery is None or delivery.progress in {Progress.READY, Progress.CLAIMED}


def claim_ends(delivery: Delivery, unknown_after: timedelta) -> datetime:
    """When an unanswered claim may be repeated or given up."""
    return delivery.claimed_at + unknown_after


def may_claim(delivery: Delivery | None, now: datetime, unknown_after: timedelta) -> bool:
    """Whether the mail may be sent now: never tried, released, or unanswered for too long and tried only once."""
    if delivery is None or delivery.progress is Progress.READY:
        return True
    return (
        delivery.progress is Progress.CLAIMED
        and delivery.attempts < MOST_ATTEMPTS
        and now >= claim_ends(delivery, unknown_after)
    )


def claim(delivery: Delivery | None, claim_id: str, now: datetime, unknown_after: timedelta) -> Delivery:
    """The delivery as claimed by ``claim_id``; to be stored before the provider is called.

    Raises Refused when another claim holds it or the mail has gone already.
    """
    if not may_claim(delivery, now, unknown_after):
        raise Refused("the mail is claimed or gone")
    if delivery is None:
        return Delivery(progress=Progress.CLAIMED, claim=claim_id, claimed_at=now)
    again = replace(delivery, progress=Progress.CLAIMED, claim=claim_id, claimed_at=now)
    if delivery.progress is Progress.READY:
        return again
    return replace(again, attempts=delivery.attempts + 1, earlier=delivery.claim)


def release(delivery: Delivery, claim_id: str) -> Delivery:
    """Gives the claim back after a definite "not sent" (throttled, quota): this was no attempt."""
    if delivery.progress is not Progress.CLAIMED or delivery.claim != claim_id:
        raise Refused("not this claim's mail any more")
    return replace(delivery, progress=Progress.READY)


def settle_sent(delivery: Delivery, claim_id: str, provider_id: str, now: datetime) -> Delivery:
    """The provider accepted the mail. A claim that is no longer current is refused; later feedback is kept."""
    if delivery.claim != claim_id:
        raise Refused("a later claim holds this mail")
    if delivery.progress not in {Progress.CLAIMED, Progress.UNKNOWN}:
        return replace(delivery, provider_id=provider_id, sent_at=delivery.sent_at or now)
    return replace(delivery, progress=Progress.SENT, sent_at=now, provider_id=provider_id)


def refuse(delivery: Delivery, claim_id: str, now: datetime) -> Delivery:
    """The provider will never take this mail (rejected address or content)."""
    if delivery.claim != claim_id:
        raise Refused("a later claim holds this mail")
    return replace(delivery, progress=Progress.REFUSED, failed_at=now)


def give_up(delivery: Delivery, now: datetime) -> Delivery:
    """Nobody knows whether the mail went out; a person has to look."""
    return replace(delivery, progress=Progress.UNKNOWN, failed_at=now)


def hear(delivery: Delivery, feedback: Feedback, at: datetime) -> Delivery:
    """The delivery after one report of the provider; reports come late, twice and out of order: most change nothing."""
    # Ready, and yet reported as sent: an earlier claim, whose reply was lost, did send it.
    not_sent_yet = {Progress.READY, Progress.CLAIMED, Progress.UNKNOWN}
    if feedback in {Feedback.SEND, Feedback.DELAY} and delivery.progress in not_sent_yet:
        return replace(delivery, progress=Progress.SENT, sent_at=at)
    if feedback is Feedback.DELIVERY:
        heard = replace(delivery, delivered_at=delivery.delivered_at or at, sent_at=delivery.sent_at or at)
        if delivery.progress in {Progress.BOUNCED, Progress.COMPLAINED}:
            return heard
        return replace(heard, progress=Progress.DELIVERED)
    if feedback is Feedback.BOUNCE and delivery.progress is not Progress.COMPLAINED:
        return replace(delivery, progress=Progress.BOUNCED, failed_at=delivery.failed_at or at)
    if feedback is Feedback.COMPLAINT:
        return replace(delivery, progress=Progress.COMPLAINED, failed_at=delivery.failed_at or at)
    if feedback is Feedback.REJECT and delivery.progress in {*not_sent_yet, Progress.SENT}:
        return replace(delivery, progress=Progress.REFUSED, failed_at=at)
    return delivery
