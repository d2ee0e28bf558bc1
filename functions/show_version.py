"""GET and HEAD /v/{token}: asks the supplying team how it sees a customer's case; changes nothing."""

from dataclasses import dataclass
from typing import Any

from adapters import clock, links, notices, tickets, web
from adapters.notices import GONE, NoPage
from adapters.telemetry import count, logger, metrics
from domain.flag import Flag
from domain.follow_up import FollowUp
from domain.settings import Settings
from messages import facts, pages


@dataclass(frozen=True)
class Asked:
    """The flag that a team is asked about, with its follow-up, and who asked."""

    flag: Flag
    follow_up: FollowUp
    asker: str


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """What the customer says, and room for the team's own words; 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("VersionShown")
    asked = find(request.parameters.get("token", ""), settings)
    page = facts.version_page(asked.flag, asked.follow_up, asked.asker, settings)
    return web.page(200, pages.version_page(page, nonce), nonce)


def find(token: str, settings: Settings) -> Asked:
    """The flag that a team's link asks about."""
    link = links.read_version(token, clock.now(), settings.policy.keep_for)
    records = tickets.load(link.source, link.ticket_id)
    follow_up, flag = records.follow_up(link.number), records.flags.get(link.number)
    if follow_up is None or flag is None:
        raise NoPage(GONE)
    return Asked(flag, follow_up, link.holder)
