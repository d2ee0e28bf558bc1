"""How a helpdesk is asked and told: which requests to make, and what its answers mean. Pure: nothing is sent here.

What differs between helpdesks is data: one TOML file in ``apis/`` for each, or a table of the same shape from anywhere
else. Its parts, each optional but ``[auth]``:

    [auth]            how our token is presented
    [[fetch]]         requests that together tell everything about one ticket, in order
    [details]         what their answers mean, field by field
    [closed_since]    how to list the tickets that were closed within a span
    [[write_back]]    requests that tell what came out
    needs             names of values that the settings have to give; needs_to_write likewise, to tell what came out

Expressions are JMESPath over what is known: ``ticket_id``, ``base``, ``values`` (the source's settings), and the answer
to each earlier request under its name. ``"{cause_field}"`` in an expression is replaced by that value of the settings
before it is read, between quotes of either kind. Texts of requests have places like ``{ticket_id}``: values of ``with``
or of what is known, quoted as a path, a query or JSON wants it. A request with a place that nothing fills is left out.
"""

import html
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

from domain.closure import TOLD, Closure, Contributor, Kind, end_of
from domain.errors import FollowthroughError
from domain.hours import zone_of
from helpdesks.verify import instant

APIS = Path(__file__).with_name("apis")
MOST_LISTED = 1000
"""Tickets of one page; helpdesks list at most as many."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_API_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACE = re.compile(r"\{([a-z][a-z0-9_]{0,30})\}")
VALUE = re.compile(r"[\w .@+-]{1,100}")
"""What a value of the settings may be: nothing that could end the text that it stands in."""
_NOT_SET = "(not set)"
"""Stands for a value that nobody set, in a text: no helpdesk calls anything like that."""
_USUAL_PORTS = {"http": 80, "https": 443}
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Known = Mapping[str, Any]
"""What is known when a request is made or an answer is read."""


class BadCalls(FollowthroughError):  # noqa: N818 - named after what it is about
    """A description of an API cannot be used; the message names the file and the key."""


class Unexpected(FollowthroughError):  # noqa: N818 - reads as a sentence
    """An answer that the description does not expect; never holds data of the ticket."""


@dataclass(frozen=True)
class Request:
    """One request: ``path`` begins with a slash and is complete; ``body`` is JSON, or a form for a token."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Auth:
    """How our token is presented; ``basic`` takes ``name:password``, ``client_credentials`` ``id:secret``."""

    kind: Literal["basic", "bearer", "header", "client_credentials"]
    header: str = "authorization"
    value: str = "Bearer {token}"
    path: str = ""
    """Where an access token is got (OAuth 2.0, RFC 6749 §4.4)."""
    headers: tuple[tuple[str, str], ...] = ()
    """What every request has besides."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request of a description."""

    name: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    uses: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    """What it tells can be done without: not found, or not for our token, is then no trouble."""

    def request(self, known: Known) -> Request | None:
        """The request; None when it has a place that nothing fills."""
        try:
            places = _Places(self, known)
            path = _PLACE.sub(lambda found: _segment(places[found[1]]), self.path)
            query = {name: _filled(text, places) for name, text in self.query.items()}
            body = None if self.body is None else json.dumps(_filled(self.body, places)).encode()
        except _NothingThere:
            return None
        return Request(self.method, f"{path}?{urlencode(query)}" if query else path, body)


@dataclass(frozen=True, kw_only=True)
class Details:
    """What the answers of ``[[fetch]]`` mean."""

    status: str | None
    reported: str | None
    """The status as webhooks report it, where that is another word: the settings' ``statuses`` are about this one."""
    open: frozenset[str]
    """Statuses (case folded) in which the ticket is not closed; every other one is closed, as its report said."""
    fields: Mapping[str, str]
    contributors: str | None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How the tickets are listed that were closed within a span."""

    step: Step
    items: str
    ticket_id: str
    closed_at: str
    time_format: Literal["iso", "s", "ms"]
    kind: Kind
    exact: bool
    """Whether ``closed_at`` is when it was closed; else it is only not earlier than that (the last change)."""
    newest_first: bool
    most_pages: int
    """It gives so many pages at most, then it is begun anew from what it has ``reached``; 0: it gives all."""
    reached: str | None
    """Up to when a list in another order than that of closing is told with this page (``since``, as ISO 8601)."""
    next_kind: Literal["url", "cursor", "page"]
    next: str


@dataclass(frozen=True, kw_only=True)
class Write:
    """One request of ``[[write_back]]``."""

    step: Step
    outcomes: frozenset[str]
    """For which outcomes it is made; empty: for all."""
    reopens: bool
    """It opens the ticket again: made only where the settings want that."""
    reads: bool
    """It only looks something up that a later one needs."""
    repeatable: bool
    """Made twice it does the same as made once."""
    instead_of: str | None
    """Made only when that one was refused for good."""
    not_after: str | None
    """Not made when that one was: it says the same."""
    seen: str | None
    """Name of the request whose answer shows whether this one was made: our mark stands in it."""
    seen_in: str | None
    seen_most: int
    """A list of so many may go on, and does not show that something is missing; 0: it is whole, or the newest."""


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Our description of one helpdesk's API."""

    name: str
    auth: Auth
    fetch: tuple[Step, ...] = ()
    details: Details | None = None
    closed_since: Listing | None = None
    write_back: tuple[Write, ...] = ()
    needs: tuple[str, ...] = ()
    """Values that the settings have to give, or nothing can be asked."""
    needs_to_write: tuple[str, ...] = ()
    """Values without which nothing can be written back."""


@dataclass(frozen=True)
class Listed:
    """One ticket of a list: closed, and perhaps unknown to us."""

    ticket_id: str
    closed_at: datetime


@dataclass(frozen=True)
class Page:
    """One answer of a list: its tickets, and where to go on (None: the end)."""

    tickets: tuple[Listed, ...]
    unreadable: int
    not_ours: int
    next: str | None
    reached: datetime | None
    """From where a list that ends too early is begun anew."""


# --- asking about one ticket -----------------------------------------------------------------------------------------


def known_of(ticket_id: str, base: str, values: Mapping[str, str]) -> dict[str, Any]:
    """What is known before the first request."""
    return {**values, "ticket_id": ticket_id, "base": base, "values": dict(values)}


def is_open(calls: Calls, known: Known, statuses: Mapping[str, str]) -> bool:
    """Whether the helpdesk says that the ticket is not closed; what the settings say about its ``statuses`` wins."""
    details = calls.details
    if details is None or details.status is None:
        return False
    label = _label(details.status, known)
    meanings = {given.strip().casefold(): meaning for given, meaning in statuses.items()}
    own = (meanings.get(_label(details.reported, known)) if details.reported else None) or meanings.get(label)
    return own == "reopened" or (own in {None, "ignored"} and label in details.open)


def _label(expression: str, known: Known) -> str:
    """A status as it is compared."""
    return (_text(find(expression, known)) or "").strip().casefold()


def complete(calls: Calls, known: Known, hint: Closure) -> Closure:
    """The closure with everything that the answers tell; what they leave out stays as its report had it."""
    details = calls.details
    if details is None:
        raise Unexpected("nothing says what the answers mean")
    told: dict[str, Any] = {
        name: _text(find(expression, known)) for name, expression in details.fields.items()
    }
    if "locale" in told:
        told["locale"] = _locale(told["locale"])
    if "promised_until" in told:
        told["promised_until"] = _promised_until(told["promised_until"], told.get("time_zone"))
    if details.contributors:
        told["contributors"] = tuple(_contributors(find(details.contributors, known)))
    kept = {name: value for name, value in told.items() if value}
    return replace(hint, **kept, needs_details=False)


# --- listing what was closed -----------------------------------------------------------------------------------------


def page_request(
    listing: Listing, since: datetime, until: datetime, place: str | None, known: Known
) -> Request:
    """The request for one page; ``place`` is what the page before gave as ``next``."""
    if place is not None and listing.next_kind == "url":
        # The helpdesk's own address of the next page; only its path is used, so that it leads to nobody else.
        return Request(listing.step.method, place)
    span = {
        "since": _stamp(since),
        "until": _stamp(until),
        "since_s": int(since.timestamp()),
        "until_s": int(until.timestamp()),
        "since_ms": int(since.timestamp() * 1000),
        "until_ms": int(until.timestamp() * 1000),
        # A day wider on both sides, which ends as it begins: some read days on the clocks of whoever asks.
        "since_day": (since - timedelta(days=1)).strftime("%Y-%m-%d"),
        "until_day": (until + timedelta(days=2)).strftime("%Y-%m-%d"),
        "page": int(place) if place is not None and listing.next_kind == "page" else 1,
    }
    step = listing.step
    if listing.next_kind == "cursor" and place is None:
        # The first page has no cursor: whatever would hold it is left out.
        step = replace(step, query=_without(step.query), body=_without(step.body))
    request = step.request({**known, **span, "cursor": place})
    if request is None:
        raise Unexpected("the settings lack a value that the list needs")
    return request


def read_page(
    listing: Listing,
    answer: object,
    since: datetime,
    until: datetime,
    place: str | None,
    base: str,
    known: Known,
    only: str | None = None,
) -> Page:
    """The tickets of one page that were closed within the span, and where to go on. Raises Unexpected.

    ``only`` is a JMESPath over each ``item``: whatever it does not hold for is not ours.
    """
    seen = {**known, "answer": answer}
    entries = find(listing.items, seen)
    if not isinstance(entries, list) or len(entries) > MOST_LISTED:
        raise Unexpected("the list has no entries where they should be")
    found, unreadable, not_ours, oldest = [], 0, 0, until
    reached: datetime | None = None
    for entry in entries:
        listed = _listed(listing, entry, known)
        if listed is None:
            unreadable += 1
            continue
        oldest = min(oldest, listed.closed_at)
        if not since <= listed.closed_at <= until:
            continue
        reached = max(reached or since, listed.closed_at)
        if only and not find(only, {**known, "item": entry}):
            not_ours += 1
        else:
            found.append(listed)
    after = find(listing.next, seen)
    if listing.newest_first and oldest < since:
        after = None
    if listing.reached:
        reached = _moment(find(listing.reached, seen), "iso")
    place = _next_place(listing, after, place, base)
    return Page(tuple(found), unreadable, not_ours, place, reached)


def _listed(listing: Listing, entry: object, known: Known) -> Listed | None:
    seen = {**known, "item": entry}
    ticket_id = _text(find(listing.ticket_id, seen))
    at = _moment(find(listing.closed_at, seen), listing.time_format)
    return Listed(ticket_id, at) if ticket_id and at else None


def _next_place(listing: Listing, after: object, place: str | None, base: str) -> str | None:
    if listing.next_kind == "page":
        # The expression tells whether there is one more.
        return str(1 + (1 if place is None else int(place))) if after else None
    text = _text(after)
    if text is None or text == place:
        return None
    if listing.next_kind == "cursor":
        return text
    try:
        url, own = urlsplit(text), urlsplit(base)
        is_there = (url.scheme, url.netloc) == ("", "") or _origin(url) == _origin(own)
    except ValueError:
        raise Unexpected("the next page has no address") from None
    if not is_there or not url.path.startswith(f"{own.path}/"):
        raise Unexpected("the next page is on another host")
    return url.path.removeprefix(own.path) + (f"?{url.query}" if url.query else "")


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, the same for each way to write one address (RFC 6454)."""
    return url.scheme, url.hostname, url.port or _USUAL_PORTS.get(url.scheme)


def hint_of(listing: Listing, listed: Listed, source: str) -> Closure:
    """A listed ticket as a closure whose details are still to be asked for. ValueError for an id that is no key."""
    return Closure(
        source=source,
        ticket_id=listed.ticket_id,
        closed_at=listed.closed_at,
        kind=listing.kind,
        needs_details=True,
        degraded=not listing.exact,
    )


# --- values ----------------------------------------------------------------------------------------------------------


def find(expression: str, known: Known) -> Any:
    """What a JMESPath finds; None where a path is missing, or a function got something of the wrong type."""
    values = known.get("values", {})

    def value(found: re.Match[str]) -> str:
        text = values.get(found[1], "")
        return text if VALUE.fullmatch(text) else _NOT_SET

    try:
        return _compiled(_PLACE.sub(value, expression)).search(known)
    except JMESPathError:
        return None


@lru_cache(512)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


class _NothingThere(Exception):  # noqa: N818 - caught where requests are made
    """A place that nothing fills."""


class _Places:
    """What stands in the places of a step."""

    def __init__(self, step: Step, known: Known) -> None:
        self._step, self._known = step, known

    def __getitem__(self, name: str) -> Any:
        wanted = self._step.uses.get(name)
        value = find(wanted, self._known) if wanted else self._known.get(name)
        if value is None or value == "" or value is False:
            raise _NothingThere(name)
        return value


def _segment(value: Any) -> str:
    """A value within a path: it names one thing there, and leads nowhere else."""
    text = _text_of(value)
    if text in {".", ".."}:
        raise _NothingThere(text)
    return quote(text, safe="")


def _filled(template: Any, places: _Places) -> Any:
    """A text, table or list with its places filled; a text that is one place alone becomes the value itself."""
    if isinstance(template, Mapping):
        return {_filled(key, places): _filled(value, places) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, places) for value in template]
    if not isinstance(template, str):
        return template
    if alone := _PLACE.fullmatch(template):
        return places[alone[1]]
    return _PLACE.sub(lambda found: _text_of(places[found[1]]), template)


def _without(template: Any, name: str = "cursor") -> Any:
    """The same without whatever holds the place."""
    if isinstance(template, Mapping):
        return {key: _without(value) for key, value in template.items() if value != f"{{{name}}}"}
    return template


def _text_of(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else json.dumps(value)


def _text(value: object) -> str | None:
    """A value of an answer as text; ids may be numbers. Everything else, and an empty text, is no value."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def as_html(text: str) -> str:
    """A text for helpdesks whose notes are HTML."""
    return "<p>" + html.escape(text, quote=False).replace("\n", "<br>") + "</p>"


def _moment(value: object, time_format: str) -> datetime | None:
    if time_format == "iso":
        return instant(value) if isinstance(value, str) else None
    try:
        number = float(cast(Any, value))
        return datetime.fromtimestamp(number / (1000 if time_format == "ms" else 1), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _locale(value: str | None) -> str | None:
    text = (value or "").strip()
    return text.replace("_", "-") if _LOCALE.fullmatch(text) else None


def _promised_until(value: str | None, time_zone: str | None) -> datetime | None:
    text = (value or "").strip()
    if not _DAY.fullmatch(text):
        return instant(text)
    try:
        return end_of(date.fromisoformat(text), zone_of(time_zone))
    except ValueError:
        return None


def _contributors(value: object) -> Iterator[Contributor]:
    for person in value if isinstance(value, list) else []:
        if isinstance(person, str):
            yield Contributor(name=person)
        elif isinstance(person, dict):
            told = {key: _text(person.get(key)) for key in ("name", "email", "team", "part")}
            yield Contributor(**told)


# --- loading a description -------------------------------------------------------------------------------------------


@cache
def calls(name: str) -> Calls:
    """The description of that name, loaded once per process; BadCalls when there is none or it is wrong."""
    if not _API_NAME.fullmatch(name):
        raise BadCalls(f"{name!r} is not the name of an API")
    file = APIS / f"{name}.toml"
    try:
        return load(name, tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BadCalls(f"there is no description {file.name}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise BadCalls(f"{file.name}: {wrong}") from None


def load(name: str, content: Mapping[str, Any]) -> Calls:
    """A description from its tables, wherever they come from. Every key is checked: a misspelt one is an error."""
    whole = _Table(name, "", content)
    loaded = Calls(
        name=name,
        auth=_auth(whole.table("auth")),
        fetch=tuple(_step(table) for table in whole.tables("fetch")),
        details=_details(whole.table("details")) if whole.has("details") else None,
        closed_since=_listing(whole.table("closed_since")) if whole.has("closed_since") else None,
        write_back=tuple(_write(table) for table in whole.tables("write_back")),
        needs=tuple(whole.texts("needs")),
        needs_to_write=tuple(whole.texts("needs_to_write")),
    )
    whole.finish()
    if bool(loaded.fetch) != bool(loaded.details):
        raise whole.wrong("details", "and fetch need each other")
    names = [write.step.name for write in loaded.write_back]
    for write in loaded.write_back:
        for other in (write.instead_of, write.not_after, write.seen):
            if other is not None and other not in names:
                raise whole.wrong("write_back", f"has no request {other!r}")
    return loaded


class _Table:
    """One table of a description: hands out checked values, and what nobody asked for is unknown."""

    def __init__(self, name: str, path: str, content: Mapping[str, Any]) -> None:
        self._name, self._path, self._content = name, path, dict(content)

    def wrong(self, key: str, why: str) -> BadCalls:
        return BadCalls(f"{self._name}: {self._path}{key} {why}")

    def has(self, key: str) -> bool:
        return key in self._content

    def take(self, key: str, kind: type, called: str, default: Any = ...) -> Any:
        if key not in self._content and default is not ...:
            return default
        if key not in self._content:
            raise self.wrong(key, "is missing")
        value = self._content.pop(key)
        if type(value) is not kind:
            raise self.wrong(key, f"is not {called}")
        return value

    def text(self, key: str, default: Any = ...) -> Any:
        return self.take(key, str, "a text", default)

    def flag(self, key: str, *, default: bool = False) -> bool:
        return cast(bool, self.take(key, bool, "true or false", default))

    def choice(self, key: str, allowed: tuple[str, ...], default: Any = ...) -> Any:
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"is not one of {', '.join(allowed)}")
        return value

    def texts(self, key: str) -> list[str]:
        values = self.take(key, list, "a list of texts", [])
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "is not a list of texts")
        return cast(list[str], values)

    def names(self, key: str) -> dict[str, str]:
        values = self.take(key, dict, "a table of texts", {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.wrong(key, "is not a table of texts")
        return cast(dict[str, str], values)

    def table(self, key: str) -> "_Table":
        return _Table(self._name, f"{self._path}{key}.", self.take(key, dict, "a table"))

    def tables(self, key: str) -> list["_Table"]:
        values = self.take(key, list, "a list of tables", [])
        if not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "is not a list of tables")
        return [_Table(self._name, f"{self._path}{key}[{n}].", value) for n, value in enumerate(values)]

    def expression(self, key: str, default: Any = ...) -> Any:
        text = self.text(key, default)
        return text if text is None else self.checked(key, text)

    def checked(self, key: str, text: str) -> str:
        """A JMESPath that can be read, whatever stands in its places: they must stand between quotes."""
        try:
            jmespath.compile(_PLACE.sub(_NOT_SET, text))
        except JMESPathError as wrong:
            raise self.wrong(key, f"is not a JMESPath: {wrong}") from None
        return text

    def finish(self) -> None:
        """Refuse what is left."""
        for key in self._content:
            raise self.wrong(key, "is not a known key")


def _auth(table: _Table) -> Auth:
    kind = table.choice("kind", ("basic", "bearer", "header", "client_credentials"))
    auth = Auth(
        kind=kind,
        header=table.text("header") if kind == "header" else "authorization",
        value=table.text("value", "{token}") if kind == "header" else "Bearer {token}",
        path=_path(table, table.text("path")) if kind == "client_credentials" else "",
        headers=tuple(sorted(table.names("headers").items())),
    )
    table.finish()
    return auth


def _path(table: _Table, path: str) -> str:
    if not path.startswith("/") or path.startswith("//") or re.search(r"[\s?#\\]|/\.\.?(?:/|$)", path):
        raise table.wrong("path", "is not a path that begins with one slash")
    return path


def _step(table: _Table, *, close: bool = True) -> Step:
    name = table.text("name", "list")
    if not _NAME.fullmatch(name):
        raise table.wrong("name", "is not a name of small letters, digits and _")
    body = table.take("body", dict, "a table", None)
    step = Step(
        name=name,
        method=table.choice("method", ("GET", "POST", "PUT", "PATCH"), "GET"),
        path=_path(table, table.text("path")),
        query=table.names("query"),
        body=body,
        uses={key: table.checked(f"with.{key}", text) for key, text in table.names("with").items()},
        optional=table.flag("optional"),
    )
    if close:
        table.finish()
    return step


def _details(table: _Table) -> Details:
    details = Details(
        status=table.expression("status", None),
        reported=table.expression("reported", None),
        open=frozenset(label.casefold() for label in table.texts("open")),
        fields={name: table.expression(name) for name in TOLD if table.has(name)},
        contributors=table.expression("contributors", None),
    )
    table.finish()
    return details


def _listing(table: _Table) -> Listing:
    listing = Listing(
        step=_step(table, close=False),
        items=table.expression("items"),
        ticket_id=table.expression("ticket_id"),
        closed_at=table.expression("closed_at"),
        time_format=table.choice("time_format", ("iso", "s", "ms"), "iso"),
        kind=table.choice("kind", ("solved", "closed"), "closed"),
        exact=table.flag("exact", default=True),
        newest_first=table.flag("newest_first"),
        most_pages=table.take("most_pages", int, "a whole number", 0),
        reached=table.expression("reached", None),
        next_kind=table.choice("next_kind", ("url", "cursor", "page")),
        next=table.expression("next"),
    )
    table.finish()
    return listing


def _write(table: _Table) -> Write:
    write = Write(
        outcomes=frozenset(table.texts("outcomes")),
        reopens=table.flag("reopens"),
        reads=table.flag("reads"),
        repeatable=table.flag("repeatable"),
        instead_of=table.text("instead_of", None),
        not_after=table.text("not_after", None),
        seen=table.text("seen", None),
        seen_in=table.expression("seen_in", None),
        seen_most=table.take("seen_most", int, "a whole number", 0),
        step=_step(table, close=False),
    )
    table.finish()
    return write
