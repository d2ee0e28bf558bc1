"""A company, its people and its tickets, as the tests of the domain need them."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from domain.closure import Closure
from domain.delivery import Delivery, Feedback, claim, settle_sent
from domain.follow_up import FollowUp, Ticket, after_sending, hear, open_follow_up
from domain.person import Person, person_key
from domain.settings import Cause, Company, Contact, Hours, Policy, Settings, Source, Team

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""A Monday morning."""
ALWAYS = Hours(opens=time(), closes=time.max, weekdays=tuple(range(7)))
POLICY = Policy(hours=ALWAYS)
CUSTOMER = "anna.berg@example.com"

SETTINGS = Settings(
    company=Company(name="Nordlicht Networks", sender="followup@nordlicht.example"),
    contacts={
        "jonas": Contact(name="Jonas Weber", email="jonas@nordlicht.example", manager="selma"),
        "selma": Contact(name="Selma Aydin", email="selma@nordlicht.example", manager="ruth"),
        "ruth": Contact(name="Ruth Okafor", email="ruth@nordlicht.example"),
    },
    teams={
        "remote": Team(
            name="Remote access", email="remote@nordlicht.example", names=("VPN",), responsible="jonas"
        )
    },
    causes={
        "firmware": Cause(name="Router firmware", owner="jonas", values=("fw",)),
        "licence": Cause(name="Licence not renewed", owner="ruth"),
    },
    sources={"desk": Source(preset="zendesk", secret="desk")},
    responsible="selma",
    policy=POLICY,
)


def after(days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
    """An instant so long after the start."""
    return START + timedelta(days=days, hours=hours, minutes=minutes)


def closure(**changed: Any) -> Closure:
    """Anna's ticket, solved by the remote access team at the start."""
    usual: dict[str, Any] = {
        "source": "desk",
        "ticket_id": "48211",
        "closed_at": START,
        "kind": "solved",
        "requester_email": CUSTOMER,
        "team": "VPN",
        "cause": "fw",
    }
    return Closure(**(usual | changed))


def opened(now: datetime = START, **changed: Any) -> FollowUp:
    """The follow-up of that closure."""
    return open_follow_up(Ticket(), closure(**changed), now, SETTINGS)


def person(**changed: Any) -> Person:
    """Anna."""
    return replace(Person(key=person_key(CUSTOMER)), **changed)


def sent(held: Delivery | None = None, at: datetime = START) -> Delivery:
    """A mail that was claimed and taken by the provider."""
    claimed = claim(held, "claim", at, POLICY.unknown_after)
    return settle_sent(claimed, "claim", "ses-1", at)


def asked(at: datetime | None = None) -> FollowUp:
    """The follow-up once its survey was sent and delivered, a day after the closing."""
    instant = at or after(days=1)
    out = after_sending(opened(), "survey", sent(at=instant), POLICY)
    return hear(out, "survey", Feedback.DELIVERY, instant, instant, POLICY)
