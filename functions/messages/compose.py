"""The mails: one function per kind turns a context into subject, text and HTML.

Pure: no clock, no network. All free text may be hostile (``text.fill`` makes it safe); subject lines consist
of our own words and the ticket id, so that nobody can send a text of theirs to a third person through us.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from domain.errors import Unwritable
from messages.text import clean, fill

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Written = TypeVar("Written")
Topic = Literal["version_asked", "version_given", "promise_due"]
FlagReason = Literal[
    "denied",
    "silent",
    "undeliverable",
    "unknown",
    "conflict",
    "no_details",
    "unwritable",
    "reply",
    "unverified_reply",
    "still_denied",
    "still_silent",
    "promise_due",
    "promise_broken",
    "unhappy",
]
Standing = Literal["open", "counted", "machine", "overtaken"]
"""What became of a press that looked like a machine's: ``open`` until a person decides."""

MOST_LINES = 8
"""Causes that a digest shows one by one: with them it stays below the 100 KB at which Gmail cuts a mail off."""
MOST_THANKS = 3


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail for the provider: ``text`` and ``html`` mean the same, ``subject`` is one short line."""

    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values of what this kind of mail has beside the usual ones."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """A message for a chat: its lines the most important first, because some chats take a thousand characters.

    Nothing in them steers a chat; ``link`` is a whole address of ours, or None.
    """

    title: str
    lines: tuple[str, ...]
    link: str | None
    label: str
    """What the link is called where links have names."""


@dataclass(frozen=True, kw_only=True)
class ToCustomer:
    """What every mail and page for a customer has: who writes, and in which language."""

    company: str
    language: str = "en"
    """A tag as the helpdesk gave it, such as ``de-AT`` or ``pt_BR``."""
    default_language: str = "en"
    """For whoever speaks none of ours."""


@dataclass(frozen=True, kw_only=True)
class Since:
    """What happened since the customer was asked before: who worked on it, and what they say about it."""

    name: str
    words: str
    said_no_on: date | None = None
    """None: the customer had not answered."""


@dataclass(frozen=True, kw_only=True)
class Closed:
    """One closing as its customer knows it. Days are those of the customer's zone."""

    ticket_id: str
    closed_on: date
    subject: str | None = None
    solution: str | None = None
    """What was done, in the words of the ticket."""
    resolver_name: str | None = None
    team_name: str | None = None
    promise: str | None = None
    promised_by: str | None = None
    """Who promised it."""
    promised_until: date | None = None
    """A ``datetime`` where the hour was promised too."""
    promise_missed: bool = False
    """It was closed after that."""
    again: bool = False
    """It had been closed before."""
    since: Since | None = None
    """The customer is asked again."""
    place: int = 0
    """Its number on the page and in the names of its fields, counted from 1; 0 for "as it comes"."""


@dataclass(frozen=True, kw_only=True)
class Survey(ToCustomer):
    """The question to the customer about one or several closings; ``reminder``: repeated, once."""

    closures: tuple[Closed, ...]
    link: str
    """Whole address of the survey page without query. The buttons add ``?a=yes`` and ``?a=no``; a closing with a
    ``place`` has it in front: ``?a=2no``."""
    answer_by: date
    customer_name: str | None = None
    reminder: bool = False
    preferences_link: str | None = None
    """Whole address of the preferences page without query; "stop asking me" adds ``?surveys=none``."""
    may_reply: bool = False
    """Replies to this mail reach us; a clear one counts like a press."""
    reply_is_only_read: bool = False
    """It counts as no answer, because nobody can tell which of several closings it is about."""


@dataclass(frozen=True, kw_only=True)
class Progress(ToCustomer):
    """How it stands with what the customer told us, in the words of the person who looks after it."""

    closure: Closed
    words: str
    name: str
    """Who writes."""
    link: str
    """Whole address of the survey page without query."""
    customer_name: str | None = None
    said_no: bool = False
    """The customer answered "no"; otherwise nothing at all, or something to read."""
    preferences_link: str | None = None
    may_reply: bool = False
    """A reply to this mail is read, and a clear one counts like a press."""
    reply_is_only_read: bool = False
    """As in ``Survey``."""


@dataclass(frozen=True, kw_only=True)
class Again(ToCustomer):
    """The question whether it is solved now; ``closure.since`` says what was done."""

    closure: Closed
    link: str
    """Like that of ``Survey``."""
    answer_by: date
    customer_name: str | None = None
    preferences_link: str | None = None
    may_reply: bool = False
    reply_is_only_read: bool = False
    """As in ``Survey``."""


@dataclass(frozen=True, kw_only=True)
class PromiseKept(ToCustomer):
    """To the customer: what we promised is done."""

    closure: Closed
    promise_words: str
    """What was promised, in the words of whoever agreed it with the customer."""
    promised_by: date
    name: str
    """Who kept it."""
    link: str
    """Whole address of the survey page without query."""
    words: str | None = None
    """What that person says about it."""
    customer_name: str | None = None
    preferences_link: str | None = None
    may_reply: bool = False
    reply_is_only_read: bool = False
    """As in ``Survey``."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Between colleagues who work on one customer's case; ``link`` opens the page that it is about."""

    company: str
    topic: Topic
    to_name: str
    ticket_id: str
    link: str
    name: str | None = None
    """Who asks, or which team answered."""
    subject: str | None = None
    customer_name: str | None = None
    words: tuple[str, ...] = ()
    """What the customer, the team or the promise says, each text by itself."""
    wish: str | None = None
    until: date | None = None
    """The last day of a promise."""
    deleted_on: date | None = None
    """When the case is deleted, where that is before the end of the promise."""


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier closure; ``outcome`` is a word of the domain (``confirmed`` ...) or already a phrase."""

    closed_on: date
    ticket_id: str
    subject: str | None
    outcome: str


@dataclass(frozen=True, kw_only=True)
class Uncounted:
    """A press that looked like a machine's; ``rules`` are words of the domain (``at_once`` ...)."""

    solved: bool
    at: datetime
    rules: tuple[str, ...]
    place: int
    """Its number in the forms of the flag's page."""
    standing: Standing
    countable: bool = False
    """Nothing has overtaken it, so a person may count it; also what was called a machine's."""
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class FlagFacts:
    """What the responsible person has to know about a flag, in the mail and on the page."""

    company: str
    to_name: str
    reason: FlagReason
    ticket_id: str
    acknowledge_by: datetime
    """With the time zone in which it is to be shown."""
    escalated_from: str | None = None
    """Name of the person who had it before."""
    tried_twice: bool = False
    """It comes from them because they have settled it twice, and the customer says it is still not solved."""
    customer_name: str | None = None
    customer_email: str | None = None
    ticket_url: str | None = None
    """Becomes a link when it is a plain http(s) address, and is left out otherwise."""
    subject: str | None = None
    closed_on: date | None = None
    resolver_name: str | None = None
    team_name: str | None = None
    cause_name: str | None = None
    solution: str | None = None
    promise: str | None = None
    promised_by: str | None = None
    promised_until: date | None = None
    promise_missed: bool = False
    """As in ``Closed``."""
    promise_kept: bool | None = None
    """What the customer says of it."""
    words: tuple[str, ...] = ()
    """The customer's own, each text by itself, the newest first."""
    wish: str | None = None
    """The outcome that the customer would accept."""
    uncounted: tuple[Uncounted, ...] = ()
    asked_with: tuple[str, ...] = ()
    """Other tickets that the customer was asked about in the same mail."""
    obstacle: str | None = None
    """Why the helpdesk did not tell whom to ask, when we asked it ourselves."""
    asked_on: date | None = None
    asked_perhaps: bool = False
    """Nobody knows whether the question went out on that day."""
    reminded_on: date | None = None
    history: tuple[Earlier, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FlagRaised(FlagFacts):
    """A flag for the person who is to work on it; ``link`` opens its page."""

    link: str
    wrote: Literal["customer", "somebody"] | None = None
    """Who wrote while the flag was open, when that is what the mail is for."""
    taken: bool = False
    """Somebody acknowledged the flag, or nobody is waited for any more."""


@dataclass(frozen=True, kw_only=True)
class HelpdeskNote:
    """To the helpdesk, as a private note on the ticket; ``mark`` is by what it is found again."""

    company: str
    outcome: Literal["confirmed", "denied", "silent"]
    mark: str
    words: tuple[str, ...] = ()
    wish: str | None = None
    promise_kept: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Helped:
    """Somebody, or a whole team, with a part in a solution beside its resolver."""

    name: str | None = None
    team_name: str | None = None
    part: str | None = None
    """What they did, in the helpdesk's words."""


@dataclass(frozen=True, kw_only=True)
class Thanked:
    """One solution that its customer confirmed, and whose work it was."""

    ticket_id: str
    confirmed_on: date
    subject: str | None = None
    resolver_name: str | None = None
    resolver_team_name: str | None = None
    """The resolver's team, where that is another one than the reader's."""
    helped: tuple[Helped, ...] = ()
    quote: str | None = None
    """The customer's words, exactly as they agreed to."""
    customer_credit: str | None = None
    """How the customer agreed to be named under the quote."""


@dataclass(frozen=True, kw_only=True)
class SuccessNote(Thanked):
    """To a supplying team: the customer confirmed. With ``quote`` it is the appreciation note."""

    company: str
    team_name: str | None = None
    to_name: str | None = None
    """Who gets it when the settings know no such team; they are asked to pass it on."""
    link: str | None = None
    """Whole address of the team's page of thanks."""


@dataclass(frozen=True, kw_only=True)
class GatheredNotes:
    """To a team that wants its notes in one mail; the newest first, those with words before the others."""

    company: str
    team_name: str
    since: date
    until: date
    customers: int
    solutions: tuple[Thanked, ...]
    link: str
    more: int = 0
    """Solutions that are only on the page."""


@dataclass(frozen=True, kw_only=True)
class ThanksMonth:
    """A team's month: what customers confirmed, and in whose work they found it; ``month`` is its first day."""

    company: str
    team_name: str
    month: date
    customers: int
    solutions: int
    people: tuple[tuple[str, int], ...] = ()
    """Names with how many of the solutions they had a part in."""
    quotes: tuple[Thanked, ...] = ()
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Example:
    """One ticket of a root cause; ``words`` are the customer's, ``outcome`` as in ``Earlier``."""

    ticket_id: str
    subject: str | None
    words: str | None
    outcome: str


@dataclass(frozen=True, kw_only=True)
class CauseRepeated:
    """To the process owner: a cause came back often enough to matter; ``link`` opens the causes page."""

    company: str
    to_name: str
    cause_name: str
    tickets: int
    customers: int
    window_days: int
    link: str
    usual: str | None = None
    """How many tickets would have been usual in that time, such as "3 to 4"; None when there is no comparison."""
    examples: tuple[Example, ...] = ()
    escalated_from: str | None = None


NewsKind = Literal[
    "reassigned",
    "reminder",
    "overdue",
    "draft",
    "promise_near",
    "promise_broken",
    "holds",
    "opens_again",
    "too_little",
    "said_early",
    "said_late",
]
ToldKind = Literal["fix", "known", "update", "again"]


@dataclass(frozen=True, kw_only=True)
class CauseNews:
    """To a process owner or their manager: what became of a cause; with ``days`` also what a fix was judged by."""

    company: str
    to_name: str
    cause_name: str
    why: NewsKind
    link: str
    owner_name: str
    """The owner; in "it is yours now" who had it before."""
    day: date | None = None
    before: int = 0
    since: int = 0
    days: str | None = None
    """How long each of the two times is that were compared, such as ``30`` or ``1.5``."""
    chance: str | None = None
    """In how many of 100 cases chance alone would bring so few."""
    gone: int = 0
    not_gone: int = 0
    words: tuple[str, ...] = ()
    """What customers wrote who still have it."""


@dataclass(frozen=True, kw_only=True)
class Told(ToCustomer):
    """What a customer is told of the cause of their ticket; only a fix has a question, and needs ``link`` for it."""

    kind: ToldKind
    closure: Closed
    words: str = ""
    """What was changed, or is being done, in the owner's words."""
    wrong: str | None = None
    day: date | None = None
    """Of a fix: since when it is there; otherwise by when they hear from us."""
    others: tuple[Closed, ...] = ()
    """Their other tickets with the same cause."""
    link: str | None = None
    """Whole address of the question without query; the buttons add ``?a=yes`` and ``?a=no``."""
    customer_name: str | None = None
    preferences_link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A fix that customers were told of."""

    on: date
    result: str | None = None
    """A ``Result`` of the domain; None while it is not judged yet."""


@dataclass(frozen=True, kw_only=True)
class CauseLine:
    """One cause in a digest: the period's counts, and how it went before."""

    name: str
    tickets: int
    customers: int
    denied: int
    silent: int
    confirmed: int
    tickets_before: int
    """Tickets in the period before this one."""
    not_asked: int = 0
    recovered: int = 0
    """Of the confirmed, those who had said "not solved" before."""
    unsolved: int = 0
    """Tickets whose customer still says "not solved", of whatever period."""
    change: str = "same"
    """A ``Change`` of the domain."""
    quiet_before: int = 0
    """Periods without a ticket before this one."""
    share: int = 0
    """Percent of the harm of all the owner's causes."""
    share_so_far: int = 0
    """The same with all lines above."""
    trend: tuple[int, ...] = ()
    """Tickets per bucket, oldest first."""
    bucket_label: str = "week"
    """What one bucket covers, as in "tickets per week"."""
    words: tuple[str, ...] = ()
    """What customers said who were not helped, each their own words; nobody's name."""
    repeated: bool = False
    acknowledged_by: str | None = None
    committed_to: date | None = None
    date_passed: bool = False
    fixes: tuple[Fixed, ...] = ()
    """Earlier fixes, the newest first."""
    tickets_below: int = 0
    """Of a cause with causes under it: all together."""
    customers_below: int = 0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What the owner has not done about a cause yet."""

    name: str
    need: str
    """A ``Need`` of the domain."""
    since: date | None = None
    """The date that has passed; otherwise when it began to keep coming back."""
    escalated: bool = False


@dataclass(frozen=True, kw_only=True)
class Better:
    """A cause with fewer tickets than in the period before."""

    name: str
    change: str
    """``gone`` or ``down``."""
    tickets: int
    tickets_before: int


@dataclass(frozen=True, kw_only=True)
class Thanks:
    """Somebody whose work customers confirmed; the quote as its customer agreed to, and how to be named."""

    name: str
    solved: int
    quote: str | None = None
    customer_credit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Total:
    """The sums over several causes."""

    causes: int = 0
    tickets: int = 0
    tickets_before: int = 0
    confirmed: int = 0
    denied: int = 0
    silent: int = 0
    recovered: int = 0
    unsolved: int = 0


@dataclass(frozen=True, kw_only=True)
class Digest:
    """A process owner's causes in one period; ``lines`` the most harmful first, the others summed up in ``rest``."""

    company: str
    to_name: str
    since: date
    until: date
    """The last day of the period."""
    as_of: datetime
    """When this was counted, in the owner's zone."""
    unit: str = "week"
    """What people call the period: a week, a day, or just a period."""
    total: Total = Total()
    needs: tuple[Waiting, ...] = ()
    better: tuple[Better, ...] = ()
    lines: tuple[CauseLine, ...] = ()
    rest: Total = Total()
    rest_share: int = 0
    thanks: tuple[Thanks, ...] = ()
    link: str | None = None


def written(write: Callable[[], Written]) -> Written:
    """What ``write`` gives; Unwritable for whatever it raises. Nothing but records and templates may be behind it: then
    each fault is one of ours about this mail, and the same at every try.
    """
    try:
        return write()
    except Exception as error:
        raise Unwritable from error


def survey(context: Survey) -> Mail:
    """The survey, or its reminder."""
    return _may_stop(_mail("survey", context), context.preferences_link)


def progress(context: Progress) -> Mail:
    """How it stands, to a customer whose flag somebody works on."""
    return _may_stop(_mail("progress", context), context.preferences_link)


def asked_again(context: Again) -> Mail:
    """The question to a customer whether it is solved now."""
    return _may_stop(_mail("asked_again", context), context.preferences_link)


def promise_kept(context: PromiseKept) -> Mail:
    """To a customer: what was promised is done."""
    return _may_stop(_mail("promise_kept", context), context.preferences_link)


def colleague(context: Colleague) -> Mail:
    """From one colleague to another about a customer's case, or our clock's reminder of a promise."""
    return _mail("colleague", context)


def flag_raised(context: FlagRaised) -> Mail:
    """The handover of a flag to the person who is to work on it."""
    return _mail("flag_raised", context)


def helpdesk_note(context: HelpdeskNote) -> str:
    """What a helpdesk is told of an outcome, as plain text; the mark is its last line."""
    text = fill("helpdesk_note.txt.jinja", context, delinked=True)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", text)).strip()


def success_note(context: SuccessNote) -> Mail:
    """The success note; with a quote the appreciation note, which has a different subject."""
    return _mail("success_note", context)


def gathered_notes(context: GatheredNotes) -> Mail:
    """A team's notes of a day or a week in one mail."""
    return _mail("gathered_notes", context)


def thanks_month(context: ThanksMonth) -> Mail:
    """A team's look back on a month."""
    return _mail("thanks_month", context)


def cause_repeated(context: CauseRepeated) -> Mail:
    """The immediate notice that a root cause is repeated, or its escalation."""
    return _mail("cause_repeated", context)


def cause_news(context: CauseNews) -> Mail:
    """What became of a cause, to its owner or the owner's manager."""
    return _mail("cause_news", context)


def told(context: Told) -> Mail:
    """What a customer is told of the cause of their ticket."""
    return _may_stop(_mail("told", context), context.preferences_link)


def digest(context: Digest) -> Mail:
    """The regular report to a process owner; without lines it says so in two sentences."""
    return _mail("digest", context)


def cause_repeated_note(context: CauseRepeated) -> Note:
    """The same notice for a chat."""
    return _note("cause_repeated", context, context.link, "Open and acknowledge")


def cause_news_note(context: CauseNews) -> Note:
    """What became of a fix, for a chat."""
    return _note("cause_news", context, context.link, "Open the cause")


def digest_note(context: Digest) -> Note:
    """The digest in short, for a chat."""
    return _note("digest", context, context.link, "Open your root causes")


def _note(kind: str, context: "DataclassInstance", link: str | None, label: str) -> Note:
    first, *rest = fill(f"{kind}_chat.txt.jinja", context, delinked=True, chat=True).split("\n")
    lines = tuple(line.strip() for line in rest if line.strip())
    return Note(title=first.strip(), lines=lines, link=link, label=label)


def _may_stop(mail: Mail, preferences_link: str | None) -> Mail:
    """Mail programs show "unsubscribe" beside a customer's mail and do it in one press (RFC 8058)."""
    if preferences_link is None:
        return mail
    stop = ("List-Unsubscribe", f"<{preferences_link}>")
    return replace(mail, headers=(stop, ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")))


def _mail(kind: str, context: "DataclassInstance") -> Mail:
    """The first line of the text template is the subject."""
    first, rest = fill(f"{kind}.txt.jinja", context, delinked=True).split("\n", 1)
    subject = clean(first, 150)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", rest)).strip() + "\n"
    return Mail(
        subject=subject, text=text, html=fill(f"{kind}.html.jinja", context, delinked=True, title=subject)
    )
