"""POST /u/{token}: a customer stops our surveys by one press in their mail program, or chooses on the page."""

from typing import Any

from adapters import clock, notices, people, web
from adapters.telemetry import count, logger, metrics
from domain.errors import Changed
from domain.person import Person, Surveys, prefer
from domain.settings import Settings
from messages import facts, pages
from messages.language import languages
from show_preferences import find

ATTEMPTS = 5
ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The whole body that a mail program posts (RFC 8058 section 3.2)."""
KEPT_FIELDS = (ONE_CLICK[0], "language", "surveys")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``language`` and ``surveys`` (all, fixes or none), or one-click alone; anything else is a 400."""
    return notices.posted(event, _choose, KEPT_FIELDS)


def _choose(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    link = find(token, settings)
    one_click = form == dict([ONE_CLICK])
    surveys, language = form.get("surveys", ""), form.get("language")
    if one_click:
        surveys, language = Surveys.NONE.value, None
    elif surveys not in set(Surveys) or language not in {known.tag for known in languages()}:
        return notices.BAD_FORMS[400].response(nonce, settings.company.name)
    person = _store(link.person, Surveys(surveys), language, settings)
    page = facts.preferences_page(person, link.language, settings, saved=not one_click, stopped=one_click)
    return web.page(200, pages.preferences_page(page, nonce), nonce)


def _store(key: str, surveys: Surveys, language: str | None, settings: Settings) -> Person:
    for _ in range(ATTEMPTS):
        person = people.load_key(key)
        chosen = prefer(person, surveys, language)
        if chosen is person:
            return person
        try:
            people.save(chosen, clock.now() + settings.policy.keep_for)
        except Changed:
            continue
        logger.info("preferences", surveys=surveys)
        count(f"Surveys{surveys.title()}")
        return chosen
    raise Changed("the person's record is changing too fast")
