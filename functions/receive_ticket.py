"""POST /hooks/{source}: a helpdesk reports a closing or a reopening; answered once it is stored."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters import captures, clock, promises, quarantine, secret_store, settings_store, table, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import promise
from domain.closure import Closure, Reopen
from domain.errors import Changed
from domain.follow_up import State, Ticket, keep_first, open_follow_up, repeat, same_closure
from domain.settings import Settings
from helpdesks import mapping
from helpdesks.greeting import echo
from helpdesks.preset import Answers, Preset, preset_of
from helpdesks.verify import Target, Unverified, verify

ATTEMPTS = 5

UNAUTHORIZED = web.answer(401, {"error": "unauthorized"})


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Answers 401, 413, or what the preset says: by itself 202, and 503 with Retry-After for a fault of ours.

    A helpdesk that repeats anything repeats that (Zendesk: never a 500).
    """
    try:
        return _receive(web.read(event), clock.now())
    except Exception:
        return _try_again(Answers())


def _receive(request: web.Request, now: datetime) -> web.Response:
    if len(request.body) > mapping.LARGEST_BODY:
        count("WebhookRejected")
        return web.answer(413, {"error": "too large"})
    name = request.parameters.get("source", "")
    settings = settings_store.settings(now)
    source = settings.sources.get(name)
    if source is None:
        return _unauthorized("unknown_source")
    preset = preset_of(source.preset, source.fields)
    if greeted := echo(preset.greeting, request.headers, request.body):
        return web.plain(greeted.status, greeted.body, "text/plain", greeted.headers)
    try:
        return _verified(request, name, preset, now, settings)
    except Exception:
        return _try_again(preset.answers)


def _verified(
    request: web.Request, name: str, preset: Preset, now: datetime, settings: Settings
) -> web.Response:
    source = settings.sources[name]
    # Not from the request's own host and path: a signature over an address is worth what we know of it ourselves.
    query = f"?{request.raw_query}" if request.raw_query else ""
    target = Target(
        method=request.method,
        url=f"{settings.company.public_url}/hooks/{name}{query}",
        query=request.query,
    )
    keys = secret_store.hook_keys(source.secret, now)
    try:
        key = verify(preset.rule(source.verify), request.headers, request.body, keys, now, target)
    except Unverified as unverified:
        if settings_store.is_connecting(name, now):
            captures.keep_refused(name, unverified.reason, now)
        if unverified.reason == "no_usable_key":
            # Ours to mend: the sender did nothing wrong and is asked to try again.
            raise
        if unverified.reason == "stale":
            # The signature is right and only the time is not; many of these mean that a clock is wrong, perhaps ours.
            count("WebhookStale")
        return _unauthorized(unverified.reason)
    outcomes = take_in(name, request.headers, request.body, now, settings)
    for outcome in outcomes:
        logger.info("webhook", outcome=outcome, source=name, signed_with=key)
        count(f"Webhook{outcome.title()}")
    if settings_store.is_connecting(name, now):
        headers = preset.kept_headers(request.headers)
        captures.keep(name, headers, request.body, ", ".join(outcomes), now)
    answers = preset.answers
    body = answers.success_body or json.dumps({"status": ", ".join(dict.fromkeys(outcomes))})
    return web.plain(answers.success, body, answers.content_type, {})


def take_in(
    name: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    settings: Settings,
    *,
    part: bool = False,
) -> list[str]:
    """Store what a verified webhook says; gives what became of each event in it, such as ``accepted`` or ``duplicate``.

    An event that cannot be used goes to quarantine by itself, and the others count; ``part``: it comes from there.
    """
    source = settings.sources[name]
    preset = preset_of(source.preset, source.fields)
    kept = preset.kept_headers(headers)
    several = part or preset.items is not None
    try:
        events = [body] if part else mapping.split(preset, body)
    except mapping.Unusable as unusable:
        return [_set_aside(name, unusable, body, kept, now, part=False)]
    outcomes = []
    for event in events:
        try:
            outcomes.append(_take_one(name, preset, kept, event, now, settings))
        except mapping.Unusable as unusable:
            outcomes.append(_set_aside(name, unusable, event, kept, now, part=several))
    return outcomes


def _take_one(
    name: str,
    preset: Preset,
    headers: Mapping[str, str],
    event: bytes,
    now: datetime,
    settings: Settings,
) -> str:
    source, oldest = settings.sources[name], settings.policy.oldest_closure
    own: dict[str, Any] = {"statuses": source.statuses, "time_zone": source.time_zone}
    report = mapping.read(preset, headers, event, now, oldest, source=name, **own)
    if isinstance(report, Closure):
        return close(report, now, settings)
    if isinstance(report, Reopen):
        return _reopen(report, settings)
    logger.info("webhook ignored", source=name, reason=report.reason)
    return "ignored"


def _set_aside(
    name: str,
    unusable: mapping.Unusable,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    *,
    part: bool,
) -> str:
    quarantine.keep(name, str(unusable), body, now, part=part, headers=headers)
    logger.warning("webhook in quarantine", source=name, reason=str(unusable))
    return "quarantined"


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


def _try_again(answers: Answers) -> web.Response:
    """The answer to a fault of ours; only to be called while it is handled."""
    logger.exception("the webhook could not be taken in")
    count("WebhookFailed")
    body = answers.failure_body or json.dumps({"error": "try again"})
    retry = {"retry-after": str(answers.retry_after)} if answers.retry_after else {}
    return web.plain(answers.failure, body, answers.content_type, retry)


def _unauthorized(reason: str) -> web.Response:
    logger.info("webhook refused", reason=reason)
    count("WebhookRejected")
    return UNAUTHORIZED
