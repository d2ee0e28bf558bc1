"""POST /c/{token}/{cause}: a process owner acknowledges, commits, declares a fix, tells customers, or puts it right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from adapters import causes, clock, deeds, notices, outbox, owners, table, tellings, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import cause, commitment, hours, ownership, telling
from domain.cause import CauseState
from domain.digest import Owner
from domain.errors import Changed, Refused
from domain.ownership import Deed, What
from domain.settings import Settings
from domain.telling import Kind, Stage, Telling
from messages.text import clean_words
from show_cause import MOVABLE, Found, find, show
from take_next_step import tell_if_repeated

ATTEMPTS = 5
KEPT_FIELDS = (
    "seal",
    "form",
    "action",
    "cause",
    "committed_to",
    "note",
    "wrong",
    "words",
    "day",
    "number",
    "people",
    "to",
    "into",
    "part",
    *(f"ticket-{number}" for number in range(1, MOVABLE + 1)),
)
FARTHEST = timedelta(days=3 * 366)
LONGEST_NOTE = 500
LONGEST_WORDS = 1000

Form = Mapping[str, str]


class Wrong(Exception):  # noqa: N818 - reads as a sentence
    """The form cannot be carried out; the text tells the person why. ``status`` is the HTTP answer."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Done:
    """What is to be stored, and how it stands in the list of deeds; without ``rows`` nothing changes."""

    rows: tuple[table.Row, ...]
    what: What
    details: str | None = None


@dataclass(frozen=True)
class Wish:
    """Who wants what: the contact of the link, the state as it is now, and the form."""

    who: str
    state: CauseState
    form: Form
    form_id: str
    now: datetime
    settings: Settings


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields as in ``pages.CausePage``."""
    code = (event.get("pathParameters") or {}).get("cause", "")
    return notices.posted(event, partial(_act, code), KEPT_FIELDS)


def _act(code: str, token: str, form: notices.Posted, settings: Settings, nonce: str) -> web.Response:
    found = find(token, code, settings)
    try:
        state = carry_out(found, form, settings)
    except Wrong as wrong:
        now_found = Found(found.link, causes.load(code))
        return show(now_found, settings, nonce, wrong.status, str(wrong), kept=form, pressed=True)
    return show(Found(found.link, state), settings, nonce, pressed=True)


def carry_out(found: Found, form: notices.Posted, settings: Settings) -> CauseState:
    """The cause after what the form asks for was done, once, however often it comes; raises Wrong."""
    act = ACTIONS.get(form.get("action", ""))
    if act is None:
        raise Wrong("This page has no such button.")
    code, form_id = found.state.code, deeds.read_form(form.get("form", ""), clock.now())
    for _ in range(ATTEMPTS):
        state, now = causes.load(code), clock.now()
        if not ownership.may_act(found.who, state, settings):
            raise Wrong("This root cause is with somebody else now, so nothing was changed.", 409)
        if deeds.is_done(code, form_id):
            return state
        if notices.is_suspect(form, found.link, found.link.issued_at, settings):
            raise Wrong(notices.ONCE_MORE, 200)
        try:
            done = act(Wish(found.who, state, form, form_id, now, settings))
        except Changed:
            continue
        if not done.rows:
            return state
        deed = Deed(
            cause=code,
            form=form_id,
            at=now,
            what=done.what,
            by=found.who,
            details=done.details,
            keep_until=now + settings.policy.keep_for,
        )
        try:
            table.put_all([*done.rows, deeds.row(deed)])
        except Changed:
            continue
        logger.info("deed", cause=code, what=done.what)
        count("CauseAcknowledged" if done.what in {What.ACKNOWLEDGED, What.COMMITTED} else "CauseDeed")
        return causes.load(code)
    raise Changed("the cause is changing too fast")


# --- acknowledging and committing -------------------------------------------------------------------------------------


def _acknowledge(wish: Wish) -> Done:
    committed_to, today = _day("committed_to", wish), commitment.our_day(wish.now, wish.settings.policy)
    # The date that stands is in the form by itself: whoever adds a note says nothing about it.
    if committed_to and committed_to != wish.state.committed_to and committed_to < today:
        raise Wrong("The date is in the past.")
    if wish.state.merged_into:
        raise Wrong("It is part of another root cause.", 409)
    note = clean_words(wish.form.get("note", ""), LONGEST_NOTE) or None
    after = cause.acknowledge(wish.state, committed_to, note, wish.now, wish.settings.policy)
    if after == wish.state:
        return Done((), What.ACKNOWLEDGED)
    if after.committed_to != wish.state.committed_to and after.committed_to:
        return Done((causes.row(after),), What.COMMITTED, _details(after.committed_to.isoformat(), note))
    return Done((causes.row(after),), What.ACKNOWLEDGED, _details("", note))


def _details(what: str, words: str | None) -> str | None:
    """The first line is what makes the deed one of its kind; words follow."""
    return f"{what}\n{words}" if words else what or None


def _day(field: str, wish: Wish) -> date | None:
    """A day of the form. Nothing is known from before ``keep_for``, and nobody waits for longer than ``FARTHEST``."""
    text = wish.form.get(field, "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Wrong("Please give the date as year, month and day.") from error
    today = commitment.our_day(wish.now, wish.settings.policy)
    if day and not today - wish.settings.policy.keep_for <= day <= today + FARTHEST:
        raise Wrong("The date is too far away. Is its year right?")
    return day


# --- telling customers ------------------------------------------------------------------------------------------------


def _declare(wish: Wish) -> Done:
    day = _day("day", wish)
    wrong, words = _words(wish.form.get("wrong", "")), _words(wish.form.get("words", ""))
    if day is None or not wrong or not words:
        raise Wrong("Please say what was wrong, what was changed, and since when.")
    policy = wish.settings.policy
    try:
        after, made = telling.declare(wish.state, wrong, words, day, wish.who, wish.now, policy)
    except Refused as refused:
        raise Wrong("A fix that is yet to come cannot be declared.") from refused
    return _written(wish, after, made, What.DECLARED)


def _write(kind: Kind, wish: Wish) -> Done:
    day, words = _day("day", wish), _words(wish.form.get("words", ""))
    if day is None or not words:
        raise Wrong("Please write what customers should read, and by when they hear from you.")
    try:
        after, made = telling.write(wish.state, kind, words, day, wish.who, wish.now, wish.settings.policy)
    except Refused as refused:
        raise Wrong(
            "The day must be one to come, and customers are told while the cause keeps coming back."
        ) from refused
    return _written(wish, after, made, What.WROTE)


def _written(wish: Wish, after: CauseState, made: Telling, what: What) -> Done:
    """A new draft; one that waits already has to be confirmed or cancelled first, or two mails would go out for one."""
    if any(known.stage is Stage.DRAFT for known in tellings.newest(wish.state.code)):
        raise Wrong("Something waits to be confirmed already. Please confirm or cancel it first.", 409)
    return Done((causes.row(after), tellings.row(made)), what, _details("", made.words))


def _words(text: str) -> str:
    return clean_words(text, LONGEST_WORDS)


def _draft(wish: Wish) -> Telling:
    number = wish.form.get("number", "")
    known = tellings.load(wish.state.code, int(number)) if number.isdecimal() and len(number) < 5 else None
    if known is None or known.stage is not Stage.DRAFT:
        raise Wrong("It was confirmed or cancelled already; what stands below is what counts.", 409)
    return known


def _confirm(wish: Wish) -> Done:
    """Only what was shown is confirmed: when meanwhile it would reach more or fewer people, they are shown first."""
    draft, state = _draft(wish), wish.state
    if state.merged_into or (draft.kind is not Kind.FIX and state.declared):
        raise Wrong("The root cause was fixed or merged meanwhile, so this cannot go out any more.", 409)
    people = tellings.audience(draft, wish.now, wish.settings).people
    if wish.form.get("people") != str(people):
        raise Wrong("The number of people has changed meanwhile. Please look again and confirm.", 409)
    family = causes.family(state.code, state)
    after = telling.confirm(draft, wish.who, people, wish.now, family)
    fixed = state
    if draft.kind is Kind.FIX:
        fixed = replace(state, fixed_at=draft.fixed_at, declared=draft.number, due_at=None)
    # The state is stored in any case: whoever merges the cause at the same moment is noticed.
    return Done((tellings.row(after), causes.row(fixed)), What.CONFIRMED, f"{draft.kind}, {people} people")


def _cancel(wish: Wish) -> Done:
    return Done((tellings.row(telling.cancel(_draft(wish))),), What.CANCELLED)


# --- putting it right -------------------------------------------------------------------------------------------------


def _reassign(wish: Wish) -> Done:
    to = wish.form.get("to", "")
    try:
        after, told = ownership.reassign(wish.state, to, wish.now, wish.settings)
    except Refused as refused:
        raise Wrong("Please choose somebody else.") from refused
    rows = [causes.row(after), outbox.row(told)]
    known = owners.load(to)
    if known is None or known.due_at is None:
        # Whoever owned nothing so far has no digests yet.
        due_at = hours.next_digest(wish.now, wish.settings.policy_for(to))
        rows.append(owners.row(replace(known or Owner(key=to), due_at=due_at)))
    return Done(tuple(rows), What.REASSIGNED, to)


def _merge(wish: Wish) -> Done:
    into = wish.form.get("into", "")
    try:
        source, target = ownership.merge(wish.state, causes.load(into), causes.above(into), wish.settings)
    except Refused as refused:
        raise Wrong("It cannot be made part of that root cause.") from refused
    took_in = _deed_of(wish, into, What.TOOK_IN, wish.state.code)
    return Done((causes.row(source), causes.row(target), took_in), What.MERGED, into)


def _separate(wish: Wish) -> Done:
    """From the page of the part or from that of the whole."""
    part = wish.form.get("part", "")
    source = wish.state if part == wish.state.code else causes.load(part)
    if source.merged_into is None or (source is not wish.state and source.merged_into != wish.state.code):
        raise Wrong("It is not part of another root cause any more.", 409)
    target = wish.state if source is not wish.state else causes.load(source.merged_into)
    alone, without = ownership.separate(source, target, wish.now, wish.settings.policy)
    other = target.code if source is wish.state else source.code
    there = _deed_of(wish, other, What.SEPARATED, wish.state.code)
    return Done((causes.row(alone), causes.row(without), there), What.SEPARATED, other)


def _move(wish: Wish) -> Done:
    """Each ticket in a transaction of its own, with its deed: whoever is cut off and tries again moves the rest."""
    into = wish.form.get("into", "")
    chosen = [
        wish.form[name] for number in range(1, MOVABLE + 1) if (name := f"ticket-{number}") in wish.form
    ]
    if not chosen:
        raise Wrong("Please choose at least one ticket.")
    family = set(causes.family(wish.state.code, wish.state))
    if into not in wish.settings.causes or into in family or into in causes.above(wish.state.code):
        raise Wrong("Please choose another root cause.")
    for place, ticket in enumerate(chosen):
        _move_ticket(wish, ticket, into, family, place)
    tell_if_repeated(into, wish.now, wish.settings)
    return Done((), What.MOVED)


def _move_ticket(wish: Wish, ticket: str, into: str, family: set[str], place: int) -> None:
    source, _, ticket_id = ticket.partition("|")
    moving = [f for f in tickets.load(source, ticket_id).ticket.follow_ups if f.cause in family]
    rows: list[table.Row] = []
    for follow_up in moving:
        moved = replace(follow_up, cause=into, cause_set_by=wish.who, cause_set_at=wish.now)
        mark, new = cause.mark_of(follow_up), cause.mark_of(moved)
        rows += [tickets.row(moved), *(causes.move_rows(mark, new) if mark and new else [])]
    if not rows:
        return
    deed = f"{wish.form_id}-{place:02d}"
    table.put_all(
        [
            *rows,
            _deed_of(wish, wish.state.code, What.MOVED, f"{ticket_id} to {into}", deed),
            _deed_of(wish, into, What.MOVED, f"{ticket_id} here, from {wish.state.code}", deed),
        ]
    )
    logger.info("deed", cause=wish.state.code, what=What.MOVED)
    count("CauseDeed")


def _deed_of(wish: Wish, code: str, what: What, details: str, form: str | None = None) -> table.Row:
    return deeds.row(
        Deed(
            cause=code,
            form=form or wish.form_id,
            at=wish.now,
            what=what,
            by=wish.who,
            details=details,
            keep_until=wish.now + wish.settings.policy.keep_for,
        )
    )


ACTIONS: Mapping[str, Callable[[Wish], Done]] = {
    "acknowledge": _acknowledge,
    "declare": _declare,
    "known": partial(_write, Kind.KNOWN),
    "update": partial(_write, Kind.UPDATE),
    "confirm": _confirm,
    "cancel": _cancel,
    "reassign": _reassign,
    "merge": _merge,
    "separate": _separate,
    "move": _move,
}
