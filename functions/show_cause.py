"""GET and HEAD /c/{token}/{cause}: shows one root cause to its owner, or to whoever had it; changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, deeds, links, notices, tellings, web
from adapters.links import CausesLink
from adapters.notices import NOT_FOUND, NoPage
from adapters.telemetry import count, logger, metrics
from domain import ownership
from domain.cause import CauseState
from domain.follow_up import FollowUp
from domain.press import Page
from domain.settings import Settings
from domain.telling import Reached, Stage, Telling
from messages import cause_facts, compose, pages
from messages.language import negotiate

MOVABLE = 20
"""So many tickets, the newest, can be chosen on one page."""
OWN_LINK = "the-customers-own-link"
"""Stands in a preview where each customer's mail has a link of its own."""


@dataclass(frozen=True)
class Found:
    """A cause as a link opens it."""

    link: CausesLink
    state: CauseState

    @property
    def who(self) -> str:
        """The contact whose link it is."""
        return self.link.owner

    def may_act(self, settings: Settings) -> bool:
        """Whether the link still acts: the cause may be with somebody else by now."""
        return ownership.may_act(self.who, self.state, settings)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """The cause as it stands now; ``?before=`` shows older deeds. 404 for a bad link or a cause it does not open."""
    return notices.shown(event, _show)


def _show(request: web.Request, settings: Settings, nonce: str) -> web.Response:
    count("CauseShown")
    found = find(request.parameters.get("token", ""), request.parameters.get("cause", ""), settings)
    return show(found, settings, nonce, before=request.query.get("before"))


def find(token: str, code: str, settings: Settings) -> Found:
    """The cause, if the link opens it: it is named in the link, or part of one that is."""
    link = links.read_causes(token, clock.now(), settings.policy.keep_for)
    if code not in link.causes and not set(causes.above(code)) & set(link.causes):
        raise NoPage(NOT_FOUND)
    return Found(link, causes.load(code))


def show(
    found: Found,
    settings: Settings,
    nonce: str,
    status: int = 200,
    error: str | None = None,
    *,
    kept: Mapping[str, str] | None = None,
    before: str | None = None,
    pressed: bool = False,
) -> web.Response:
    """The page of one cause; what could not be taken (``kept``, fields of a form) stands in its form again.

    ``pressed``: it answers a press and no mail leads to it.
    """
    now, window = clock.now(), settings.policy.repeated_within
    code, may_act = found.state.code, found.may_act(settings)
    figures, about = causes.figures(code, now - window, now, buckets=1)
    known = tellings.newest(code)
    listed, older = deeds.newest(code, deeds.read_deed(before) if before else None)
    own = {*causes.family(code, found.state), *causes.above(code)}
    page = cause_facts.cause_page(
        found.state,
        figures,
        about,
        settings,
        now,
        reader=found.who,
        may_act=may_act,
        form=deeds.new_form(now),
        tellings=[_card(each, about, settings, now) for each in known if each.stage is not Stage.CANCELLED],
        known=known,
        into=[other for other in settings.causes if other not in own],
        movable=_movable(about),
        deeds=listed,
        older=f"?before={older}" if older else None,
        error=error,
        kept=kept,
    )
    page = replace(page, seal=links.seal(found.link, Page(shown_at=now, once_more=pressed), now))
    return web.page(status, pages.cause_page(page, nonce), nonce)


def _movable(about: list[FollowUp]) -> list[FollowUp]:
    """The newest closure of each ticket."""
    newest = sorted(about, key=lambda f: f.opened_at, reverse=True)
    one_each = {(f.closure.source, f.closure.ticket_id): f for f in reversed(newest)}
    return sorted(one_each.values(), key=lambda f: f.opened_at, reverse=True)[:MOVABLE]


def _card(known: Telling, about: list[FollowUp], settings: Settings, now: datetime) -> pages.Telling:
    if known.stage is not Stage.DRAFT:
        reached = tellings.reached(known)
        return cause_facts.telling_card(
            known, reached, settings, people=known.people, left_out=reached.left_out, previews=()
        )
    audience = tellings.audience(known, now, settings)
    sample = audience.sample or next(iter(_movable(about)), None)
    previews = [
        _preview(known, sample, tag, people, settings) for tag, people in audience.languages if sample
    ]
    return cause_facts.telling_card(
        known, Reached(), settings, people=audience.people, left_out=audience.left_out, previews=previews
    )


def _preview(known: Telling, sample: FollowUp, tag: str, people: int, settings: Settings) -> pages.Preview:
    base = (settings.company.public_url or "").rstrip("/")
    mail = compose.told(
        cause_facts.told(
            known,
            sample,
            settings,
            language=tag,
            link=f"{base}/g/{OWN_LINK}",
            preferences_link=f"{base}/u/{OWN_LINK}",
        )
    )
    return pages.Preview(
        language=negotiate(tag, "en").own_name, people=people, subject=mail.subject, mail_text=mail.text
    )
