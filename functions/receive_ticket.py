"""POST /hooks/{source}: a helpdesk reports a closing or a reopening; answered 202 once it is stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters import clock, promises, quarantine, secret_store, settings_store, table, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import promise
from domain.closure import Closure, Reopen
from domain.errors import Changed
from domain.follow_up import State, Ticket, keep_first, open_follow_up, repeat, same_closure
from domain.settings import Settings
from helpdesks import mapping
from helpdesks.verify import Unverified, verify

ATTEMPTS = 5

UNAUTHORIZED = web.answer(401, {"error": "unauthorized"})


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Answers 202, 401, 413, or 503 with Retry-After, which is what every helpdesk retries (Zendesk: never a 500)."""
    try:
        return _receive(web.read(event), clock.now())
    except Exception:
        logger.exception("the webhook could not be taken in")
        count("WebhookFailed")
        return web.answer(503, {"error": "try again"}, retry_after="5")


def _receive(request: web.Request, now: datetime) -> web.Response:
    if len(request.body) > mapping.LARGEST_BODY:
        count("WebhookRejected")
        return web.answer(413, {"error": "too large"})
    name = request.parameters.get("source", "")
    settings = settings_store.settings(now)
    source = settings.sources.get(name)
    if source is None:
        return _unauthorized("unknown_source")
    preset = mapping.preset(source.preset)
    try:
        key = verify(
            preset.verify, request.headers, request.body, secret_store.hook_keys(source.secret, now), now
        )
    except Unverified as unverified:
        if unverified.reason == "no_usable_key":
            # Ours to mend: the sender did nothing wrong and is asked to try again.
            raise
        if unverified.reason == "stale":
            # The signature is right and only the time is not; many of these mean that a clock is wrong, perhaps ours.
            count("WebhookStale")
        return _unauthorized(unverified.reason)
    outcome = take_in(name, request.headers, request.body, now, settings)
    logger.info("webhook", outcome=outcome, source=name, signed_with=key)
    count(f"Webhook{outcome.title()}")
    return web.answer(202, {"status": outcome})


def take_in(name: str, headers: Mapping[str, str], body: bytes, now: datetime, settings: Settings) -> str:
    """Store what a verified webhook says; gives what became of it, such as ``accepted`` or ``duplicate``."""
    preset = mapping.preset(settings.sources[name].preset)
    try:
        report = mapping.read(preset, headers, body, now, settings.policy.oldest_closure, source=name)
    except mapping.Unusable as unusable:
        quarantine.keep(name, str(unusable), body, now)
        logger.warning("webhook in quarantine", source=name, reason=str(unusable))
        return "quarantined"
    if isinstance(report, Closure):
        return close(report, now, settings)
    if isinstance(report, Reopen):
        return _reopen(report, settings)
    return "ignored"


def close(closure: Closure, now: datetime, settings: Settings) -> str:
    """Most closings are their ticket's first: that is tried before anything is read; a refused write tells better."""
    ticket = Ticket()
    for _ in range(ATTEMPTS):
        known = same_closure(ticket, closure)
        after = (
            repeat(known, closure, now, settings) if known else open_follow_up(ticket, closure, now, settings)
        )
        if after == known:
            return "duplicate"
        try:
            if first := keep_first(ticket, after):
                tickets.save(first)
            is_new = known is None or known.state is State.WAITING
            promised = promise.from_ticket(after, now, settings) if is_new else None
            if promised:
                table.put_all([tickets.row(after), promises.row(promised)])
            else:
                tickets.save(after)
        except Changed:
            ticket = tickets.load(closure.source, closure.ticket_id).ticket
            continue
        if after.conflict:
            logger.warning("closure_conflict", source=closure.source, ticket_id=closure.ticket_id)
            return "duplicate"
        return "waiting" if closure.needs_details else "accepted"
    raise Changed("the ticket is changing too fast")


def _reopen(reopen: Reopen, settings: Settings) -> str:
    """A pending ask ends with it: whoever takes the follow-up's next step finds the reopening beside it."""
    return "reopened" if tickets.add_reopen(reopen, settings.policy.keep_for) else "duplicate"


def _unauthorized(reason: str) -> web.Response:
    logger.info("webhook refused", reason=reason)
    count("WebhookRejected")
    return UNAUTHORIZED
