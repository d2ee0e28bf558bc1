"""POST /f/{token}: what the responsible person does about a flag, from "I will take care of it" to its end."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from adapters import clock, flags, notices, outbox, promises, table, tickets, web
from adapters.closed_days import closed_days
from adapters.telemetry import count, logger, metrics
from domain import flag, hours, message, press, promise, recovery, reply
from domain.errors import Changed, Refused
from domain.flag import Flag, Result, What
from domain.follow_up import FollowUp, release_words
from domain.message import Message
from domain.promise import End, Promise
from domain.settings import Settings
from messages.text import clean_words
from show_flag import Found, find, show

ATTEMPTS = 5
KEPT_FIELDS = (
    "seal",
    "action",
    "done",
    "result",
    "words",
    "form",
    "until",
    "promise",
    "press",
    "sure",
    "newest",
)
OVERTAKEN = "Nothing is left to decide: a later or the same answer stands, or the ticket was reopened."
RESULTS = {"solved": Result.SOLVED, "agreed": Result.AGREED, "not_possible": Result.NOT_POSSIBLE}
MOST_PROMISES = 10
Form = dict[str, str]


class Wrong(Exception):  # noqa: N818 - reads as a sentence
    """The form cannot be taken as it is; ``status`` is the HTTP answer, the text is for whoever pressed."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields: ``action`` and what it needs, as in ``pages.FlagPage``."""
    return notices.posted(event, _act, KEPT_FIELDS)


def _act(token: str, form: notices.Posted, settings: Settings, nonce: str) -> web.Response:
    """Whatever is pressed is decided on what is stored; who comes second finds it done."""
    action = form.get("action", "")
    for _ in range(ATTEMPTS):
        found = find(token, settings)
        if notices.is_suspect(form, found.link, found.sent_at, settings):
            return show(found, settings, nonce, 200, notices.ONCE_MORE, form, pressed=True)
        try:
            rows = list(ACTIONS.get(action, _settle)(found, form, settings))
            if rows:
                table.put_all(rows)
                logger.info("flag changed", action=action)
                count(f"Flag{action.title().replace('_', '')}")
        except Wrong as wrong:
            return show(found, settings, nonce, wrong.status, str(wrong), form, pressed=True)
        except Changed:
            continue
        return show(find(token, settings), settings, nonce, pressed=True)
    raise Changed("the flag is changing too fast")


# --- the flag itself --------------------------------------------------------------------------------------------------


def _acknowledge(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    _require_flag(found)
    try:
        after = flag.acknowledge(found.flag, found.holder, clock.now(), settings)
    except Refused as refused:
        raise Wrong(409, "This was settled already; what stands below was recorded.") from refused
    return [flags.row(after)] if after != found.flag else []


def _settle(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    """Settled as solved, the customer is asked again, told what was done."""
    _require_flag(found)
    done, result = clean_words(form.get("done", "")), RESULTS.get(form.get("result", ""))
    if form.get("action") != "settle" or not done or result is None:
        raise Wrong(400, "Please say what was done, and how it ended.")
    newest = reply.newest(found.follow_up)
    if form.get("newest", newest) != newest:
        raise Wrong(409, "The customer wrote meanwhile. Please read it, and then settle it once more.")
    now = clock.now()
    try:
        after = flag.settle(found.flag, found.holder, result, done, now)
    except Refused as refused:
        raise Wrong(409, "This was settled already; what stands below was recorded.") from refused
    if after == found.flag:
        return []
    if result is Result.SOLVED and found.asks_again(settings):
        return _ask_again(found, after, done, now, settings)
    return [flags.row(after)]


def _ask_again(found: Found, settled: Flag, done: str, at: datetime, settings: Settings) -> list[table.Row]:
    asked, watched, question = recovery.ask_again(
        found.follow_up, settled, found.holder, done, at, clock.now(), settings.policy
    )
    count("AskedAgain")
    return [flags.row(watched), tickets.row(asked), outbox.row(_in_hours(question, asked, settings))]


def _in_hours(told: Message, follow_up: FollowUp, settings: Settings) -> Message:
    """Already now with the instant at which it will go out, so that the page can say so."""
    closed = closed_days(follow_up.closure, settings)
    at = max(clock.now(), told.due_at or told.created_at)
    due_at = message.earliest(told, follow_up.closure, at, settings.policy, closed)
    return replace(told, due_at=due_at)


def _deed(known: Flag, what: What, by: str, words: str | None = None) -> list[table.Row]:
    """The deed in the flag's history; where there is only a promise yet, that tells it itself."""
    return [flags.row(flag.note(known, what, by, clock.now(), words))] if known.version else []


# --- the customer and the team ----------------------------------------------------------------------------------------


def _update(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    """One mail to the customer for one form; the same form again finds its mail."""
    words = _words(form, "Please write what the customer should know.")
    _require_address(found, settings)
    try:
        told = recovery.progress(
            found.follow_up, found.holder, words, _id(form), found.messages.values(), clock.now()
        )
    except Refused as refused:
        raise Wrong(409, "Much was written about this already; please call.") from refused
    if told is None:
        return []
    noted = _deed(found.flag, What.UPDATED, found.holder, words)
    return [outbox.row(_in_hours(told, found.follow_up, settings)), *noted]


def _ask_team(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    _require_flag(found)
    team = flag.team_to_ask(found.follow_up, settings)
    if team is None or found.flag.settled_at:
        raise Wrong(409, "There is no team to ask.")
    if flag.team_was_asked(found.flag):
        return []
    asked, told = flag.ask_team(found.flag, team, found.holder, clock.now())
    return [outbox.row(told), flags.row(asked)]


# --- what the customer said -------------------------------------------------------------------------------------------


def _pass_on(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    """The customer's words go to the team after all; whoever read them answers for it."""
    try:
        after = release_words(found.follow_up, found.holder, clock.now())
    except Refused as refused:
        raise Wrong(409, "The customer does not agree to it any more.") from refused
    if after is found.follow_up:
        return []
    count("WordsPassedOn")
    return [tickets.row(after)]


def _decide(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    """Whose a suspect press was; to count it as the customer's, the form says that the person knows it."""
    counts = form["action"] == "count"
    if form.get("press") not in {str(place) for place in range(len(found.follow_up.suspects))}:
        raise Wrong(400, "Please use the buttons below.")
    if counts and form.get("sure") != "yes":
        raise Wrong(400, "Please tick that you know it was the customer.")
    try:
        after = press.decide(
            found.follow_up,
            found.records.ticket,
            int(form["press"]),
            counts=counts,
            by=found.holder,
            now=clock.now(),
            policy=settings.policy,
        )
    except press.Decided as decided:
        raise Wrong(409, "Somebody was faster and counted it; that is not taken back.") from decided
    except press.Overtaken as overtaken:
        raise Wrong(409, OVERTAKEN) from overtaken
    if after is found.follow_up:
        return []
    count("PressCounted" if counts else "PressDismissed")
    return [tickets.row(after)]


# --- promises ---------------------------------------------------------------------------------------------------------


def _agree(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    """What was agreed with the customer becomes a promise; one for one form."""
    words, id = _words(form, "Please write what was agreed."), _id(form)
    if any(known.name == id for known in found.promises):
        return []
    if sum(known.end is None for known in found.promises) >= MOST_PROMISES:
        raise Wrong(409, "Please keep what was promised before you promise more.")
    try:
        day = date.fromisoformat(form.get("until", ""))
        until = promise.end_of(day, found.follow_up.closure, settings)
        made = promise.make(found.follow_up, id, words, found.holder, until, clock.now())
    except promise.Forgotten as forgotten:
        raise Wrong(400, _too_late(found.follow_up, settings)) from forgotten
    except (ValueError, OverflowError, Refused) as wrong:
        raise Wrong(400, "Please choose a day from today on, within a year.") from wrong
    return [promises.row(made), *_deed(found.flag, What.PROMISED, found.holder, words)]


def _too_late(follow_up: FollowUp, settings: Settings) -> str:
    kept = follow_up.keep_until or clock.now()
    day = hours.local(kept, settings.policy.time_zone).date()
    return (
        f"We delete this case on {day.day} {day:%B %Y}, so a promise about it has to end "
        f"{promise.KEPT_AFTER.days} days before that. Please note a later one in the helpdesk."
    )


def _keep(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    """The customer is told; and where the flag was settled until then, asked again a little later."""
    known, words = _promise(found, form), clean_words(form.get("words", "")) or None
    kept = _end(known, End.KEPT, found.holder, words)
    if kept == known:
        return []
    rows = [promises.row(kept)]
    if message.customers_address(found.follow_up.closure, settings):
        told = promise.kept_message(kept, clock.now())
        rows.append(outbox.row(_in_hours(told, found.follow_up, settings)))
    noted = flag.note(found.flag, What.PROMISE_KEPT, found.holder, clock.now(), words or known.words)
    return [*rows, *_after_promise(found, kept, noted, settings)]


def _after_promise(found: Found, ended: Promise, noted: Flag, settings: Settings) -> list[table.Row]:
    """When none is open any more and one was kept, what was agreed on is done: the customer is asked again.

    Not about what they were asked about already.
    """
    others = [one for one in found.promises if one.name != ended.name]
    asked = found.follow_up.asked_again
    kept = [
        one
        for one in (*others, ended)
        if one.end is End.KEPT and one.ended_at and (not asked or one.ended_at > asked[-1].at)
    ]
    is_done = bool(kept) and all(one.end for one in others)
    if found.flag.result is Result.AGREED and is_done and found.asks_again(settings):
        at = clock.now() + settings.policy.first_ask_after
        return _ask_again(found, noted, kept[-1].end_words or kept[-1].words, at, settings)
    return [flags.row(noted)] if found.flag.version else []


def _withdraw(found: Found, form: Form, settings: Settings) -> Iterable[table.Row]:
    known, words = _promise(found, form), _words(form, "Please say why the promise is withdrawn.")
    withdrawn = _end(known, End.WITHDRAWN, found.holder, words)
    if withdrawn == known:
        return []
    noted = flag.note(found.flag, What.PROMISE_WITHDRAWN, found.holder, clock.now(), words)
    return [promises.row(withdrawn), *_after_promise(found, withdrawn, noted, settings)]


def _promise(found: Found, form: Form) -> Promise:
    known = next((one for one in found.promises if one.name == form.get("promise")), None)
    if known is None:
        raise Wrong(400, "Please say which promise.")
    return known


def _end(known: Promise, how: End, by: str, words: str | None) -> Promise:
    try:
        return promise.end(known, how, by, words, clock.now())
    except Refused as refused:
        raise Wrong(409, "This promise has ended already; what stands below was recorded.") from refused


# --- what a form brings -----------------------------------------------------------------------------------------------


def _words(form: Form, missing: str) -> str:
    words = clean_words(form.get("words", ""))
    if not words:
        raise Wrong(400, missing)
    return words


def _id(form: Form) -> str:
    if not recovery.is_form(form.get("form", "")):
        raise Wrong(400, "Please send the form from the page.")
    return form["form"]


def _require_flag(found: Found) -> None:
    """Before anything is flagged a promise has its page; a flag made there would be a false one on a worklist."""
    if not found.flag.version:
        raise Wrong(409, "Nothing is flagged about this, so there is nothing to settle.")


def _require_address(found: Found, settings: Settings) -> None:
    if message.customers_address(found.follow_up.closure, settings) is None:
        raise Wrong(409, "There is no address of a customer to write to.")


ACTIONS: dict[str, Callable[[Found, Form, Settings], Iterable[table.Row]]] = {
    "acknowledge": _acknowledge,
    "settle": _settle,
    "update": _update,
    "ask_team": _ask_team,
    "agree": _agree,
    "keep": _keep,
    "withdraw": _withdraw,
    "pass_on": _pass_on,
    "count": _decide,
    "machine": _decide,
}
