"""Invoked by a person: takes a webhook in quarantine in again, after the preset or the settings were mended."""

from typing import Any

from adapters import clock, quarantine, settings_store
from adapters.telemetry import count, logger, metrics
from receive_ticket import take_in


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, str], context: object) -> dict[str, Any]:
    """``{"id": ...}`` gives ``{"status": ...}`` as the webhook would; what is still unusable stays where it is."""
    now = clock.now()
    kept = quarantine.load(event["id"])
    settings_store.forget()  # whoever replays has just mended them
    settings = settings_store.settings(now)
    if kept is None or kept.source not in settings.sources:
        # Nothing there, a source that is gone, or a reply by mail, which a person reads where it is stored.
        return {"status": "unknown"}
    # The closure counts as received when it came: a repair that took days does not make it too old.
    outcome = ", ".join(
        take_in(kept.source, kept.headers, kept.raw, kept.received_at, settings, part=kept.part)
    )
    if "quarantined" not in outcome:
        quarantine.mark_replayed(kept, outcome)
    logger.info("replayed", outcome=outcome)
    count("WebhookReplayed")
    return {"status": outcome}
