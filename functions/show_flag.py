"""GET and HEAD /f/{token}: shows a flag to the person who has it; changes nothing."""

from dataclasses import dataclass, field
from typing import Any

from adapters import clock, links, notices, people, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import recovery
from domain.flag import Flag
from domain.follow_up import FollowUp, Ticket
from domain.message import Message
from domain.person import Person
from domain.settings import Settings
from messages import facts, pages


@dataclass(frozen=True)
class Found:
    """A flag with follow-up, ticket and customer, what they were asked about before, and whose link was used."""

    flag: Flag
    follow_up: FollowUp
    ticket: Ticket
    earlier: tuple[FollowUp, ...]
    holder: str
    person: Person
    messages: dict[str, Message] = field(default_factory=dict)
    """All of the ticket, by name."""


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The handover summary with what has been done so far; 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    found = find(request.parameters.get("token", ""), settings)
    count("FlagShown")
    if isinstance(found, notices.Notice):
        return found.response(nonce, settings.company.name)
    return show(found, settings, nonce)


def find(token: str, settings: Settings) -> Found | notices.Notice:
    """The flag that a link points to, or the page that says why there is none."""
    try:
        link = links.read_flag(token, clock.now(), settings.policy.keep_for)
    except links.BadLink:
        return notices.NOT_FOUND
    records = tickets.load(link.source, link.ticket_id)
    follow_up = records.follow_up(link.number)
    flag = records.flags.get(link.number)
    if follow_up is None or flag is None:
        return notices.GONE
    address = follow_up.closure.requester_email
    person = people.load(address) if address else Person(key="")
    before = facts.earlier(follow_up, records.ticket, people.asked_before(person))
    return Found(flag, follow_up, records.ticket, before, link.holder, person, records.messages)


def show(
    found: Found,
    settings: Settings,
    nonce: str,
    status: int = 200,
    error: str | None = None,
    kept_update: str | None = None,
) -> web.Response:
    """The flag's page; what could not be taken stands in its form again."""
    page = facts.flag_page(
        found.flag,
        found.follow_up,
        found.earlier,
        settings,
        form=clock.new_id(),
        updates=recovery.updates(found.follow_up, found.messages.values()),
        language=found.person.language,
        kept_update=kept_update,
        error=error,
    )
    return web.page(status, pages.flag_page(page, nonce), nonce)
