"""Signed links: who may open which page. A link says what it is for, names no person, and ends.

Signing is itsdangerous with HMAC-SHA256; the purpose is the salt, so a link for one page opens no other. Keys rotate:
the newest signs, all verify. The text of a token is never used as a key or written to a log, because its last
character may be changed without breaking it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

from adapters import secret_store
from domain.errors import Refused
from domain.press import Page
from domain.settings import Settings

LONGEST_TOKEN = 1024
LONGEST_TAG = 35
"""Characters of a language tag that has to be taken as it is (RFC 5646 section 4.4.1)."""


class BadLink(Exception):  # noqa: N818 - reads as a sentence: raise BadLink
    """Forged, cut off, made for another purpose, or past its end; the page does not say which."""


@dataclass(frozen=True)
class TicketLink:
    """Opens the page of one closure: the customer's survey, a flag for its ``holder``, or the team's word for them."""

    source: str
    ticket_id: str
    number: int
    holder: str = ""


@dataclass(frozen=True)
class CausesLink:
    """Opens the page of some root causes for one process owner; with a ``period`` of all of theirs, as in a digest.

    A digest's link names no causes: an owner may have hundreds, and the page knows whose they are.
    """

    owner: str
    causes: tuple[str, ...] = ()
    period: tuple[datetime, datetime] | None = None
    issued_at: datetime | None = field(default=None, compare=False)
    """Of a link that was read: when it was made, which is when its mail was due."""


@dataclass(frozen=True)
class FixLink:
    """Opens the question about one fix for one customer, named by the hash of the address."""

    cause: str
    number: int
    person: str


@dataclass(frozen=True)
class TeamLink:
    """Opens a team's page of thanks."""

    team: str


@dataclass(frozen=True)
class PreferencesLink:
    """Opens the preferences of one person, named by the hash of the address; ``language`` until they choose one."""

    person: str
    language: str


def base_of(settings: Settings) -> str:
    """What all links in mails begin with: from the settings only, never from a request's Host header."""
    if not settings.company.public_url:
        raise Refused("the settings have no public_url")
    return settings.company.public_url.rstrip("/")


def survey_url(base: str, link: TicketLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of a customer's survey page; the same for the survey and its reminder."""
    return f"{base}/s/{_sign('survey', [link.source, link.ticket_id, link.number], issued_at, now)}"


def flag_url(base: str, link: TicketLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of a flag's page."""
    return (
        f"{base}/f/{_sign('flag', [link.source, link.ticket_id, link.number, link.holder], issued_at, now)}"
    )


def version_url(base: str, link: TicketLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of the page on which the team says how it sees a flag that ``holder`` works on."""
    content = [link.source, link.ticket_id, link.number, link.holder]
    return f"{base}/v/{_sign('version', content, issued_at, now)}"


def causes_url(base: str, link: CausesLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of a process owner's page."""
    period = {"period": [int(end.timestamp()) for end in link.period]} if link.period else None
    return f"{base}/c/{_sign('causes', [link.owner, period or list(link.causes)], issued_at, now)}"


def cause_url(base: str, owner: str, code: str, issued_at: datetime, now: datetime) -> str:
    """The whole URL of the page of one cause, for one contact."""
    return f"{causes_url(base, CausesLink(owner, (code,)), issued_at, now)}/{code}"


def fix_url(base: str, link: FixLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of the question whether it is gone."""
    return f"{base}/g/{_sign('fix', [link.cause, link.number, link.person], issued_at, now)}"


def thanks_url(base: str, link: TeamLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of a team's page of thanks, without the month."""
    return f"{base}/t/{_sign('thanks', [link.team], issued_at, now)}"


Pressed = TicketLink | FixLink | CausesLink
"""Whose pages have buttons that a machine might press."""


def seal(link: Pressed, page: Page, now: datetime) -> str:
    """What a page puts into its form: whose page it is and what about, and when and how it was shown."""
    shown = int(page.shown_at.timestamp() * 1000)
    return _sign("seal", [_about(link), shown, page.hidden_link, page.once_more], page.shown_at, now)


def _about(link: Pressed) -> list[object]:
    if isinstance(link, TicketLink):
        return [link.source, link.ticket_id, link.number, link.holder]
    if isinstance(link, FixLink):
        return [link.cause, link.number, link.person]
    return [link.owner]


def read_seal(text: str, link: Pressed, now: datetime, life: timedelta) -> Page | None:
    """The page that a form came from; None when the seal is not ours, of another page, or too old."""
    try:
        about, shown, hidden_link, once_more = _verify("seal", text, now, life, 4)
    except BadLink:
        return None
    if about != _about(link):
        return None
    shown_at = datetime.fromtimestamp(_whole(shown) / 1000, UTC)
    return Page(shown_at=shown_at, hidden_link=hidden_link is True, once_more=once_more is True)


def preferences_url(base: str, link: PreferencesLink, issued_at: datetime, now: datetime) -> str:
    """The whole URL of a customer's preferences, which is also where a mail program sends "unsubscribe"."""
    return f"{base}/u/{_sign('preferences', [link.person, link.language[:LONGEST_TAG]], issued_at, now)}"


def read_survey(token: str, now: datetime, life: timedelta) -> TicketLink:
    """What a survey link points to; raises BadLink."""
    source, ticket_id, number = _verify("survey", token, now, life, 3)
    return TicketLink(str(source), str(ticket_id), _whole(number))


def read_flag(token: str, now: datetime, life: timedelta) -> TicketLink:
    """What a flag's link points to; raises BadLink."""
    source, ticket_id, number, holder = _verify("flag", token, now, life, 4)
    return TicketLink(str(source), str(ticket_id), _whole(number), str(holder))


def read_version(token: str, now: datetime, life: timedelta) -> TicketLink:
    """Which flag's version a team's link asks for; raises BadLink."""
    source, ticket_id, number, holder = _verify("version", token, now, life, 4)
    return TicketLink(str(source), str(ticket_id), _whole(number), str(holder))


def read_causes(token: str, now: datetime, life: timedelta) -> CausesLink:
    """What a process owner's link points to; raises BadLink."""
    (owner, causes), issued_at = _open("causes", token, now, life, 2)
    if isinstance(causes, dict):
        ends = causes.get("period")
        if not isinstance(ends, list) or len(ends) != 2:
            raise BadLink
        since, until = (datetime.fromtimestamp(_whole(end), UTC) for end in ends)
        return CausesLink(str(owner), period=(since, until), issued_at=issued_at)
    if not isinstance(causes, list):
        raise BadLink
    return CausesLink(str(owner), tuple(str(code) for code in causes), issued_at=issued_at)


def read_fix(token: str, now: datetime, life: timedelta) -> FixLink:
    """Which fix a link asks whom about; raises BadLink."""
    cause, number, person = _verify("fix", token, now, life, 3)
    return FixLink(str(cause), _whole(number), str(person))


def read_thanks(token: str, now: datetime, life: timedelta) -> TeamLink:
    """Whose page of thanks a link opens; raises BadLink."""
    (team,) = _verify("thanks", token, now, life, 1)
    return TeamLink(str(team))


def read_preferences(token: str, now: datetime, life: timedelta) -> PreferencesLink:
    """Whose preferences a link opens; raises BadLink."""
    person, language = _verify("preferences", token, now, life, 2)
    return PreferencesLink(str(person), str(language))


def _serializer(purpose: str, now: datetime) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret_store.link_keys(now),
        salt=f"followthrough.{purpose}",
        signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
    )


def _sign(purpose: str, content: list[object], issued_at: datetime, now: datetime) -> str:
    return _serializer(purpose, now).dumps([*content, int(issued_at.timestamp())])


def _verify(purpose: str, token: str, now: datetime, life: timedelta, fields: int) -> list[object]:
    return _open(purpose, token, now, life, fields)[0]


def _open(
    purpose: str, token: str, now: datetime, life: timedelta, fields: int
) -> tuple[list[object], datetime]:
    if len(token) > LONGEST_TOKEN:
        raise BadLink
    try:
        content = _serializer(purpose, now).loads(token)
    except (BadData, ValueError) as error:
        raise BadLink from error
    if not isinstance(content, list) or len(content) != fields + 1:
        raise BadLink
    issued_at = datetime.fromtimestamp(_whole(content[-1]), UTC)
    if now > issued_at + life:
        raise BadLink
    return content[:-1], issued_at


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadLink
    return value
