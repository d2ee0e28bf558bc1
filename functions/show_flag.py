"""GET and HEAD /f/{token}: shows a flag to the person who has it; changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, links, notices, people, tickets, web
from adapters.links import TicketLink
from adapters.notices import GONE, NoPage
from adapters.telemetry import count, logger, metrics
from domain import flag as flagged
from domain import recovery, write_back
from domain.flag import Flag, Reason
from domain.follow_up import FollowUp
from domain.message import Message
from domain.person import Person
from domain.press import Page
from domain.promise import Promise
from domain.settings import Settings
from messages import facts, pages

MOST_COUNTED = 300
"""So many of the cause's newest closings tell how often customers are recovered; more would keep somebody waiting."""


@dataclass(frozen=True)
class Found:
    """A flag with its follow-up, its customer and what they were asked about before, and whose link was used.

    A promise that waits to be kept has a page before there is a flag: then ``flag`` is one that is not stored.
    """

    flag: Flag
    follow_up: FollowUp
    earlier: tuple[FollowUp, ...]
    holder: str
    person: Person
    records: tickets.Records = field(default_factory=tickets.Records)

    @property
    def link(self) -> TicketLink:
        """The link that opens it."""
        ref = self.follow_up.ref
        return TicketLink(ref.source, ref.ticket_id, ref.number, self.holder)

    @property
    def sent_at(self) -> datetime | None:
        """When the last mail about it went to whoever's link was used."""
        mails = (m.delivery for m in self.messages.values() if m.to == f"contact:{self.holder}")
        return max((held.sent_at or held.claimed_at for held in mails if held), default=None)

    @property
    def messages(self) -> Mapping[str, Message]:
        """All messages of the ticket, by name."""
        return self.records.messages

    @property
    def promises(self) -> tuple[Promise, ...]:
        """What was promised about this closure."""
        return self.records.promises_of(self.follow_up.number)

    def asks_again(self, settings: Settings) -> bool:
        """Whether the customer is asked again when this is settled as solved."""
        return recovery.may_ask_again(self.follow_up, self.records.ticket, self.flag, self.person, settings)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The handover summary with what has been done so far; 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("FlagShown")
    return show(find(request.parameters.get("token", ""), settings), settings, nonce)


def find(token: str, settings: Settings) -> Found:
    """The flag that a link points to."""
    link = links.read_flag(token, clock.now(), settings.policy.keep_for)
    if link.holder not in settings.contacts:
        raise NoPage(GONE)  # whoever left reads nothing of our customers, and writes to none
    records = tickets.load(link.source, link.ticket_id)
    follow_up = records.follow_up(link.number)
    flag = records.flags.get(link.number)
    promised = records.promises_of(link.number)
    if follow_up and flag is None and promised:
        since = promised[0].promised_at
        flag = flagged.raise_for(follow_up, None, Reason.PROMISE_DUE, since, settings, link.holder)
    if follow_up is None or flag is None:
        raise NoPage(GONE)
    address = follow_up.closure.requester_email
    person = people.load(address) if address else Person(key="")
    before = facts.earlier(follow_up, records.ticket, people.asked_before(person))
    return Found(flag, follow_up, before, link.holder, person, records)


def show(
    found: Found,
    settings: Settings,
    nonce: str,
    status: int = 200,
    error: str | None = None,
    kept: Mapping[str, str] | None = None,
    *,
    pressed: bool = False,
) -> web.Response:
    """The flag's page; what could not be taken (``kept``, fields of a form) stands in its form again.

    ``pressed``: it answers a press and no mail leads to it.
    """
    now, known = clock.now(), found.follow_up
    recovered = None
    if found.flag.settled_at:
        recovered = causes.recovery(known.cause, now - settings.policy.repeated_within, now, MOST_COUNTED)
    page = facts.flag_page(
        found.flag,
        known,
        found.earlier,
        settings,
        now,
        form=clock.new_id(),
        updates=recovery.updates(known, found.messages.values()),
        questions=recovery.questions(known, found.messages),
        promises=found.promises,
        messages=found.messages,
        person=found.person,
        asks_again=found.asks_again(settings),
        team_asked=flagged.team_was_asked(found.flag),
        recovered=recovered,
        not_told=write_back.not_told(found.records.write_backs, known.number),
        kept=kept,
        error=error,
    )
    page = replace(page, seal=links.seal(found.link, Page(shown_at=now, once_more=pressed), now))
    return web.page(status, pages.flag_page(page, nonce), nonce)
