"""GET and HEAD /g/{token}: asks a customer whether the cause of their problem is gone; changes nothing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters import clock, links, notices, outbox, people, tellings, tickets, web
from adapters.links import FixLink, PreferencesLink
from adapters.notices import GONE, NoPage
from adapters.telemetry import count, logger, metrics
from domain.follow_up import FollowUp
from domain.message import closure_of
from domain.person import Person
from domain.press import Page
from domain.settings import Settings
from domain.telling import Said, Telling
from messages import cause_facts, pages

HIDDEN_LINK = "website"
"""The answer behind the link that people never see."""


@dataclass(frozen=True)
class Found:
    """What one customer was told of a fix, the closure that it was told for, and what they said."""

    told: Telling
    follow_up: FollowUp
    person: Person
    said: Said | None
    sent_at: datetime | None = None
    """When the mail with the link went out."""

    @property
    def link(self) -> FixLink:
        """The link that opens it."""
        return FixLink(self.told.cause, self.told.number, self.person.key)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The question with the answer of the mail's button pre-selected; 404 for a bad link, 410 when it is forgotten."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("FixShown")
    found = find(request.parameters.get("token", ""), settings)
    answer = request.query.get("a")
    return show(found, settings, nonce, chosen=answer, hidden_link=answer == HIDDEN_LINK)


def find(token: str, settings: Settings) -> Found:
    """What a link asks about."""
    link = links.read_fix(token, clock.now(), settings.policy.keep_for)
    told = tellings.load(link.cause, link.number)
    mail = outbox.load(told.scope, link.person) if told else None
    if told is None or mail is None:
        raise NoPage(GONE)
    ref = closure_of(mail)
    follow_up = tickets.load(ref.source, ref.ticket_id).follow_up(ref.number)
    if follow_up is None:
        raise NoPage(GONE)
    said = tellings.load_said(told.scope, link.person)
    held = mail.delivery
    sent_at = (held.sent_at or held.claimed_at) if held else None
    return Found(told, follow_up, people.load_key(link.person), said, sent_at)


def show(
    found: Found,
    settings: Settings,
    nonce: str,
    status: int = 200,
    *,
    chosen: str | None = None,
    words: str | None = None,
    answered: bool = False,
    unanswered: bool = False,
    once_more: bool = False,
    hidden_link: bool = False,
) -> web.Response:
    """The customer's page."""
    now, base = clock.now(), settings.company.public_url
    preferences = PreferencesLink(found.person.key, found.follow_up.closure.locale or "")
    page = cause_facts.gone_page(
        found.told,
        found.follow_up,
        settings,
        said=found.said,
        chosen=chosen,
        language=found.person.language,
        preferences_link=links.preferences_url(base.rstrip("/"), preferences, now, now) if base else None,
        answered=answered,
        unanswered=unanswered,
    )
    shown = Page(shown_at=now, hidden_link=hidden_link, once_more=once_more or answered)
    page = replace(
        page,
        once_more=once_more,
        seal=links.seal(found.link, shown, now),
        trap_link=f"?a={HIDDEN_LINK}",
        kept_words=words if words is not None else page.kept_words,
    )
    return web.page(status, pages.gone_page(page, nonce), nonce)
