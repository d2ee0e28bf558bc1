"""POST /c/{token}: a process owner acknowledges a cause and may commit to a date."""

from datetime import date
from typing import Any

from adapters import causes, clock, notices, web
from adapters.telemetry import count, logger, metrics
from domain.cause import acknowledge
from domain.errors import Changed
from domain.settings import Settings
from messages.text import clean_words
from show_causes import find, show

ATTEMPTS = 5
KEPT_FIELDS = ("action", "cause", "committed_to", "note")
LONGEST_NOTE = 500


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``action`` = acknowledge, ``cause``, and if wanted ``committed_to`` (a date) and ``note``."""
    return notices.posted(event, _acknowledge, KEPT_FIELDS)


def _acknowledge(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    link = find(token, settings)
    if isinstance(link, notices.Notice):
        return link.response(nonce, settings.company.name)
    code = form.get("cause", "")
    if form.get("action") != "acknowledge" or code not in link.causes:
        return show(link, settings, nonce, 400, "This page has no such cause.")
    try:
        committed_to = date.fromisoformat(form["committed_to"]) if form.get("committed_to") else None
    except ValueError:
        return show(link, settings, nonce, 400, "Please give the date as year, month and day.")
    if committed_to and committed_to < clock.now().date():
        return show(link, settings, nonce, 400, "The date is in the past.")
    for _ in range(ATTEMPTS):
        known = causes.load(code)
        note = clean_words(form.get("note", ""), LONGEST_NOTE) or None
        after = acknowledge(known, committed_to, note, clock.now())
        if after == known:
            return show(link, settings, nonce)
        try:
            causes.save(after)
        except Changed:
            continue
        logger.info("cause acknowledged", cause=code, committed=committed_to is not None)
        count("CauseAcknowledged")
        return show(link, settings, nonce)
    raise Changed("the cause is changing too fast")
