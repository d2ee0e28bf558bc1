"""What a helpdesk told us about one ticket: that it was closed, or that it was opened again.

Everything here comes from outside. Texts become one line without control characters and are cut to a sane
length; an address that is not one plain address becomes None (the follow-up is then ``undeliverable``, not
lost). Only what would make the report useless raises ValueError: a ticket id that cannot be a key, or an
instant without a zone.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal

from domain.address import parse_address
from domain.settings import LONGEST_VALUE

Kind = Literal["solved", "closed", "merged"]
Found = Literal["reconciliation", "backfill"]

MAX_SUBJECT = 150
MAX_REFERENCE = 40
MAX_NAME = 100
MAX_SOLUTION = 300
MAX_PROMISE = 300
MAX_TEXT = 200
MAX_URL = 500
MOST_CONTRIBUTORS = 10

DAY_ENDS = time(23, 59, 59)
"""The clock of an instant that stands for a whole day: what was promised by a day was promised until then."""
EVERYWHERE = timezone(timedelta(hours=-12))
"""Where each day ends last: nobody is told of a broken promise while it may be that day where they are."""
PROMISES_WITHIN = timedelta(days=3653)
"""No promise lies further from its closing than ten years; a date that does is a mistake."""

TOLD = (
    "reference",
    "subject",
    "requester_id",
    "requester_email",
    "requester_name",
    "locale",
    "time_zone",
    "resolver_name",
    "resolver_email",
    "team",
    "cause",
    "solution",
    "promise",
    "promised_by",
    "promised_until",
    "organization",
    "url",
)
"""The fields of a closure that a helpdesk tells in a word or a line, beside the ticket's id."""

_LIMITS = {
    "subject": MAX_SUBJECT,
    "reference": MAX_REFERENCE,
    "requester_name": MAX_NAME,
    "resolver_name": MAX_NAME,
    "solution": MAX_SOLUTION,
    "promise": MAX_PROMISE,
    "promised_by": MAX_NAME,
    "requester_id": MAX_TEXT,
    "locale": MAX_TEXT,
    "time_zone": MAX_TEXT,
    "team": MAX_TEXT,
    "cause": LONGEST_VALUE,
    "organization": MAX_TEXT,
}
_TICKET_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_HOST = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)"
_URL = re.compile(rf"(?:https?://{_HOST}*(?::[0-9]{{1,5}})?|{_HOST}+)(?:[/?#][!#-;=?-\[\]_a-z~]*)?")
_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
"""Blanks, controls, line and direction characters, and lone surrogates (no store can encode those)."""


@dataclass(frozen=True, kw_only=True)
class Contributor:
    """Somebody who had a part in solving a ticket beside its resolver; without a name only ``team`` is thanked."""

    name: str | None = None
    email: str | None = None
    team: str | None = None
    part: str | None = None
    """What they did, in the helpdesk's words, such as "brought the new meter"."""

    def __post_init__(self) -> None:
        """Put every value into its kept form; doing it again changes nothing."""
        for field, limit in (("name", MAX_NAME), ("team", MAX_TEXT), ("part", MAX_NAME)):
            object.__setattr__(self, field, one_line(getattr(self, field), limit))
        object.__setattr__(self, "email", parse_address(self.email or ""))


@dataclass(frozen=True, kw_only=True)
class Closure:
    """One closing of a ticket, as reported by ``source`` (a key of the settings' sources)."""

    source: str
    ticket_id: str
    closed_at: datetime
    kind: Kind
    reference: str | None = None
    """What people call the ticket, where that is not its id."""
    subject: str | None = None
    requester_id: str | None = None
    requester_email: str | None = None
    requester_name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    resolver_name: str | None = None
    resolver_email: str | None = None
    team: str | None = None
    cause: str | None = None
    solution: str | None = None
    """What was done."""
    promise: str | None = None
    """What the customer was promised; by whom and until when, as far as the helpdesk says so."""
    promised_by: str | None = None
    promised_until: datetime | None = None
    """In its own time zone; ``DAY_ENDS`` there means that a day was promised and no hour."""
    organization: str | None = None
    url: str | None = None
    contributors: tuple[Contributor, ...] = ()
    needs_details: bool = False
    """The helpdesk sent a hint only (no requester): the follow-up waits until the details are known."""
    degraded: bool = False
    """Not all of it is the helpdesk's word: salvaged from a broken body, or ``closed_at`` is our receipt."""
    found_by: Found | None = None
    """None: the helpdesk's webhook told us. Else how we found out that it had not."""

    def __post_init__(self) -> None:
        """Put every value into its kept form; doing it again changes nothing."""
        object.__setattr__(self, "ticket_id", _ticket_id(self.ticket_id))
        _require_zone("closed_at", self.closed_at)
        for name, limit in _LIMITS.items():
            object.__setattr__(self, name, one_line(getattr(self, name), limit))
        for name in ("requester_email", "resolver_email"):
            object.__setattr__(self, name, parse_address(getattr(self, name) or ""))
        object.__setattr__(self, "url", _url(self.url))
        if self.promised_until is not None:
            _require_zone("promised_until", self.promised_until)
            if abs(self.promised_until - self.closed_at) > PROMISES_WITHIN:
                object.__setattr__(self, "promised_until", None)
        told = tuple(c for c in self.contributors if c.name or c.email or c.team)
        object.__setattr__(self, "contributors", tuple(dict.fromkeys(told))[:MOST_CONTRIBUTORS])

    @property
    def called(self) -> str:
        """The ticket as people know it."""
        return self.reference or self.ticket_id

    @property
    def promise_missed(self) -> bool:
        """Closed after the promise had run out, by the helpdesk's own clock."""
        until = self.promised_until
        return bool(self.promise and until and not self.degraded and self.closed_at > until)


@dataclass(frozen=True, kw_only=True)
class Ref:
    """Which closure: the ``number``-th of a ticket."""

    source: str
    ticket_id: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Reopen:
    """A ticket that was solved or closed is being worked on again."""

    source: str
    ticket_id: str
    reopened_at: datetime

    def __post_init__(self) -> None:
        """The same two demands as for a closure."""
        object.__setattr__(self, "ticket_id", _ticket_id(self.ticket_id))
        _require_zone("reopened_at", self.reopened_at)


def end_of(day: date, zone: tzinfo | None) -> datetime:
    """The instant until which something was promised "by" a day, in the customer's zone where that is known."""
    return datetime.combine(day, DAY_ENDS, zone or EVERYWHERE)


def one_line(text: str | None, limit: int) -> str | None:
    """``text`` without line breaks and controls, at most ``limit`` characters; None when nothing is left."""
    if text is None:
        return None
    line = _GAPS.sub(" ", text).strip()
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return line or None


def _ticket_id(text: str) -> str:
    ticket_id = text.strip()
    if not _TICKET_ID.fullmatch(ticket_id):
        raise ValueError("ticket_id is missing or has characters that no key may have")
    return ticket_id


def _require_zone(name: str, instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError(f"{name} has no time zone")


def _url(text: str | None) -> str | None:
    """A web address that can be offered to a person as a link; Zendesk sends it without ``https://``."""
    url = (text or "").strip()
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        return None
    return url if url.startswith(("http://", "https://")) else f"https://{url}"
