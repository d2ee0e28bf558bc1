"""GET and HEAD /t/{token}: a team's page of thanks for one month; changes nothing."""

from datetime import date
from typing import Any

from adapters import clock, links, notices, thanks, web
from adapters.telemetry import count, logger, metrics
from domain import hours
from domain.settings import Settings
from domain.thanks import month_of
from messages import facts, pages


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """``?month=2026-11`` chooses one, else it is this month; 404 for a bad link, 410 for a team that is gone."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    now = clock.now()
    count("ThanksShown")
    team = links.read_thanks(request.parameters.get("token", ""), now, settings.policy.keep_for).team
    if team not in settings.teams:
        raise notices.NoPage(notices.GONE)
    today = hours.local(now, settings.policy.time_zone).date()
    month = min(_month(request.query.get("month", "")) or today, today).replace(day=1)
    solved = thanks.confirmed(team, *month_of(month, settings.policy.time_zone))
    page = facts.thanks_page(team, month, solved, now, settings)
    return web.page(200, pages.thanks_page(page, nonce), nonce)


def _month(text: str) -> date | None:
    """The first day of a month that is written like ``2026-11``; None for any other text."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
