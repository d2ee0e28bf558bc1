"""POST /f/{token}: the responsible person acknowledges a flag, writes to its customer, settles it, or says whose a
suspect press was.
"""

from dataclasses import replace
from typing import Any

from adapters import clock, flags, notices, outbox, table, tickets, web
from adapters.closed_days import closed_days
from adapters.telemetry import count, logger, metrics
from domain import flag, message, press, recovery
from domain.errors import Changed, Refused
from domain.flag import Flag, Result
from domain.follow_up import release_words
from domain.settings import Settings
from messages.text import clean_words
from show_flag import Found, find, show

ATTEMPTS = 5
KEPT_FIELDS = ("action", "done", "result", "words", "form", "press", "sure")
OVERTAKEN = "Nothing is left to decide: a later or the same answer stands, or the ticket was reopened."
RESULTS = {"solved": Result.SOLVED, "agreed": Result.AGREED, "not_possible": Result.NOT_POSSIBLE}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``action`` and what it needs, as in ``pages.FlagPage``."""
    return notices.posted(event, _act, KEPT_FIELDS)


def _act(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    act = ACTIONS.get(form.get("action", ""), _settle)
    for _ in range(ATTEMPTS):
        found = find(token, settings)
        if isinstance(found, notices.Notice):
            return found.response(nonce, settings.company.name)
        try:
            return act(found, form, settings, nonce)
        except Changed:
            continue
    raise Changed("the flag is changing too fast")


def _settle(found: Found, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    done, result = clean_words(form.get("done", "")), RESULTS.get(form.get("result", ""))
    action = form.get("action")
    if action not in {"acknowledge", "settle"} or (action == "settle" and (not done or result is None)):
        kept = replace(found, flag=replace(found.flag, done=found.flag.done or done or None))
        return show(kept, settings, nonce, 400, "Please say what was done, and how it ended.")
    try:
        after = _change(found.flag, action, found.holder, result, done, settings)
    except Refused:
        return show(found, settings, nonce, 409, "This was settled already; what stands below was recorded.")
    if after != found.flag:
        flags.save(after)
        logger.info("flag changed", action=action)
        count("FlagSettled" if action == "settle" else "FlagAcknowledged")
    return show(replace(found, flag=after), settings, nonce)


def _pass_on(found: Found, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    """The customer's words go to the team after all; whoever read them answers for it."""
    try:
        after = release_words(found.follow_up, found.holder, clock.now())
        if after is not found.follow_up:
            tickets.save(after)
            logger.info("words passed on")
            count("WordsPassedOn")
    except Refused:
        return show(found, settings, nonce, 409, "The customer does not agree to it any more.")
    return show(replace(found, follow_up=after), settings, nonce)


def _change(known: Flag, action: str, by: str, result: Result | None, done: str, settings: Settings) -> Flag:
    if action == "settle" and result is not None:
        return flag.settle(known, by, result, done, clock.now())
    return flag.acknowledge(known, by, clock.now(), settings)


def _update(found: Found, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    """One mail to the customer for one form; the same form again finds its mail."""
    words, id = clean_words(form.get("words", "")), form.get("form", "")
    if not words or not recovery.is_form(id):
        return show(found, settings, nonce, 400, "Please write what the customer should know.", words)
    if message.customers_address(found.follow_up.closure, settings) is None:
        return show(found, settings, nonce, 409, "There is no address of a customer to write to.", words)
    try:
        told = recovery.progress(
            found.follow_up, found.holder, words, id, found.messages.values(), clock.now()
        )
    except Refused:
        return show(found, settings, nonce, 409, "Much was written about this already; please call.", words)
    if told is None:
        return show(found, settings, nonce)
    closure = found.follow_up.closure
    closed = closed_days(closure, settings)
    told = replace(told, due_at=message.earliest(told, closure, clock.now(), settings.policy, closed))
    table.put(outbox.row(told))
    logger.info("progress told")
    count("ProgressTold")
    return show(replace(found, messages={**found.messages, told.name: told}), settings, nonce)


def _decide(found: Found, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    """Whose a suspect press was; to count it as the customer's, the form says that the person knows it."""
    counts = form["action"] == "count"
    if form.get("press") not in {str(place) for place in range(len(found.follow_up.suspects))}:
        return show(found, settings, nonce, 400, "Please use the buttons below.")
    if counts and form.get("sure") != "yes":
        return show(found, settings, nonce, 400, "Please tick that you know it was the customer.")
    try:
        after = press.decide(
            found.follow_up,
            found.ticket,
            int(form["press"]),
            counts=counts,
            by=found.holder,
            now=clock.now(),
            policy=settings.policy,
        )
    except press.Decided:
        return show(
            found, settings, nonce, 409, "Somebody was faster and counted it; that is not taken back."
        )
    except press.Overtaken:
        return show(found, settings, nonce, 409, OVERTAKEN)
    if after is not found.follow_up:
        tickets.save(after)
        logger.info("press decided", counted=counts)
        count("PressCounted" if counts else "PressDismissed")
    return show(replace(found, follow_up=after), settings, nonce)


ACTIONS = {"update": _update, "pass_on": _pass_on, "count": _decide, "machine": _decide}
