"""POST /s/{token}: the customer pressed the button; records the answer and says what happens next."""

from dataclasses import replace
from typing import Any

from adapters import clock, notices, tickets, web
from adapters.telemetry import count, logger, metrics
from domain.errors import Changed, Refused
from domain.follow_up import FollowUp, record_answer
from domain.settings import Settings
from messages import facts, pages
from messages.text import clean_words
from show_survey import choices, find

ATTEMPTS = 5
KEPT_FIELDS = ("answer", "words", "consent")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``answer`` (yes or no), ``words``, ``consent`` (yes). What could not be stored stays in the form."""
    return notices.posted(event, _answer, KEPT_FIELDS)


def _answer(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    found = find(token, settings)
    if isinstance(found, notices.Notice):
        return found.response(nonce, settings.company.name)
    language, link = choices(found, settings)
    if form.get("answer") not in {"yes", "no"}:
        asked = facts.survey_page(
            found, None, settings, clock.now(), language=language, preferences_link=link
        )
        return web.page(400, pages.survey_page(replace(asked, unanswered=True), nonce), nonce)
    recorded = _record(token, found, form, settings)
    if isinstance(recorded, notices.Notice):
        return recorded.response(nonce, settings.company.name)
    page = facts.answered_page(recorded, settings, language=language, preferences_link=link)
    return web.page(200, pages.answered_page(page, nonce), nonce)


def _record(
    token: str, found: FollowUp, form: dict[str, str], settings: Settings
) -> FollowUp | notices.Notice:
    """The last press counts; two at the same time are both kept, because each is decided on what is stored."""
    known: FollowUp | notices.Notice = found
    for _ in range(ATTEMPTS):
        if isinstance(known, notices.Notice):
            return known
        try:
            after = record_answer(
                known,
                solved=form["answer"] == "yes",
                words=clean_words(form.get("words", "")) or None,
                consent=form.get("consent") == "yes",
                now=clock.now(),
                policy=settings.policy,
            )
            if after is not known:
                tickets.save(after)
                logger.info("answered", state=after.state)
                count(f"Answered{after.state.title()}")
            return after
        except Refused:
            return replace(notices.REOPENED, language=known.closure.locale)
        except Changed:
            known = find(token, settings)
    raise Changed("the ticket is changing too fast")
