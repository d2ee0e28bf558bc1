"""POST /f/{token}: the responsible person acknowledges a flag, or settles it with what was done."""

from dataclasses import replace
from typing import Any

from adapters import clock, flags, notices, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import flag
from domain.errors import Changed, Refused
from domain.flag import Flag, Result
from domain.follow_up import release_words
from domain.settings import Settings
from messages.text import clean_words
from show_flag import Found, find, show

ATTEMPTS = 5
KEPT_FIELDS = ("action", "done", "result")
RESULTS = {"solved": Result.SOLVED, "agreed": Result.AGREED, "not_possible": Result.NOT_POSSIBLE}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``action`` (acknowledge, settle or pass_on), ``done`` and ``result`` for settling."""
    return notices.posted(event, _act, KEPT_FIELDS)


def _act(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    done, result = clean_words(form.get("done", "")), RESULTS.get(form.get("result", ""))
    action = form.get("action")
    for _ in range(ATTEMPTS):
        found = find(token, settings)
        if isinstance(found, notices.Notice):
            return found.response(nonce, settings.company.name)
        if action == "pass_on":
            return _pass_on(found, settings, nonce)
        if action not in {"acknowledge", "settle"} or (action == "settle" and (not done or result is None)):
            kept = replace(found, flag=replace(found.flag, done=found.flag.done or done or None))
            return show(kept, settings, nonce, 400, "Please say what was done, and how it ended.")
        try:
            after = _change(found.flag, action, found.holder, result, done, settings)
        except Refused:
            return show(
                found, settings, nonce, 409, "This was settled already; what stands below was recorded."
            )
        if after == found.flag:
            return show(found, settings, nonce)
        try:
            flags.save(after)
        except Changed:
            continue
        logger.info("flag changed", action=action)
        count("FlagSettled" if action == "settle" else "FlagAcknowledged")
        return show(replace(found, flag=after), settings, nonce)
    raise Changed("the flag is changing too fast")


def _pass_on(found: Found, settings: Settings, nonce: str) -> web.Response:
    """The customer's words go to the team after all; whoever read them answers for it."""
    try:
        after = release_words(found.follow_up, found.holder, clock.now())
        if after is not found.follow_up:
            tickets.save(after)
            logger.info("words passed on")
            count("WordsPassedOn")
    except Refused:
        return show(found, settings, nonce, 409, "The customer does not agree to it any more.")
    except Changed:
        return show(found, settings, nonce, 409, "Something has changed meanwhile. Please read it once more.")
    return show(replace(found, follow_up=after), settings, nonce)


def _change(known: Flag, action: str, by: str, result: Result | None, done: str, settings: Settings) -> Flag:
    if action == "settle" and result is not None:
        return flag.settle(known, by, result, done, clock.now())
    return flag.acknowledge(known, by, clock.now(), settings)
