"""POST /f/{token}: the responsible person acknowledges a flag, settles it, or says whose a suspect press was."""

from dataclasses import replace
from typing import Any

from adapters import clock, flags, notices, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import flag, press
from domain.errors import Changed, Refused
from domain.flag import Flag, Result
from domain.follow_up import FollowUp
from domain.settings import Settings
from messages.text import clean_words
from show_flag import Found, find, show

ATTEMPTS = 5
KEPT_FIELDS = ("action", "press", "sure", "done", "result")
RESULTS = {"solved": Result.SOLVED, "agreed": Result.AGREED, "not_possible": Result.NOT_POSSIBLE}
COUNTS = {"count": True, "machine": False}
COUNTED = {
    "acknowledge": "FlagAcknowledged",
    "settle": "FlagSettled",
    "count": "PressCounted",
    "machine": "PressDismissed",
}
"""What may be pressed, and the metric that counts it."""
INCOMPLETE = "Please say what was done, and how it ended."
UNSURE = "Please tick that you know it was the customer."
NO_PRESS = "Please use the buttons below."
REFUSED = {
    press.Decided: "Somebody was faster and counted it; an answer is not taken back.",
    press.Overtaken: "Nothing is left to decide: a later or the same answer stands, or the ticket was reopened.",
    Refused: "This was settled already; what stands below was recorded.",
}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields as in ``pages.FlagPage``."""
    return notices.posted(event, _act, KEPT_FIELDS)


def _act(token: str, form: dict[str, str], settings: Settings, nonce: str) -> web.Response:
    for _ in range(ATTEMPTS):
        found = find(token, settings)
        if isinstance(found, notices.Notice):
            return found.response(nonce, settings.company.name)
        wrong = _wrong(form, found)
        if wrong:
            done = clean_words(form.get("done", ""))
            kept = replace(found, flag=replace(found.flag, done=found.flag.done or done or None))
            return show(kept, settings, nonce, 400, wrong)
        try:
            after = _change(form, found, settings)
        except Refused as refused:
            return show(found, settings, nonce, 409, REFUSED[type(refused)])
        if after in (found.flag, found.follow_up):
            return show(found, settings, nonce)
        try:
            flags.save(after) if isinstance(after, Flag) else tickets.save(after)
        except Changed:
            continue
        logger.info("flag changed", action=form["action"])
        count(COUNTED[form["action"]])
        changed = replace(found, flag=after) if isinstance(after, Flag) else replace(found, follow_up=after)
        return show(changed, settings, nonce)
    raise Changed("the flag is changing too fast")


def _wrong(form: dict[str, str], found: Found) -> str | None:
    """What is missing in a form; None when it can be carried out."""
    action = form.get("action")
    if action in COUNTS:
        places = {str(place) for place in range(len(found.follow_up.suspects))}
        sure = action != "count" or form.get("sure") == "yes"
        return (None if sure else UNSURE) if form.get("press") in places else NO_PRESS
    complete = clean_words(form.get("done", "")) and form.get("result") in RESULTS
    return None if action == "acknowledge" or (action == "settle" and complete) else INCOMPLETE


def _change(form: dict[str, str], found: Found, settings: Settings) -> Flag | FollowUp:
    by, now, action = found.holder, clock.now(), form["action"]
    if action in COUNTS:
        return press.decide(
            found.follow_up,
            found.ticket,
            int(form["press"]),
            counts=COUNTS[action],
            by=by,
            now=now,
            policy=settings.policy,
        )
    if action == "settle":
        return flag.settle(found.flag, by, RESULTS[form["result"]], clean_words(form["done"]), now)
    return flag.acknowledge(found.flag, by, now, settings)
