"""GET and HEAD /s/{token}: shows the customer's page; changes nothing, whoever opens it and how often."""

from typing import Any

from adapters import clock, links, notices, settings_store, tickets, web
from adapters.telemetry import count, logger, metrics
from domain.follow_up import FollowUp, State
from domain.settings import Settings
from messages import facts, pages


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The question with the answer of the mail's button pre-selected; 404 for a bad link, 409 after a reopening."""
    nonce = clock.new_id()
    try:
        request = web.read(event)
        now = clock.now()
        settings = settings_store.settings(now)
        follow_up = find(request.parameters.get("token", ""), settings)
        count("SurveyShown")
        if isinstance(follow_up, notices.Notice):
            return follow_up.response(nonce, settings.company.name)
        return web.page(
            200,
            pages.survey_page(facts.survey_page(follow_up, request.query.get("a"), settings, now), nonce),
            nonce,
        )
    except Exception:
        logger.exception("the survey could not be shown")
        count("PageFailed")
        return notices.TRY_AGAIN.response(nonce)


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
        return notices.REOPENED
    return follow_up
