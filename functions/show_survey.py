"""GET and HEAD /s/{token}: shows the customer's page; changes nothing, whoever opens it and how often."""

from dataclasses import replace
from typing import Any

from adapters import clock, links, notices, people, tickets, web
from adapters.links import PreferencesLink
from adapters.telemetry import count, logger, metrics
from domain.follow_up import FollowUp, State
from domain.settings import Settings
from messages import facts, pages


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The question with the answer of the mail's button pre-selected; 404 for a bad link, 409 after a reopening."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    found = find(request.parameters.get("token", ""), settings)
    count("SurveyShown")
    if isinstance(found, notices.Notice):
        return found.response(nonce, settings.company.name)
    language, link = choices(found, settings)
    page = facts.survey_page(
        found, request.query.get("a"), settings, clock.now(), language=language, preferences_link=link
    )
    return web.page(200, pages.survey_page(page, nonce), nonce)


def choices(known: FollowUp, settings: Settings) -> tuple[str | None, str | None]:
    """The language that the customer chose, and where they can choose; None while the settings have no address."""
    base, address, now = settings.company.public_url, known.closure.requester_email, clock.now()
    if not address or not base:
        return None, None
    person = people.load(address)
    link = PreferencesLink(person.key, known.closure.locale or "")
    return person.language, links.preferences_url(base.rstrip("/"), link, now, now)


def find(token: str, settings: Settings) -> FollowUp | notices.Notice:
    """The follow-up that a survey link points to, or the page that says why there is none."""
    now = clock.now()
    try:
        link = links.read_survey(token, now, settings.policy.keep_for)
    except links.BadLink:
        return notices.NOT_FOUND
    records = tickets.load(link.source, link.ticket_id)
    follow_up = records.follow_up(link.number)
    if follow_up is None:
        return notices.GONE
    if follow_up.state is State.REOPENED or (not follow_up.answers and records.ticket.superseded(follow_up)):
        return replace(notices.REOPENED, language=follow_up.closure.locale)
    return follow_up
