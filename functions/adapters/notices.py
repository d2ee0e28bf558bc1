"""The pages that only say something (a bad link, a reopened ticket, a fault of ours), and when they are shown.

``shown`` and ``posted`` are what all page Lambdas have in common: whatever goes wrong, a person gets a page, and what
they wrote stands in its form.
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
TRY_AGAIN = Notice(503, "try_again")
BAD_FORMS = {400: Notice(400, "unreadable"), 413: Notice(413, "too_long"), 415: Notice(415, "no_form")}


def shown(event: dict[str, Any], show: Callable[[web.Request, Settings, str], web.Response]) -> web.Response:
    """Answer a GET by ``show(request, settings, nonce)``; 503 when that fails."""
    nonce = clock.new_id()
    try:
        return show(web.read(event), settings_store.settings(clock.now()), nonce)
    except Exception:
        logger.exception("the page could not be shown")
        count("PageFailed")
        return TRY_AGAIN.response(nonce)


def posted(
    event: dict[str, Any],
    act: Callable[[str, dict[str, str], Settings, str], web.Response],
    kept_fields: tuple[str, ...],
) -> web.Response:
    """Answer a POST by ``act(token, form, settings, nonce)``; when that fails, the form comes back with its fields."""
    nonce = clock.new_id()
    form: dict[str, str] = {}
    try:
        request = web.read(event)
        form = request.form()
        return act(request.parameters.get("token", ""), form, settings_store.settings(clock.now()), nonce)
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
    form: Mapping[str, str],
    link: links.Pressed,
    sent_at: datetime | None,
    settings: Settings,
    *,
    contradicts: bool = False,
) -> bool:
    """Whether a form looks as if a machine had sent it, by the rules of domain/press.py; then it changes nothing."""
    now, policy = clock.now(), settings.policy
    page = links.read_seal(form.get("seal", ""), link, now, policy.keep_for)
    rules = press.broken_rules(page, bool(form.get(HIDDEN_FIELD)), sent_at, contradicts, now, policy)
    if rules:
        logger.info("suspect press", rules=rules)
        count("PressSuspected")
    return bool(rules)
