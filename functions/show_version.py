"""GET and HEAD /v/{token}: asks the supplying team how it sees a customer's case; changes nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters import clock, links, notices, tickets, web
from adapters.links import TicketLink
from adapters.notices import GONE, NoPage
from adapters.telemetry import count, logger, metrics
from domain.flag import Flag
from domain.follow_up import FollowUp
from domain.message import Kind
from domain.press import Page
from domain.settings import Settings
from messages import facts, pages


@dataclass(frozen=True)
class Asked:
    """The flag that a team is asked about, with its follow-up, by whose link, and when that was last sent."""

    flag: Flag
    follow_up: FollowUp
    link: TicketLink
    sent_at: datetime | None

    @property
    def asker(self) -> str:
        """Who asked: key of a contact."""
        return self.link.holder


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """What the customer says, and room for the team's own words; 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("VersionShown")
    asked = find(request.parameters.get("token", ""), settings)
    return show(facts.version_page(asked.flag, asked.follow_up, asked.asker, settings), asked, nonce)


def show(
    page: pages.VersionPage, asked: Asked, nonce: str, status: int = 200, *, pressed: bool = False
) -> web.Response:
    """The team's page; ``pressed``: it answers a press and no mail leads to it."""
    now = clock.now()
    sealed = replace(page, seal=links.seal(asked.link, Page(shown_at=now, once_more=pressed), now))
    return web.page(status, pages.version_page(sealed, nonce), nonce)


def find(token: str, settings: Settings) -> Asked:
    """The flag that a team's link asks about."""
    link = links.read_version(token, clock.now(), settings.policy.keep_for)
    records = tickets.load(link.source, link.ticket_id)
    follow_up, flag = records.follow_up(link.number), records.flags.get(link.number)
    if follow_up is None or flag is None:
        raise NoPage(GONE)
    mails = (m.delivery for m in records.messages.values() if m.kind is Kind.VERSION_ASKED)
    sent_at = max((held.sent_at or held.claimed_at for held in mails if held), default=None)
    return Asked(flag, follow_up, link, sent_at)
