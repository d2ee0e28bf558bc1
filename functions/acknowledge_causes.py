"""POST /c/{token}: on the page with several causes a process owner acknowledges one and may commit to a date."""

from typing import Any

from act_on_cause import KEPT_FIELDS, Wrong, carry_out
from adapters import causes, notices, web
from adapters.telemetry import logger, metrics
from domain.settings import Settings
from show_cause import Found
from show_causes import find, show


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``form``, ``action`` = acknowledge, ``cause``; if wanted ``committed_to`` (a date) and ``note``."""
    return notices.posted(event, _acknowledge, KEPT_FIELDS)


def _acknowledge(token: str, form: notices.Posted, settings: Settings, nonce: str) -> web.Response:
    link = find(token, settings)
    code = form.get("cause", "")
    if form.get("action") != "acknowledge" or code not in link.causes:
        return show(link, settings, nonce, 400, "This page has no such cause.", pressed=True)
    try:
        carry_out(Found(link, causes.load(code)), form, settings)
    except Wrong as wrong:
        return show(link, settings, nonce, wrong.status, str(wrong), form, pressed=True)
    return show(link, settings, nonce, pressed=True)
