"""POST /v/{token}: the supplying team says how it sees a customer's case; whoever asked is told."""

from typing import Any

from adapters import clock, flags, notices, outbox, table, web
from adapters.telemetry import count, logger, metrics
from domain import flag
from domain.errors import Changed
from domain.settings import Settings
from messages import facts
from messages.text import clean_words
from show_version import find, show

ATTEMPTS = 5
KEPT_FIELDS = ("seal", "words")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form field: ``words``. The last words count; each change of them is told and kept."""
    return notices.posted(event, _record, KEPT_FIELDS)


def _record(token: str, form: notices.Posted, settings: Settings, nonce: str) -> web.Response:
    words = clean_words(form.get("words", ""))
    for _ in range(ATTEMPTS):
        asked = find(token, settings)
        known, error = asked.flag, None
        if not words:
            error = "Please write how you see it."
        elif known.settled_at:
            error = "This was settled meanwhile; your words came too late to be recorded."
        if error:
            page = facts.version_page(known, asked.follow_up, asked.asker, settings, form=words, error=error)
            return show(page, asked, nonce, 409 if words else 400, pressed=True)
        if notices.is_suspect(form, asked.link, asked.sent_at, settings):
            error = notices.ONCE_MORE
            page = facts.version_page(known, asked.follow_up, asked.asker, settings, form=words, error=error)
            return show(page, asked, nonce, pressed=True)
        wrote = flag.team_writes(known, asked.follow_up.team or "", asked.asker, words, clock.now())
        if wrote:
            known, told = wrote
            try:
                table.put_all([flags.row(known), outbox.row(told)])
            except Changed:
                continue
            logger.info("version recorded")
            count("VersionRecorded")
        page = facts.version_page(known, asked.follow_up, asked.asker, settings, saved=True)
        return show(page, asked, nonce, pressed=True)
    raise Changed("the flag is changing too fast")
