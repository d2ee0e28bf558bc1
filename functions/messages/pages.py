"""The web pages: each function turns a context and the nonce of the response into a whole HTML document.

Pure: no clock, no network. The pages have no script and load nothing; their one ``<style>`` carries
``nonce``, so they work under ``default-src 'none'; style-src 'nonce-...'; form-action 'self'``. Forms post to
the address they were shown at. ``nonce`` must be fresh for each response.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from messages.compose import Example, FlagFacts
from messages.text import fill

Answer = Literal["yes", "no"]
FlagState = Literal["raised", "acknowledged", "settled"]
FlagResult = Literal["solved", "agreed", "not_possible"]


@dataclass(frozen=True, kw_only=True)
class SurveyPage:
    """The question as a form: radio ``answer`` with ``yes`` and ``no``."""

    company: str
    ticket_id: str
    closed_on: date
    answer_by: date
    customer_name: str | None = None
    subject: str | None = None
    team_name: str | None = None
    resolver_name: str | None = None
    promise: str | None = None
    chosen: Answer | None = None
    """What the button in the mail said; only pre-selects."""
    late: bool = False
    """After ``answer_by``: the answer still counts, and the page says so."""
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnsweredPage:
    """After an answer: what was recorded, what happens next, and room for words.

    Forms: hidden ``answer`` with textarea ``words``; for "yes" with stored words instead checkbox ``consent``
    = ``yes`` with hidden ``answer`` and ``words``, so that consent and the text it is for arrive together.
    """

    company: str
    ticket_id: str
    answer: Answer
    words: str | None = None
    """Stored words."""
    consented: bool = False
    next_by: date | None = None
    """Until when somebody will have looked at a "no"."""
    responsible_name: str | None = None
    team_name: str | None = None
    customer_credit: str | None = None
    """The name that would stand under the quote; part of what the customer agrees to."""
    kept_words: str | None = None
    """Words that could not be stored: they stand in the textarea again."""


@dataclass(frozen=True, kw_only=True)
class FlagPage(FlagFacts):
    """A flag on the worklist.

    Forms: ``action`` = ``acknowledge``; ``action`` = ``settle`` with ``done`` and ``result``.
    """

    state: FlagState
    acknowledged_by_name: str | None = None
    acknowledged_at: datetime | None = None
    settled_by_name: str | None = None
    settled_at: datetime | None = None
    settlement: str | None = None
    """What was done; while the flag is not settled, what stands in the form (after an error)."""
    result: FlagResult | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class CauseState:
    """One cause of an owner, as it stands."""

    code: str
    name: str
    tickets: int
    customers: int
    repeated_since: date | None = None
    acknowledged_at: datetime | None = None
    committed_to: date | None = None
    note: str | None = None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CausesPage:
    """All causes of one owner.

    Form per cause: ``action`` = ``acknowledge``, ``cause``, ``committed_to``, ``note``.
    """

    company: str
    owner_name: str
    causes: tuple[CauseState, ...] = ()
    window_days: int | None = None
    """The period that ``tickets`` and ``customers`` cover."""
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class NoticePage:
    """A short message instead of the page (not found, expired, reopened, try again).

    ``kept`` are the form fields of a request that could not be stored: they stand in a form that sends them
    again, ``words``, ``done`` and ``note`` visibly, all others hidden.
    """

    title: str
    lines: tuple[str, ...]
    company: str | None = None
    kept: tuple[tuple[str, str], ...] = ()


def survey_page(context: SurveyPage, nonce: str) -> str:
    """The page behind the survey's links."""
    return fill("survey_page.html.jinja", context, delinked=False, nonce=nonce)


def answered_page(context: AnsweredPage, nonce: str) -> str:
    """The page after an answer."""
    return fill("answered_page.html.jinja", context, delinked=False, nonce=nonce)


def flag_page(context: FlagPage, nonce: str) -> str:
    """The page of one flag, for the person who works on it."""
    return fill("flag_page.html.jinja", context, delinked=False, nonce=nonce)


def causes_page(context: CausesPage, nonce: str) -> str:
    """The page of a process owner."""
    return fill("causes_page.html.jinja", context, delinked=False, nonce=nonce)


def notice_page(context: NoticePage, nonce: str) -> str:
    """A page that only says something, and with ``kept`` lets the reader try again."""
    return fill("notice_page.html.jinja", context, delinked=False, nonce=nonce)
