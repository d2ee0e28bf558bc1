"""GET, HEAD and OPTIONS /hooks/{source}: what some helpdesks ask of an address before they send; changes nothing."""

from datetime import datetime
from typing import Any

from adapters import clock, secret_store, settings_store, web
from adapters.telemetry import count, logger, metrics
from helpdesks.greeting import NOT_HERE, Greeted, greet
from helpdesks.preset import preset_of


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Answers as the preset says; 405 to whoever asks what this helpdesk never asks, 503 for a fault of ours."""
    try:
        greeted = _greet(web.read(event), clock.now())
    except Exception:
        logger.exception("the helpdesk could not be greeted")
        count("GreetingFailed")
        return web.answer(503, {"error": "try again"}, retry_after="5")
    logger.info("greeting", status=greeted.status)
    return web.plain(greeted.status, greeted.body, "text/plain; charset=utf-8", greeted.headers)


def _greet(request: web.Request, now: datetime) -> Greeted:
    source = settings_store.settings(now).sources.get(request.parameters.get("source", ""))
    greeting = preset_of(source.preset, source.fields).greeting if source else None
    if source is None or greeting is None:
        return NOT_HERE
    keys = secret_store.hook_keys(source.secret, now) if greeting.kind == "glpi" else []
    return greet(greeting, request.method, request.headers, request.query, keys)
