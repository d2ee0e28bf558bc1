"""GET and HEAD /u/{token}: shows what a customer chose; changes nothing, whoever opens it and how often."""

from typing import Any

from adapters import clock, links, notices, people, web
from adapters.links import PreferencesLink
from adapters.telemetry import count, logger, metrics
from domain.settings import Settings
from messages import facts, pages


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The form, with what the mail's link says pre-selected (``?surveys=none``); 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("PreferencesShown")
    link = find(request.parameters.get("token", ""), settings)
    chosen = request.query.get("surveys")
    page = facts.preferences_page(people.load_key(link.person), link.language, settings, chosen=chosen)
    return web.page(200, pages.preferences_page(page, nonce), nonce)


def find(token: str, settings: Settings) -> PreferencesLink:
    """Whose preferences a link opens."""
    return links.read_preferences(token, clock.now(), settings.policy.keep_for)
