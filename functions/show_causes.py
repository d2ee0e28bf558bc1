"""GET and HEAD /c/{token}: shows a process owner the causes that a mail was about; changes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, deeds, digests, links, notices, web
from adapters.links import CausesLink
from adapters.telemetry import count, logger, metrics
from domain.cause import CauseState, owner_of
from domain.ownership import may_act
from domain.press import Page
from domain.settings import Settings
from messages import cause_facts, digest_facts, pages


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The causes as they stand now; 404 for a bad link."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("CausesShown")
    return show(find(request.parameters.get("token", ""), settings), settings, nonce)


def find(token: str, settings: Settings) -> CausesLink:
    """Which causes a link opens; a digest's opens all that its owner has now."""
    link = links.read_causes(token, clock.now(), settings.policy.keep_for)
    return replace(link, causes=tuple(causes.owned_by(link.owner, settings))) if link.period else link


def show(
    link: CausesLink,
    settings: Settings,
    nonce: str,
    status: int = 200,
    error: str | None = None,
    kept: Mapping[str, str] | None = None,
    *,
    pressed: bool = False,
) -> web.Response:
    """The page of some causes as they stand now.

    A digest's link shows the figures of its period; any other those of the window in which a cause counts as repeated.
    What could not be taken (``kept``, fields of a form) stands in its form again.
    ``pressed``: it answers a press and no mail leads to it.
    """
    now = clock.now()
    if link.period:
        entries = digests.read(link.owner, link.causes, *link.period, now, settings)
        shown = digest_facts.causes_of_digest(
            link.owner,
            *link.period,
            now,
            entries,
            lambda code: _link(link, code, settings, now),
            settings,
        )
        states = {entry.code: entry.state for entry in entries}
    else:
        states = {code: causes.load(code) for code in link.causes}
        shown = _of_window(link, states, now, settings)
    page = replace(
        shown,
        causes=tuple(_standing(link, entry, states[entry.code], now, settings) for entry in shown.causes),
        error=error,
        typed=cause_facts.typed(kept) if kept else None,
        form=deeds.new_form(now),
        seal=links.seal(link, Page(shown_at=now, once_more=pressed), now),
    )
    return web.page(status, pages.causes_page(page, nonce), nonce)


def _of_window(
    link: CausesLink, states: dict[str, CauseState], now: datetime, settings: Settings
) -> pages.CausesPage:
    window = settings.policy.repeated_within
    entries = []
    for code in link.causes:
        figures, about = causes.figures(code, now - window, now, buckets=1)
        entries.append(digest_facts.cause_entry(figures, states[code], about, settings))
    reader = settings.contacts.get(link.owner)
    return pages.CausesPage(
        company=settings.company.name,
        owner_name=reader.name if reader else link.owner,
        causes=tuple(entries),
        window_days=window.days,
    )


def _standing(
    link: CausesLink, entry: pages.CauseState, state: CauseState, now: datetime, settings: Settings
) -> pages.CauseState:
    """The entry with what its reader may do, and how it stands."""
    owner = settings.contacts.get(owner_of(state, settings))
    return replace(
        entry,
        link=_link(link, state.code, settings, now),
        may_act=may_act(link.owner, state, settings) and not state.merged_into,
        owner_name=owner.name if owner else None,
        state_line=cause_facts.state_line(state, now, settings),
    )


def _link(link: CausesLink, code: str, settings: Settings, now: datetime) -> str | None:
    """As old as the link that led here: so old is the mail that both come from."""
    base = settings.company.public_url
    return links.cause_url(base.rstrip("/"), link.owner, code, link.issued_at or now, now) if base else None
