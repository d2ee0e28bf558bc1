"""GET and HEAD /s/{token}: shows the customer's page; changes nothing, whoever opens it and how often."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters import clock, links, notices, people, tickets, web
from adapters.links import PreferencesLink
from adapters.notices import CLOSED_AGAIN, GONE, REOPENED, NoPage
from adapters.telemetry import count, logger, metrics
from domain.follow_up import FollowUp, State, Ticket, places
from domain.press import Page
from domain.settings import Settings
from messages import facts, pages

HIDDEN_LINK = "website"
"""The answer behind the link that people never see."""


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The question with the answer of the mail's button pre-selected; 404 for a bad link, 409 after a reopening."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("SurveyShown")
    token = request.parameters.get("token", "")
    found = find(token, settings)
    now = clock.now()
    page = Page(shown_at=now, hidden_link=request.query.get("a") == HIDDEN_LINK)
    seal = links.seal(links.read_survey(token, now, settings.policy.keep_for), page, now)
    language, preferences = choices(found, settings)
    shown = facts.survey_page(
        found, request.query.get("a"), settings, now, language=language, preferences_link=preferences
    )
    shown = replace(shown, seal=seal, trap_link=f"?a={HIDDEN_LINK}")
    return web.page(200, pages.survey_page(shown, nonce), nonce)


def choices(asked: Mapping[int, FollowUp], settings: Settings) -> tuple[str | None, str | None]:
    """The language that the customer chose, and where they can choose; None while the settings have no address."""
    closure = next(iter(asked.values())).closure
    base, address, now = settings.company.public_url, closure.requester_email, clock.now()
    if not address or not base:
        return None, None
    person = people.load(address)
    link = PreferencesLink(person.key, closure.locale or "")
    return person.language, links.preferences_url(base.rstrip("/"), link, now, now)


def find(token: str, settings: Settings) -> dict[int, FollowUp]:
    """The follow-ups that a survey link asks about, by their place: at least one."""
    link = links.read_survey(token, clock.now(), settings.policy.keep_for)
    records = tickets.load(link.source, link.ticket_id)
    main = records.follow_up(link.number)
    if main is None:
        raise NoPage(GONE)
    loaded = {main.ref: (main, records.ticket)}
    for ref in main.together:
        others = tickets.load(ref.source, ref.ticket_id)
        if other := others.follow_up(ref.number):
            loaded[ref] = (other, others.ticket)
    asked = places(known for known, _ in loaded.values())
    still = {place: known for place, known in asked.items() if _may_answer(known, loaded[known.ref][1])}
    if not still:
        raise nothing_to_answer(main, settings)
    return still


def nothing_to_answer(follow_up: FollowUp, settings: Settings) -> NoPage:
    """The page that says why this question has lost its meaning, in the language that its customer chose."""
    ticket = tickets.load(follow_up.closure.source, follow_up.closure.ticket_id).ticket
    notice = CLOSED_AGAIN if ticket.is_closed_after(follow_up) else REOPENED
    language, _ = choices({0: follow_up}, settings)
    return NoPage(replace(notice, language=language or follow_up.closure.locale))


def _may_answer(follow_up: FollowUp, ticket: Ticket) -> bool:
    """Whether its question still has a meaning: what was answered before the ticket was reopened may be changed."""
    if follow_up.state is State.REOPENED:
        return False
    return bool(follow_up.answers) or ticket.superseded(follow_up) is None
