"""The web pages: each function turns a context and the nonce of the response into a whole HTML document.

Pure: no clock, no network. The pages have no script and load nothing; their one ``<style>`` carries
``nonce``, so they work under ``default-src 'none'; style-src 'nonce-...'; form-action 'self'``. Forms post to
the address they were shown at. ``nonce`` must be fresh for each response.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from messages.compose import (
    Closed,
    Example,
    FlagFacts,
    FlagReason,
    Thanked,
    ThanksMonth,
    ToCustomer,
    ToldKind,
)
from messages.text import clean, fill

Answer = Literal["yes", "no"]
Credit = Literal["full", "first", "initials", "anonymous"]
Surveys = Literal["all", "fixes", "none"]
NoticeKind = Literal[
    "not_found", "gone", "reopened", "closed_again", "try_again", "unreadable", "no_form", "too_long"
]
FlagState = Literal["promised", "raised", "acknowledged", "settled"]
"""``promised``: nothing is flagged, and a promise to the customer waits to be kept."""
MOST_CAUSES_IN_FULL = 10
FlagResult = Literal["solved", "agreed", "not_possible"]
PromiseEnd = Literal["kept", "broken", "withdrawn"]
What = Literal[
    "raised",
    "acknowledged",
    "escalated",
    "customer_wrote",
    "team_asked",
    "team_wrote",
    "updated",
    "promised",
    "promise_kept",
    "promise_withdrawn",
    "settled",
    "asked_again",
]
Fate = Literal["waits", "sent", "arrived", "came_back", "unknown", "not_wanted", "impossible", "not_sent"]
"""What became of a mail to a customer."""


@dataclass(frozen=True, kw_only=True)
class Asked(Closed):
    """One closing in the form, with what is pre-selected."""

    chosen: Answer | None = None
    kept: Answer | None = None
    words: str | None = None
    """What came with a press that has to be made once more, and comes with that; ``wish`` likewise."""
    wish: str | None = None


@dataclass(frozen=True, kw_only=True)
class SurveyPage(ToCustomer):
    """The question as one form. Fields: ``answer`` = ``yes`` or ``no``, and ``kept`` likewise.

    The fields of a closing with a ``place`` have it behind: ``answer-2``, ``kept-2``.
    """

    asked: tuple[Asked, ...]
    answer_by: date
    customer_name: str | None = None
    asks_kept: bool = False
    """Ask "Did we keep what we promised?" where a promise is known; for whoever stores it."""
    late: bool = False
    """After ``answer_by``: the answer still counts, and the page says so."""
    unanswered: bool = False
    """The form came back without an answer."""
    once_more: bool = False
    """The press could have been a machine's: the same form again, and the reason."""
    seal: str | None = None
    """Comes back as the hidden field ``seal``; with it there is a field ``website`` that people never see."""
    trap_link: str | None = None
    """A query of ours (``?a=...``) behind a link that people never see."""
    preferences_link: str | None = None
    """Whole address of the preferences page without query."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was recorded about one closing, and what follows from it."""

    ticket_id: str
    answer: Answer
    place: int = 0
    """As in ``Closed``."""
    subject: str | None = None
    kept: Answer | None = None
    """Whether we kept what we promised."""
    words: str | None = None
    """Stored words."""
    wish: str | None = None
    """The outcome they would accept, as stored."""
    consented: bool = False
    credited: str | None = None
    """After the consent: the name that stands under the quote; None for nobody's."""
    withdrawn: bool = False
    """There was a consent, and the customer took it back."""
    next_by: date | None = None
    """Until when somebody will have looked at a "no"; a ``datetime`` where the hour is meant too."""
    responsible_name: str | None = None
    team_name: str | None = None
    kept_words: str | None = None
    """Words that could not be stored: they stand in the textarea again."""
    kept_wish: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnsweredPage(ToCustomer):
    """After an answer: what was recorded, what happens next, and room for words.

    Fields, with places like those of ``SurveyPage``: hidden ``answer``; textarea
    ``words``, and ``wish`` after a "no"; for "yes" with stored words hidden ``words`` with ``consent`` = ``yes``, so
    that consent and the text it is for arrive together, and ``credit`` (a ``Credit``); ``withdraw`` = ``yes``.
    """

    recorded: tuple[Recorded, ...]
    customer_name: str | None = None
    asks_wish: bool = False
    """Ask which outcome they would accept; for whoever stores it."""
    asks_credit: bool = False
    """Let them choose how they are named; otherwise the whole name is part of what they agree to."""
    may_withdraw: bool = False
    preferences_link: str | None = None
    """Whole address of the preferences page without query."""


@dataclass(frozen=True, kw_only=True)
class PreferencesPage(ToCustomer):
    """What a customer decides about our mails. Fields: ``language``, ``surveys`` (a ``Surveys``)."""

    surveys: Surveys = "all"
    saved: bool = False
    stopped: bool = False
    """After one press on the mail program's own "unsubscribe": it is done already."""
    unreachable: bool = False
    """A mail to them came back or was reported as unwanted: no choice brings mail to this address again."""


@dataclass(frozen=True, kw_only=True)
class ThanksPage(ThanksMonth):
    """What customers thanked a team for in a month; ``earlier`` and ``later`` are the first days of other months."""

    entries: tuple[Thanked, ...] = ()
    more: int = 0
    """Solutions of the month that are not listed."""
    earlier: date | None = None
    later: date | None = None


@dataclass(frozen=True, kw_only=True)
class Update:
    """A mail that somebody wrote to the customer, exactly as it was written."""

    words: str
    by_name: str
    written_at: datetime
    fate: Fate
    due_at: datetime | None = None
    """While it waits: when it goes out."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One time that the customer was asked again, and what they said."""

    asked_at: datetime
    fate: Fate
    due_at: datetime | None = None
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class Promised:
    """One promise to the customer; without ``end`` it is still to be kept."""

    id: str
    words: str
    by_name: str
    until: date
    end: PromiseEnd | None = None
    ended_at: datetime | None = None
    ended_by_name: str | None = None
    note: str | None = None
    """What was said about its end."""
    fate: Fate | None = None
    """Of the mail that tells the customer that it was kept; None where there is none."""
    due_at: datetime | None = None
    """As in ``Update``."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """Who did what and when; ``reason`` where the flag was raised."""

    what: What
    at: datetime
    by_name: str | None = None
    reason: FlagReason | None = None
    words: str | None = None


@dataclass(frozen=True, kw_only=True)
class VersionPage:
    """Where the supplying team says how it sees a case. Field: ``words``."""

    company: str
    asker_name: str
    team_name: str
    ticket_id: str
    closed_on: date
    subject: str | None = None
    resolver_name: str | None = None
    words: tuple[str, ...] = ()
    """The customer's own, each text by itself, the newest first."""
    wish: str | None = None
    team_words: str | None = None
    """What the team has said, or what stands in the form after an error."""
    seal: str | None = None
    """Comes back with the form as the hidden field ``seal``."""
    confirmed: bool = False
    """The customer says by now that it is solved."""
    settled: bool = False
    saved: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What was in a flag's form that could not be taken: it stands in that form again. Names as in ``FlagPage``."""

    action: str
    promise: str | None = None
    words: str | None = None
    until: str | None = None
    result: str | None = None
    done: str | None = None


@dataclass(frozen=True, kw_only=True)
class FlagPage(FlagFacts):
    """A flag on the worklist.

    Forms: ``action`` = ``acknowledge``; ``settle`` with ``done``, ``result`` and hidden ``replies``; ``ask_team``;
    ``pass_on``; with the id ``form``: ``update`` with ``words``, ``agree`` with ``words`` and ``until``; of one
    ``promise``: ``keep`` with ``words``, ``withdraw`` with ``words``; ``count`` or ``machine`` with ``press``, the
    place of an uncounted press, and to count it ``sure`` = ``yes``.
    """

    state: FlagState
    form: str
    """An id for what is pressed next, so that it is done once however often it comes."""
    today: date
    updates: tuple[Update, ...] = ()
    may_write: bool = True
    """There is an address that takes our mail."""
    customers_language: str = "en"
    typed: Typed | None = None
    newest: str = ""
    """How many mails of the customer's this page knows of."""
    questions: tuple[Question, ...] = ()
    promises: tuple[Promised, ...] = ()
    asks_again: bool = False
    """Settling it as solved asks the customer again, with what was done."""
    may_ask_team: bool = False
    team_asked: bool = False
    seal: str | None = None
    """Comes back with every form as the hidden field ``seal``."""
    team_words: str | None = None
    team_wrote_at: datetime | None = None
    deeds: tuple[Done, ...] = ()
    recovered: tuple[int, int] | None = None
    """Of this cause's closings lately: how many were not confirmed first and are solved by now, of how many."""
    acknowledged_by_name: str | None = None
    acknowledged_at: datetime | None = None
    settled_by_name: str | None = None
    settled_at: datetime | None = None
    settlement: str | None = None
    """What was done; while the flag is not settled, what stands in the form (after an error)."""
    result: FlagResult | None = None
    not_told: str | None = None
    """Why the helpdesk was not told what came out, or perhaps not: ``unknown``, ``refused`` or ``too_late``."""
    agreed_words: str | None = None
    """What the customer agreed that the team reads, and nobody has passed on yet."""
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class CauseState:
    """One cause of an owner, as it stands."""

    code: str
    name: str
    tickets: int
    customers: int
    denied: int = 0
    silent: int = 0
    confirmed: int = 0
    repeated_since: date | None = None
    acknowledged_at: datetime | None = None
    committed_to: date | None = None
    note: str | None = None
    examples: tuple[Example, ...] = ()
    link: str | None = None
    """Whole address of its own page."""
    may_act: bool = True
    """Whether whoever reads it may do something about it; otherwise ``owner_name`` has it."""
    owner_name: str | None = None
    state_line: str | None = None
    """A sentence on what is being done: merged, fixed, judged."""


@dataclass(frozen=True, kw_only=True)
class OtherCause:
    """A cause in the list below; ``link`` is its own page."""

    name: str
    link: str | None
    tickets: int
    customers: int
    denied: int
    silent: int


@dataclass(frozen=True, kw_only=True)
class TypedOfCause:
    """What was in a form about a cause that could not be taken: it stands in that form again. Names as there."""

    action: str
    cause: str | None = None
    committed_to: str | None = None
    note: str | None = None
    wrong: str | None = None
    words: str | None = None
    day: str | None = None
    to: str | None = None
    into: str | None = None
    tickets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CausesPage:
    """All causes of one owner, or of a digest; those that are too many to show in full in ``others``.

    Form per cause: ``form``, ``action`` = ``acknowledge``, ``cause``, ``committed_to``, ``note``.
    """

    company: str
    owner_name: str
    causes: tuple[CauseState, ...] = ()
    window_days: int | None = None
    """The period that the counts cover, up to now; for a digest ``since`` and ``until`` say it."""
    since: date | None = None
    until: date | None = None
    as_of: datetime | None = None
    """When it was counted."""
    others: tuple[OtherCause, ...] = ()
    error: str | None = None
    typed: TypedOfCause | None = None
    form: str = ""
    """Id of the page's forms: the same form twice is one."""
    seal: str | None = None
    """Comes back with every form as the hidden field ``seal``."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something to choose from a list."""

    value: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Number:
    """So many people, and what they have in common."""

    name: str
    people: int


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What a customer wrote with their answer."""

    gone: bool
    words: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A mail exactly as it would go out, in one language."""

    language: str
    people: int
    subject: str
    mail_text: str


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One thing that customers are told, and whom it reached."""

    number: int
    kind: ToldKind
    stage: Literal["draft", "telling", "told", "done", "cancelled"]
    words: str
    wrong: str | None = None
    day: date | None = None
    by_name: str | None = None
    confirmed_at: datetime | None = None
    people: int = 0
    """Of a draft: whom it would reach now. Afterwards: whom it was to reach when it was confirmed."""
    told: int = 0
    waiting: int = 0
    unknown: int = 0
    left_out: tuple[Number, ...] = ()
    gone: int = 0
    not_gone: int = 0
    spoken: tuple[Spoken, ...] = ()
    verdict: str | None = None
    """What a fix was found to be, or whether the promise was kept, as a sentence."""
    judged_on: date | None = None
    """When a fix will be judged."""
    previews: tuple[Preview, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeedLine:
    """One line of what was done: when, by whom and what."""

    at: datetime
    deed: str
    words: str | None = None


@dataclass(frozen=True, kw_only=True)
class CausePage:
    """One cause, what became of it and what can be done.

    Every form has ``form`` (an id) and ``action``: ``acknowledge`` with ``committed_to`` and ``note``; ``declare`` with
    ``wrong``, ``words``, ``day``; ``known`` or ``update`` with ``words``, ``day``; ``confirm`` with ``number``,
    ``people``; ``cancel`` with ``number``; ``reassign`` with ``to``; ``merge`` with ``into``; ``separate`` with
    ``part``; ``move`` with ``into`` and the chosen ``ticket-1`` ...
    """

    company: str
    reader_name: str
    owner_name: str
    may_act: bool
    form: str
    code: str
    name: str
    tickets: int
    customers: int
    window_days: int
    seal: str | None = None
    """Comes back with every form as the hidden field ``seal``."""
    repeated_since: date | None = None
    acknowledged_at: datetime | None = None
    committed_to: date | None = None
    overdue: bool = False
    note: str | None = None
    merged_into: str | None = None
    """Name of the cause that it is part of."""
    parts: tuple[Choice, ...] = ()
    """Causes that are part of it."""
    examples: tuple[Example, ...] = ()
    tellings: tuple[Telling, ...] = ()
    may_declare: bool = False
    may_tell: bool = False
    """Customers may be told that we know."""
    may_update: bool = False
    """They were told, and may be told how it stands."""
    today: date | None = None
    contacts: tuple[Choice, ...] = ()
    causes: tuple[Choice, ...] = ()
    movable: tuple[Choice, ...] = ()
    """Tickets that can be moved to another cause."""
    deeds: tuple[DeedLine, ...] = ()
    older: str | None = None
    """A query of ours that shows older deeds."""
    error: str | None = None
    typed: TypedOfCause | None = None


@dataclass(frozen=True, kw_only=True)
class GonePage(ToCustomer):
    """Is it gone for you? Fields: ``answer`` = ``yes`` or ``no``, ``words``, and ``website`` that people never see."""

    closure: Closed
    wrong: str
    words: str
    day: date | None = None
    chosen: Answer | None = None
    kept_words: str | None = None
    """What they wrote, as stored."""
    answered: bool = False
    unanswered: bool = False
    once_more: bool = False
    """As in ``SurveyPage``; also the next two."""
    seal: str | None = None
    trap_link: str | None = None
    customer_name: str | None = None
    preferences_link: str | None = None


@dataclass(frozen=True, kw_only=True)
class NoticePage:
    """A short message instead of the page; the words are the template's.

    ``kept`` are the form fields of a request that could not be stored: they stand in a form that sends them
    again, ``words``, ``wish``, ``done`` and ``note`` visibly, all others hidden.
    """

    kind: NoticeKind
    company: str | None = None
    language: str | None = None
    """The customer's, where it is known; a page that was not found says it in English too."""
    default_language: str = "en"
    kept: tuple[tuple[str, str], ...] = ()


def credits(name: str | None) -> tuple[tuple[Credit, str], ...]:
    """The ways to name a customer under a quote, each as it would be shown, apart from ``anonymous``.

    Only what differs is offered: a name of one word has no first name, and initials need a script with capitals.
    """
    words = (name or "").split()
    if not words:
        return ()
    choices: list[tuple[Credit, str]] = [("full", " ".join(words))]
    if len(words) > 1:
        choices.append(("first", words[0]))
        if all(word[0].isalpha() and word[0].upper() != word[0].lower() for word in words):
            choices.append(("initials", " ".join(f"{word[0].upper()}." for word in words)))
    return tuple(choices)


def survey_page(context: SurveyPage, nonce: str) -> str:
    """The page behind the survey's links."""
    return fill("survey_page.html.jinja", context, delinked=False, nonce=nonce)


def answered_page(context: AnsweredPage, nonce: str) -> str:
    """The page after an answer."""
    credits_shown = credits(clean(context.customer_name or "", 120)) if context.asks_credit else ()
    return fill("answered_page.html.jinja", context, delinked=False, nonce=nonce, credits=credits_shown)


def preferences_page(context: PreferencesPage, nonce: str) -> str:
    """The page on which a customer chooses language and mails."""
    # Like fill itself: only a page for customers needs the languages, and Babel with them.
    from messages.language import languages

    return fill("preferences_page.html.jinja", context, delinked=False, nonce=nonce, languages=languages())


def thanks_page(context: ThanksPage, nonce: str) -> str:
    """A team's page of thanks for one month."""
    return fill("thanks_page.html.jinja", context, delinked=False, nonce=nonce)


def flag_page(context: FlagPage, nonce: str) -> str:
    """The page of one flag, for the person who works on it."""
    return fill("flag_page.html.jinja", context, delinked=False, nonce=nonce)


def version_page(context: VersionPage, nonce: str) -> str:
    """The page on which the supplying team says how it sees a case."""
    return fill("version_page.html.jinja", context, delinked=False, nonce=nonce)


def causes_page(context: CausesPage, nonce: str) -> str:
    """The page of a process owner."""
    return fill("causes_page.html.jinja", context, delinked=False, nonce=nonce)


def cause_page(context: CausePage, nonce: str) -> str:
    """The page of one cause, for its owner and whoever is above."""
    return fill("cause_page.html.jinja", context, delinked=False, nonce=nonce)


def gone_page(context: GonePage, nonce: str) -> str:
    """The page on which a customer says whether it is gone."""
    return fill("gone_page.html.jinja", context, delinked=False, nonce=nonce)


def notice_page(context: NoticePage, nonce: str) -> str:
    """A page that only says something, and with ``kept`` lets the reader try again."""
    return fill("notice_page.html.jinja", context, delinked=False, nonce=nonce)
