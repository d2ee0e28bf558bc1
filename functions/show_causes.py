"""GET and HEAD /c/{token}: shows a process owner the causes that a mail was about; changes nothing."""

from typing import Any

from adapters import causes, clock, links, notices, web
from adapters.links import CausesLink
from adapters.telemetry import count, logger, metrics
from domain.settings import Settings
from messages import facts, pages


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The causes as they stand now; 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    link = find(request.parameters.get("token", ""), settings)
    count("CausesShown")
    if isinstance(link, notices.Notice):
        return link.response(nonce, settings.company.name)
    return show(link, settings, nonce)


def find(token: str, settings: Settings) -> CausesLink | notices.Notice:
    """Which causes a link opens, or the page that says it opens none."""
    try:
        return links.read_causes(token, clock.now(), settings.policy.keep_for)
    except links.BadLink:
        return notices.NOT_FOUND


def show(
    link: CausesLink, settings: Settings, nonce: str, status: int = 200, error: str | None = None
) -> web.Response:
    """The page of some causes: figures of the window in which a cause counts as repeated."""
    now, window = clock.now(), settings.policy.repeated_within
    entries = []
    for code in link.causes:
        figures, about = causes.figures(code, now - window, now, buckets=1)
        entries.append(facts.cause_entry(figures, causes.load(code), about, settings))
    owner = settings.contacts.get(link.owner)
    page = pages.CausesPage(
        company=settings.company.name,
        owner_name=owner.name if owner else link.owner,
        causes=tuple(entries),
        window_days=window.days,
        error=error,
    )
    return web.page(status, pages.causes_page(page, nonce), nonce)
