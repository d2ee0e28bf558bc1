"""POST /s/{token}: the customer pressed the button; records the answers and says what happens next."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from adapters import clock, notices, tickets, web
from adapters.telemetry import count, logger, metrics
from domain.errors import Changed, Refused
from domain.follow_up import MOST_TOGETHER, Credit, FollowUp, Press, record_answer
from domain.settings import Settings
from messages import facts, pages
from messages.text import clean_words
from show_survey import find

ATTEMPTS = 5
FIELDS = ("answer", "words", "wish", "kept", "consent", "credit", "withdraw")
KEPT_FIELDS = tuple(
    f"{name}{suffix}" for suffix in ("", *(f"-{n}" for n in range(1, MOST_TOGETHER + 1))) for name in FIELDS
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields as in ``pages.SurveyPage`` and ``pages.AnsweredPage``. What could not be stored stays in the form."""
    return notices.posted(event, _answer, KEPT_FIELDS)


def _answer(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    asked = find(token, settings)
    if isinstance(asked, notices.Notice):
        return asked.response(nonce, settings.company.name)
    said = {place: read for place in asked if (read := _read(form, f"-{place}" if place else ""))}
    if not said and any(form.get(name) in {"yes", "no"} for name in KEPT_FIELDS if name.startswith("answer")):
        first = next(iter(asked.values()))
        return replace(notices.REOPENED, language=first.closure.locale).response(nonce, settings.company.name)
    if not said:
        page = replace(facts.survey_page(asked, None, settings, clock.now()), unanswered=True)
        return web.page(400, pages.survey_page(page, nonce), nonce)
    recorded: dict[int, FollowUp] = {}
    for place, follow_up in asked.items():
        after = _record(token, place, follow_up, said[place], settings) if place in said else follow_up
        if isinstance(after, notices.Notice):
            return after.response(nonce, settings.company.name)
        if after.answer:
            recorded[place] = after
    return web.page(200, pages.answered_page(facts.answered_page(recorded, settings), nonce), nonce)


def _read(form: Mapping[str, str], suffix: str) -> Press | None:
    """What the form says about one closing; None when it does not answer."""
    field = {name: form.get(f"{name}{suffix}", "") for name in FIELDS}
    if field["answer"] not in {"yes", "no"}:
        return None
    return Press(
        solved=field["answer"] == "yes",
        words=clean_words(field["words"]) or None,
        wish=clean_words(field["wish"]) or None,
        kept={"yes": True, "no": False}.get(field["kept"]),
        consent=field["consent"] == "yes",
        credit=cast(Credit, field["credit"]) if field["credit"] in get_args(Credit) else None,
        withdraw=field["withdraw"] == "yes",
    )


def _record(
    token: str, place: int, found: FollowUp, said: Press, settings: Settings
) -> FollowUp | notices.Notice:
    """The last press counts; two at the same time are both kept, because each is decided on what is stored."""
    known = found
    for _ in range(ATTEMPTS):
        try:
            after = record_answer(known, said, clock.now(), settings.policy)
            if after is not known:
                tickets.save(after)
                logger.info("answered", state=after.state)
                count(f"Answered{after.state.title()}")
            return after
        except Refused:
            return replace(notices.REOPENED, language=known.closure.locale)
        except Changed:
            asked = find(token, settings)
            if isinstance(asked, notices.Notice):
                return asked
            if place not in asked:
                return replace(notices.REOPENED, language=known.closure.locale)
            known = asked[place]
    raise Changed("the ticket is changing too fast")
