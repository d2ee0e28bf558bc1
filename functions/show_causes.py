"""GET and HEAD /c/{token}: shows a process owner the causes that a mail was about; changes nothing."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, deeds, links, notices, web
from adapters.links import CausesLink
from adapters.telemetry import count, logger, metrics
from domain.cause import owner_of
from domain.ownership import may_act
from domain.settings import Settings
from messages import cause_facts, facts, pages


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
        state = causes.load(code)
        entry = facts.cause_entry(figures, state, about, settings)
        owner = settings.contacts.get(owner_of(state, settings))
        entries.append(
            replace(
                entry,
                link=_link(link.owner, code, settings, now),
                may_act=may_act(link.owner, state, settings) and not state.merged_into,
                owner_name=owner.name if owner else None,
                state_line=cause_facts.state_line(state, now, settings),
            )
        )
    reader = settings.contacts.get(link.owner)
    page = pages.CausesPage(
        company=settings.company.name,
        owner_name=reader.name if reader else link.owner,
        causes=tuple(entries),
        window_days=window.days,
        error=error,
        form=deeds.new_form(now),
    )
    return web.page(status, pages.causes_page(page, nonce), nonce)


def _link(owner: str, code: str, settings: Settings, now: datetime) -> str | None:
    base = settings.company.public_url
    return links.cause_url(base.rstrip("/"), owner, code, now, now) if base else None
