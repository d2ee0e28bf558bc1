"""GET and HEAD /c/{token}: shows a process owner the causes that a mail was about; changes nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, digests, links, notices, web
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
    return show(link, settings, nonce, only=request.query.get("cause"))


def find(token: str, settings: Settings) -> CausesLink | notices.Notice:
    """Which causes a link opens, or the page that says it opens none; a digest's opens all that its owner has now."""
    try:
        link = links.read_causes(token, clock.now(), settings.policy.keep_for)
    except links.BadLink:
        return notices.NOT_FOUND
    return replace(link, causes=settings.causes_of(link.owner)) if link.period else link


def show(
    link: CausesLink,
    settings: Settings,
    nonce: str,
    status: int = 200,
    error: str | None = None,
    only: str | None = None,
) -> web.Response:
    """The page of some causes as they stand now, or of the one that is asked for.

    A digest's link shows the figures of its period; any other those of the window in which a cause counts as repeated.
    """
    now = clock.now()
    codes = (only,) if only in link.causes else link.causes
    if link.period:
        entries = digests.read(link.owner, codes, *link.period, now, settings)
        page = facts.causes_of_digest(link.owner, *link.period, now, entries, settings)
    else:
        page = _of_window(link.owner, codes, now, settings)
    return web.page(status, pages.causes_page(replace(page, error=error), nonce), nonce)


def _of_window(owner: str, codes: tuple[str, ...], now: datetime, settings: Settings) -> pages.CausesPage:
    window = settings.policy.repeated_within
    entries = []
    for code in codes:
        figures, about = causes.figures(code, now - window, now, buckets=1)
        entries.append(facts.cause_entry(figures, causes.load(code), about, settings))
    known = settings.contacts.get(owner)
    return pages.CausesPage(
        company=settings.company.name,
        owner_name=known.name if known else owner,
        causes=tuple(entries),
        window_days=window.days,
    )
