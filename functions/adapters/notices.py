"""The pages that only say something (a bad link, a reopened ticket, a fault of ours), and when they are shown.

``shown`` and ``posted`` are what all page Lambdas have in common: a link that opens nothing leads to the page that says
so, whatever goes wrong a person gets a page, and what they wrote stands in its form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters import clock, links, settings_store, web
from adapters.telemetry import count, logger
from domain import press
from domain.settings import Settings
from messages import pages


@dataclass(frozen=True)
class Notice:
    """A status with what the page says, in the customer's language where it is known."""

    status: int
    kind: pages.NoticeKind
    language: str | None = None

    def response(
        self, nonce: str, company: str | None = None, kept: tuple[tuple[str, str], ...] = ()
    ) -> web.Response:
        """The page; ``kept`` fields stand in a form that sends them again."""
        if self.status == 404:
            # Many of them are somebody's guesses: an alarm of template.yaml.
            count("LinkRefused")
        page = pages.NoticePage(kind=self.kind, company=company, language=self.language, kept=kept)
        response = web.page(self.status, pages.notice_page(page, nonce), nonce)
        if self.status == 503:
            response["headers"]["retry-after"] = "5"
        return response


NOT_FOUND = Notice(404, "not_found")
GONE = Notice(410, "gone")
REOPENED = Notice(409, "reopened")
CLOSED_AGAIN = Notice(409, "closed_again")
TRY_AGAIN = Notice(503, "try_again")
BAD_FORMS = {400: Notice(400, "unreadable"), 413: Notice(413, "too_long"), 415: Notice(415, "no_form")}


class NoPage(Exception):  # noqa: N818 - reads as a sentence: raise NoPage(GONE)
    """A link does not open what was asked for; ``notice`` is shown instead."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.kind)
        self.notice = notice


def _or_notice(answer: Callable[[], web.Response], settings: Settings, nonce: str) -> web.Response:
    """What ``answer`` gives, or the page that says why there is nothing."""
    try:
        return answer()
    except links.BadLink:
        notice = NOT_FOUND
    except NoPage as none:
        notice = none.notice
    return notice.response(nonce, settings.company.name)


def shown(event: dict[str, Any], show: Callable[[web.Request, Settings, str], web.Response]) -> web.Response:
    """Answer a GET by ``show(request, settings, nonce)``, which may raise BadLink or NoPage; 503 when that fails."""
    nonce = clock.new_id()
    try:
        request, settings = web.read(event), settings_store.settings(clock.now())
        return _or_notice(lambda: show(request, settings, nonce), settings, nonce)
    except Exception:
        logger.exception("the page could not be shown")
        count("PageFailed")
        return TRY_AGAIN.response(nonce)


class Posted(dict[str, str]):
    """A form's fields, and when it came: what looks like a machine's is judged by that, however long we take."""

    def __init__(self, fields: Mapping[str, str], arrived_at: datetime) -> None:
        super().__init__(fields)
        self.arrived_at = arrived_at


def posted(
    event: dict[str, Any],
    act: Callable[[str, Posted, Settings, str], web.Response],
    kept_fields: tuple[str, ...],
) -> web.Response:
    """Answer a POST by ``act(token, form, settings, nonce)``, which may raise BadLink or NoPage.

    When that fails, the form comes back with its fields.
    """
    nonce, arrived_at = clock.new_id(), clock.now()
    form = Posted({}, arrived_at)
    try:
        request = web.read(event)
        form = Posted(request.form(), arrived_at)
        token, settings = request.parameters.get("token", ""), settings_store.settings(clock.now())
        return _or_notice(lambda: act(token, form, settings, nonce), settings, nonce)
    except web.BadForm as bad:
        return BAD_FORMS[bad.status].response(nonce)
    except Exception:
        logger.exception("the form could not be taken in")
        count("FormFailed")
        return TRY_AGAIN.response(
            nonce, kept=tuple((name, form[name]) for name in kept_fields if name in form)
        )


HIDDEN_FIELD = "website"
"""People never see this field: whoever fills it in has not been asked."""
ONCE_MORE = "That came very fast. Machines press buttons, too: please press once more, and it counts."


def is_suspect(
    form: Posted,
    link: links.Pressed,
    sent_at: datetime | None,
    settings: Settings,
    *,
    contradicts: bool = False,
) -> bool:
    """Whether a form looks as if a machine had sent it, by the rules of domain/press.py; then it changes nothing."""
    now, policy = form.arrived_at, settings.policy
    page = links.read_seal(form.get("seal", ""), link, now, policy.keep_for)
    rules = press.broken_rules(page, bool(form.get(HIDDEN_FIELD)), sent_at, contradicts, now, policy)
    if rules:
        logger.info("suspect press", rules=rules)
        count("PressSuspected")
    return bool(rules)
