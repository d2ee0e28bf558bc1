"""POST /g/{token}: a customer says whether the cause of their problem is gone; the last answer counts."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, notices, outbox, table, tellings, web
from adapters.telemetry import count, logger, metrics
from domain import message, press, telling
from domain.errors import Changed
from domain.settings import Settings
from domain.telling import Said, Telling
from messages.text import clean_words
from show_fix import Found, find, show

ATTEMPTS = 5
KEPT_FIELDS = ("seal", "answer", "words")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields as in ``pages.GonePage``."""
    return notices.posted(event, _answer, KEPT_FIELDS)


def _answer(token: str, form: notices.Posted, settings: Settings, nonce: str) -> web.Response:
    for _ in range(ATTEMPTS):
        found = find(token, settings)
        answer = form.get("answer")
        words = clean_words(form.get("words", "")) or None
        if answer not in {"yes", "no"}:
            return show(found, settings, nonce, 400, unanswered=True, words=words)
        if _is_suspect(found, answer == "yes", form, settings):
            return show(found, settings, nonce, chosen=answer, once_more=True, words=words)
        now, ref = clock.now(), found.follow_up.ref
        said = Said(
            scope=found.told.scope,
            person=found.person.key,
            gone=answer == "yes",
            at=now,
            source=ref.source,
            ticket_id=ref.ticket_id,
            number=ref.number,
            words=words,
            keep_until=now + settings.policy.keep_for,
        )
        after = telling.say(found.said, said)
        if after is not found.said:
            try:
                table.put_all([tellings.said_row(after), *_heard(found.told, after, now, settings)])
            except Changed:
                continue
            logger.info("fix answered", gone=after.gone)
            count("FixGone" if after.gone else "FixNotGone")
        return show(replace(found, said=after), settings, nonce, answered=True)
    raise Changed("the answer is changing too fast")


def _heard(told: Telling, said: Said, now: datetime, settings: Settings) -> list[table.Row]:
    """What follows at once: news of the first "not gone" for the owner; a fix that was judged is judged again."""
    if telling.is_first_no(told, said):
        others, state = tellings.newest(told.cause), causes.load(told.cause)
        heard, mail = telling.hear_early(told, others, state, now, settings)
        mails = message.with_chat(mail, settings) if mail else []
    else:
        heard, mails = telling.hear_late(told, said, now), []
    changed = [tellings.row(heard)] if heard is not told else []
    return [*changed, *map(outbox.row, mails)]


def _is_suspect(found: Found, gone: bool, form: notices.Posted, settings: Settings) -> bool:
    """What only adds words to the answer that stands is no new answer and not judged."""
    said = found.said
    if said and said.gone == gone:
        return False
    contradicts = said is not None and press.is_moment(said.at, clock.now(), settings.policy)
    return notices.is_suspect(form, found.link, found.sent_at, settings, contradicts=contradicts)
