"""From a helpdesk's request to what it means for us: a closure, a reopening, or nothing.

What differs between helpdesks is data: one TOML file in ``presets/`` for each, or a table of the same form in the
settings. It has a ``[verify]`` table (see verify.py), ``[body]``, one or more ``[[shapes]]`` tried in order, and
optionally ``[alternatives.NAME]`` (other ways to verify, which only the settings choose), ``[greeting]`` (see
greeting.py), ``[answers]``, ``[salvage]`` and ``[languages]``. All expressions are JMESPath over ``{"headers":
{lower-case name: value}, "body": parsed body}``; where one request brings several events, ``items`` says where they
are, and to everything else each event is the body. Only those headers are there that ``body.headers`` names, because
they are kept with a body that cannot be used.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

import jmespath
from jmespath.exceptions import JMESPathError

from domain.closure import Closure, Contributor, Kind, Reopen, end_of
from domain.errors import FollowthroughError
from domain.hours import zone_of
from helpdesks.greeting import Greeting
from helpdesks.verify import Rule, SecretRule, SignatureRule, instant

PRESETS = Path(__file__).with_name("presets")
LARGEST_BODY = 256 * 1024
"""Bytes; the hook answers 413 to more before it reads anything."""
CLOCK_DIFFERENCE = timedelta(hours=1)
"""How far in our future a helpdesk's clock may be."""
MOST_EVENTS = 100
"""In one request; HubSpot and Salesforce send no more."""
MOST_FIELDS = 200
LARGEST_PRESET = 20_000
"""Characters of a preset in the settings, as JSON."""
LONGEST_EXPRESSION = 2000
LONGEST_RETRY = 3600
CONTENT_TYPES = ("application/json", "text/plain; charset=utf-8", "text/xml; charset=utf-8")
"""Of an answer: nothing that a browser would run."""
SALVAGED_CHARACTERS = 16_384
"""Zendesk bodies are not longer, and the ids stand at the beginning."""

Meaning = Literal["solved", "closed", "merged", "reopened", "deleted", "ignored"]
"""What a status means. What is deleted is no longer closed: its pending question ends as by a reopening."""
MEANINGS: tuple[Meaning, ...] = ("solved", "closed", "merged", "reopened", "deleted", "ignored")
TimeFormat = Literal["iso", "utc", "s", "ms"]
TIME_FORMATS: tuple[TimeFormat, ...] = ("iso", "utc", "s", "ms")
Format = Literal["json", "form", "xml"]
CLOSING = frozenset({"solved", "closed", "merged"})
FIELDS = (
    "ticket_id",
    "reference",
    "subject",
    "requester_id",
    "requester_email",
    "requester_name",
    "locale",
    "time_zone",
    "resolver_name",
    "resolver_email",
    "team",
    "cause",
    "solution",
    "promise",
    "promised_by",
    "promised_until",
    "organization",
    "url",
)

NO_STATUSES: Mapping[str, str] = {}
NO_FIELDS: Mapping[str, str] = {}
ROOTS: Mapping[str, tuple[type, ...]] = {"object": (dict,), "list": (list,), "any": (dict, list)}
_TIME_NAMES = {"reopened": "reopened_at", "deleted": "deleted_at"}
"""What the time of a report that ends a pending question is called; every other one is a closing's."""

CONTRIBUTORS = "contributors"
"""A field that is a list: of names, or of objects with ``name``, ``email``, ``team`` and ``part``."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UTC = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)")
_EPOCH = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,9})?")
_HEADER = re.compile(r"[a-z0-9-]{1,64}")
_PRESET_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Expression = Callable[[Mapping[str, Any]], Any]
"""A compiled JMESPath: takes the whole request, gives null when a path is missing or of the wrong type."""


class BadPreset(FollowthroughError):  # noqa: N818 - named after what it is about
    """A preset cannot be used; the message names the file and the key, ``key`` and ``why`` are its parts."""

    def __init__(self, file: str, key: str, why: str) -> None:
        super().__init__(f"{file}: {key} {why}" if key else f"{file}: {why}")
        self.key, self.why = key, why


class Unusable(FollowthroughError):  # noqa: N818 - reads as a sentence: raise Unusable("closed_at out of range")
    """A genuine request that we cannot use: quarantine it. ``reason`` never holds data of the ticket."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Ignored:
    """A genuine request that is not our business; ``reason`` never holds data of the ticket."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One kind of body that a helpdesk sends; ``meanings`` maps a status (case folded) to ours."""

    name: str
    when: Expression
    status: Expression
    previous: Expression | None
    merged_when: Expression | None
    time: Expression
    time_format: TimeFormat
    time_required: bool
    reopened_time: Expression
    """When it was opened again or deleted; the same format."""
    needs_details: Expression
    meanings: Mapping[str, Meaning]
    fields: Mapping[str, Expression]
    contributors: Expression | None


@dataclass(frozen=True, kw_only=True)
class Salvage:
    """How to find the essentials in a body that is broken JSON; each pattern has one group."""

    shape: Shape
    ticket_id: re.Pattern[str]
    status: re.Pattern[str]
    time: re.Pattern[str] | None


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What this helpdesk wants to hear, so that it repeats what failed and nothing else."""

    success: int = 202
    success_body: str | None = None
    """Instead of our own words, for whoever reads them."""
    failure: int = 503
    failure_body: str | None = None
    retry_after: int | None = 5
    """Seconds, with a failure."""
    content_type: str = "application/json"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Our description of one helpdesk's format."""

    name: str
    verify: Rule
    alternatives: Mapping[str, Rule]
    """Other ways to verify, by name. The settings choose one instead of ``verify``; a request never does."""
    greeting: Greeting | None
    answers: Answers
    format: Format
    root: Literal["object", "list", "any"]
    headers: tuple[str, ...]
    """The headers, in lower case, that its expressions may read."""
    items: Expression | None
    ignored_when: Expression | None
    shapes: tuple[Shape, ...]
    salvage: Salvage | None
    languages: Mapping[str, str]
    """Language names that the helpdesk sends, in lower case, to language tags."""

    def rule(self, name: str | None) -> Rule:
        """How to verify: the usual way, or the alternative with this name; BadPreset when there is none."""
        if name is None:
            return self.verify
        if name not in self.alternatives:
            raise BadPreset(self.name, "alternatives", f"has no {name}")
        return self.alternatives[name]

    def kept_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Those of a request's headers that its meaning may depend on."""
        return {name: headers[name] for name in self.headers if headers.get(name)}


# --- reading a request --------------------------------------------------------------------------------------


def read(
    preset: Preset,
    headers: Mapping[str, str],
    body: bytes,
    received_at: datetime,
    oldest: timedelta,
    *,
    source: str,
    statuses: Mapping[str, str] = NO_STATUSES,
) -> Closure | Reopen | Ignored:
    """What one verified event means; Unusable when it should mean something and does not.

    ``headers`` have lower-case names, ``body`` is raw (after base64 decoding by the gateway) or one part of
    ``split``, ``received_at`` has a zone, ``oldest`` is how long before it a closure may lie, ``source`` is the
    settings' key of this helpdesk, ``statuses`` what the settings say about its statuses: they win over the preset's.
    """
    text = _text_of(body)
    own = {label.strip().casefold(): meaning for label, meaning in statuses.items()}
    told = _Told(source=source, received_at=received_at, oldest=oldest, statuses=own)
    content = _content(preset, body, text, part=preset.items is not None)
    if content is _BROKEN:
        return _salvage(preset, text, told)
    if preset.items is None and isinstance(content, list) and len(content) != 1:
        raise Unusable("body is a list that does not hold exactly one event")
    request = {"headers": preset.kept_headers(headers), "body": content}
    if shape := _shape_of(preset, request):
        return _report(preset, shape, request, told)
    if preset.ignored_when and preset.ignored_when(request):
        return Ignored("another kind of event")
    raise Unusable("body matches no shape of the preset")


def shape_of(preset: Preset, headers: Mapping[str, str], body: bytes) -> Shape | None:
    """Which shape of the preset reads one event; None when none does, or when it is broken. Unusable as ``read``."""
    content = _content(preset, body, _text_of(body), part=preset.items is not None)
    return _shape_of(preset, {"headers": preset.kept_headers(headers), "body": content})


def _shape_of(preset: Preset, request: Mapping[str, Any]) -> Shape | None:
    return next((shape for shape in preset.shapes if shape.when(request)), None)


def split(preset: Preset, body: bytes) -> list[bytes]:
    """The parts of a verified request that ``read`` takes one by one; Unusable when there is nothing to take apart.

    Each part is JSON of its own, so that one event that cannot be used can be kept and tried again by itself.
    """
    if preset.items is None:
        return [body]
    content = _content(preset, body, _text_of(body), part=False)
    events = None if content is _BROKEN else preset.items({"body": content})
    if not isinstance(events, list) or all(event is None for event in events):
        raise Unusable("body holds no list of events")
    if len(events) > MOST_EVENTS:
        raise Unusable("body holds too many events")
    return [json.dumps(event).encode() for event in events]


def _text_of(body: bytes) -> str:
    if len(body) > LARGEST_BODY:
        raise Unusable("body too large")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("body is not UTF-8") from None


def _content(preset: Preset, body: bytes, text: str, *, part: bool) -> object:
    """The value of a body in the preset's format; a part is JSON whatever the whole was. ``_BROKEN``: it is no JSON."""
    if preset.format == "form" and not part:
        return _form(text)
    if preset.format == "xml" and not part:
        return _xml(body)
    content = _strict_json(text)
    root = "object" if part else preset.root
    if content is not _BROKEN and not isinstance(content, ROOTS[root]):
        raise Unusable(f"body is not a JSON {'object or list' if root == 'any' else root}")
    return content


def _form(text: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Unusable("body is not a form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Unusable("body has the same field twice")
    return fields


def _xml(body: bytes) -> dict[str, Any]:
    from helpdesks import elements

    try:
        return elements.read(body)
    except elements.BadXml as wrong:
        raise Unusable(str(wrong)) from None


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What is known of a request before its body is read."""

    source: str
    received_at: datetime
    oldest: timedelta
    statuses: Mapping[str, str]

    def check(self, moment: datetime, name: str) -> datetime:
        """``moment``, when a report that arrives now can be about it."""
        if not self.received_at - self.oldest <= moment <= self.received_at + CLOCK_DIFFERENCE:
            raise Unusable(f"{name} out of range")
        return moment

    def meaning(self, shape: Shape, status: str | None) -> str | None:
        """What a status means here: by the settings, else by the preset; None when neither knows it."""
        label = (status or "").strip().casefold()
        return self.statuses.get(label) or shape.meanings.get(label)


def _report(
    preset: Preset, shape: Shape, request: Mapping[str, Any], told: _Told
) -> Closure | Reopen | Ignored:
    meaning = _meaning(shape, _text(shape.status(request)), told)
    ticket_id = _text(shape.fields["ticket_id"](request))
    if shape.previous and meaning == "reopened" and _was_open(shape, _text(shape.previous(request)), told):
        return Ignored("the ticket was open before")
    name = _TIME_NAMES.get(meaning, "closed_at")
    time = shape.reopened_time if meaning in _TIME_NAMES else shape.time
    moment = None if meaning == "ignored" else _moment(shape, time(request), name, told)
    if meaning in CLOSING and shape.merged_when and shape.merged_when(request):
        meaning = "merged"
    details: dict[str, Any] = {
        key: _text(expression(request)) for key, expression in shape.fields.items() if key != "ticket_id"
    }
    details["locale"] = _locale(preset, details.get("locale"))
    details["promised_until"] = _promised_until(details.get("promised_until"), details.get("time_zone"))
    if shape.contributors:
        details["contributors"] = _contributors(shape.contributors(request))
    return _outcome(
        told, meaning, ticket_id, moment, **details, needs_details=bool(shape.needs_details(request))
    )


def _salvage(preset: Preset, text: str, told: _Told) -> Closure | Reopen | Ignored:
    """The essentials of a body that is broken JSON; its texts are not believed, so details are needed."""
    salvage = preset.salvage
    if salvage is None:
        raise Unusable("body is not JSON")
    beginning = text[:SALVAGED_CHARACTERS]
    ticket_id, status = salvage.ticket_id.search(beginning), salvage.status.search(beginning)
    if not ticket_id or not status:
        raise Unusable("body is broken JSON without a readable ticket and status")
    time = salvage.time.search(beginning) if salvage.time else None
    moment = instant(time[1]) if time else None
    meaning = _meaning(salvage.shape, status[1], told)
    if moment:
        told.check(moment, _TIME_NAMES.get(meaning, "closed_at"))
    return _outcome(told, meaning, ticket_id[1], moment, needs_details=True, degraded=True)


def _outcome(
    told: _Told, meaning: Meaning, ticket_id: str | None, moment: datetime | None, **details: Any
) -> Closure | Reopen | Ignored:
    if meaning == "ignored":
        return Ignored("a status that is neither closed nor open")
    values: dict[str, Any] = {"degraded": moment is None} | details
    at = moment or told.received_at
    try:
        if meaning in _TIME_NAMES:
            return Reopen(source=told.source, ticket_id=ticket_id or "", reopened_at=at)
        return Closure(
            source=told.source, ticket_id=ticket_id or "", closed_at=at, kind=cast(Kind, meaning), **values
        )
    except ValueError as refused:
        raise Unusable(str(refused)) from None


def _meaning(shape: Shape, status: str | None, told: _Told) -> Meaning:
    meaning = told.meaning(shape, status)
    if meaning is None:
        raise Unusable("status is missing" if status is None else "status is not known")
    return cast(Meaning, meaning)


def _was_open(shape: Shape, previous: str | None, told: _Told) -> bool:
    """Whether the ticket was open before. An unknown past counts as closed: no reopening is missed."""
    return told.meaning(shape, previous) == "reopened"


def _moment(shape: Shape, value: object, name: str, told: _Told) -> datetime | None:
    """When it happened, checked; None where the helpdesk may leave it out and did."""
    if value is None or value == "":
        if shape.time_required:
            raise Unusable(f"{name} is missing")
        return None
    if shape.time_format in {"s", "ms"}:
        moment = _epoch(value, 1000 if shape.time_format == "ms" else 1)
    else:
        text = value.strip() if isinstance(value, str) else ""
        without_zone = _UTC.fullmatch(text) if shape.time_format == "utc" else None
        moment = instant(f"{without_zone[1]}T{_seconds(without_zone[2])}Z" if without_zone else text)
    if moment is None:
        raise Unusable(f"{name} is not a time with zone")
    return told.check(moment, name)


def _seconds(clock: str) -> str:
    """A clock's text with its seconds, which some helpdesks leave out."""
    return clock if clock.count(":") == 2 else f"{clock}:00"


def _epoch(value: object, per_second: int) -> datetime | None:
    """Seconds or milliseconds since 1970, as a number or as its digits."""
    if isinstance(value, str) and _EPOCH.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / per_second, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: object) -> str | None:
    """A value of the body as text; ids may be numbers. Everything else, and an empty text, is no value."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _promised_until(value: str | None, time_zone: str | None) -> datetime | None:
    """An instant with zone, or a day; None for anything else: the promise is known then, and its time is not."""
    text = (value or "").strip()
    if not _DAY.fullmatch(text):
        return instant(text)
    try:
        return end_of(date.fromisoformat(text), zone_of(time_zone))
    except ValueError:
        return None


def _contributors(value: object) -> tuple[Contributor, ...]:
    """Whoever else had a part in it; entries that are neither a name nor an object are left out."""
    told = value if isinstance(value, list) else [value]
    people = [{"name": entry} if isinstance(entry, str) else entry for entry in told]
    return tuple(
        Contributor(**{key: _text(person.get(key)) for key in ("name", "email", "team", "part")})
        for person in people
        if isinstance(person, dict)
    )


def _locale(preset: Preset, value: str | None) -> str | None:
    """A language tag, or None for a text that neither is one nor names a language that the preset knows."""
    text = (value or "").strip()
    known = preset.languages.get(text.casefold())
    return known or (text.replace("_", "-") if _LOCALE.fullmatch(text) else None)


# --- strict JSON --------------------------------------------------------------------------------------------

_BROKEN = object()


def _strict_json(text: str) -> object:
    """The value of a JSON text; ``_BROKEN`` when it is none.

    What RFC 8259 leaves open or forbids and Python reads all the same is Unusable: a key twice in one object
    (which one was signed for?), NaN and infinities. So is what exhausts the reader: thousands of levels or
    digits.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_no_such_number, parse_float=_finite_number
        )
    except json.JSONDecodeError:
        return _BROKEN
    except RecursionError:
        raise Unusable("body is nested too deeply") from None
    except ValueError:
        raise Unusable("body holds a number that is too long") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise Unusable("body has the same key twice")
    return content


def _no_such_number(_: str) -> NoReturn:
    raise Unusable("body holds a number that is not finite")


def _finite_number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_such_number(text)


# --- loading a preset ---------------------------------------------------------------------------------------


@cache
def preset(name: str) -> Preset:
    """The preset of that name, loaded once per process; BadPreset when there is none or it is wrong."""
    if not _PRESET_NAME.fullmatch(name):
        raise BadPreset(repr(name), "", "is not the name of a preset")
    return load(PRESETS / f"{name}.toml")


def preset_of(chosen: str | Mapping[str, Any], fields: Mapping[str, str] = NO_FIELDS) -> Preset:
    """The preset that a source names or holds itself, with its own places of fields; BadPreset when one is wrong."""
    if isinstance(chosen, str) and not fields:
        return preset(chosen)
    return _own(json.dumps([chosen, dict(fields)], sort_keys=True))


@lru_cache(maxsize=50)
def _own(text: str) -> Preset:
    if len(text) > LARGEST_PRESET:
        raise BadPreset("preset", "", f"has {len(text)} characters; allowed: {LARGEST_PRESET}")
    chosen, fields = json.loads(text)
    known = preset(chosen) if isinstance(chosen, str) else _preset("preset", chosen)
    table = _Table("fields", "", fields)
    own = {name: table.expression(name) for name in FIELDS if name != "ticket_id" and table.has(name)}
    contributors = table.expression_or_none(CONTRIBUTORS)
    table.finish()
    shapes = tuple(
        replace(shape, fields={**shape.fields, **own}, contributors=contributors or shape.contributors)
        for shape in known.shapes
    )
    return replace(known, shapes=shapes)


def load(file: Path) -> Preset:
    """The preset in one TOML file. Every key is checked: a misspelt one is an error, not a default."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadPreset(file.name, "", "does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise BadPreset(file.name, "", str(wrong)) from None
    return _preset(file.name, content)


def _preset(file: str, content: Mapping[str, Any]) -> Preset:
    whole = _Table(file, "", content)
    body = whole.table("body")
    shapes = tuple(_shape(table) for table in whole.tables("shapes"))
    salvage = _salvage_rule(whole.table("salvage"), shapes) if whole.has("salvage") else None
    others = whole.table("alternatives").all_tables() if whole.has("alternatives") else {}
    loaded = Preset(
        name=file.removesuffix(".toml"),
        verify=_rule(whole.table("verify")),
        alternatives={name: _rule(table) for name, table in others.items()},
        greeting=_greeting(whole.table("greeting")) if whole.has("greeting") else None,
        answers=_answers(whole.table("answers")) if whole.has("answers") else Answers(),
        format=cast(Format, body.choice("format", ("json", "form", "xml"), "json")),
        root=cast(Literal["object", "list", "any"], body.choice("root", tuple(ROOTS), "object")),
        headers=tuple(body.headers("headers")),
        items=body.expression_or_none("items"),
        ignored_when=body.expression_or_none("ignored_when"),
        shapes=shapes,
        salvage=salvage,
        languages=_languages(whole.table("languages")) if whole.has("languages") else {},
    )
    rules = (loaded.verify, *loaded.alternatives.values())
    secret = {"authorization", "cookie"}
    secret |= {str(rule.header).lower() for rule in rules if isinstance(rule, SecretRule)}
    if secret & set(loaded.headers):
        raise BadPreset(file, "body.headers", "holds a header with a secret, which must not be kept")
    if loaded.salvage and (loaded.format != "json" or loaded.items):
        raise BadPreset(file, "salvage", "is for bodies of one JSON object")
    body.finish()
    whole.finish()
    return loaded


class _Table:
    """One table of a preset file: hands out checked values, and what nobody asked for is unknown."""

    def __init__(self, file: str, path: str, content: Mapping[str, Any]) -> None:
        self._file, self._path, self._content = file, path, dict(content)

    def wrong(self, key: str, why: str) -> BadPreset:
        """The error to raise about ``key``."""
        return BadPreset(self._file, f"{self._path}{key}", why)

    def has(self, key: str) -> bool:
        return key in self._content

    def _take(self, key: str, kind: type, called: str, default: Any = None) -> Any:
        if key not in self._content and default is not None:
            return default
        if key not in self._content:
            raise self.wrong(key, "is missing")
        value = self._content.pop(key)
        if type(value) is not kind:
            raise self.wrong(key, f"is not {called}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        return cast(str, self._take(key, str, "a text", default))

    def text_or_none(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def flag(self, key: str, default: bool) -> bool:
        return cast(bool, self._take(key, bool, "true or false", default))

    def number(self, key: str, default: int) -> int:
        return cast(int, self._take(key, int, "a whole number", default))

    def status(self, key: str, allowed: tuple[int, ...], default: int) -> int:
        value = self.number(key, default)
        if value not in allowed:
            raise self.wrong(key, f"is not one of {', '.join(map(str, allowed))}")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"is not one of {', '.join(allowed)}")
        return value

    def table(self, key: str) -> "_Table":
        return _Table(self._file, f"{self._path}{key}.", self._take(key, dict, "a table"))

    def tables(self, key: str) -> list["_Table"]:
        values = self._take(key, list, "a list of tables")
        if not values or not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, "is not a list of tables")
        return [
            _Table(self._file, f"{self._path}{key}[{index}].", value) for index, value in enumerate(values)
        ]

    def texts(self, key: str) -> list[str]:
        values = self._take(key, list, "a list of texts", [])
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "is not a list of texts")
        return cast(list[str], values)

    def headers(self, key: str) -> list[str]:
        names = [name.lower() for name in self.texts(key)]
        if not all(_HEADER.fullmatch(name) for name in names):
            raise self.wrong(key, "is not a list of names of headers")
        return names

    def all_tables(self) -> dict[str, "_Table"]:
        return {key: self.table(key) for key in list(self._content)}

    def all_texts(self) -> dict[str, str]:
        return {key: self.text(key) for key in list(self._content)}

    def expression(self, key: str) -> Expression:
        text = self.text(key)
        if len(text) > LONGEST_EXPRESSION:
            raise self.wrong(key, f"has {len(text)} characters; allowed: {LONGEST_EXPRESSION}")
        try:
            compiled = jmespath.compile(text)
        except (JMESPathError, RecursionError) as wrong:
            raise self.wrong(key, f"is not a JMESPath: {wrong}") from None

        def evaluate(request: Mapping[str, Any]) -> Any:
            """Functions raise on null where a plain path gives null; to us both are a missing value.

            So is what only Python objects to, such as a slice with step 0 or a nesting that is too deep.
            """
            try:
                return compiled.search(request)
            except (JMESPathError, RecursionError, TypeError, ValueError, ArithmeticError):
                return None

        return evaluate

    def condition(self, key: str) -> Expression:
        """True, false (also when it is left out), or an expression that decides for each event."""
        if isinstance(self._content.get(key), str):
            return self.expression(key)
        always = self.flag(key, default=False)
        return lambda _: always

    def expression_or_none(self, key: str) -> Expression | None:
        return self.expression(key) if self.has(key) else None

    def pattern(self, key: str) -> re.Pattern[str]:
        try:
            compiled = re.compile(self.text(key))
        except re.error as wrong:
            raise self.wrong(key, f"is not a regular expression: {wrong}") from None
        if compiled.groups != 1:
            raise self.wrong(key, "has not exactly one group")
        return compiled

    def finish(self) -> None:
        """Refuse what is left."""
        for key in self._content:
            raise self.wrong(key, "is not a known key")


def _rule(table: _Table) -> Rule:
    if table.choice("kind", ("signature", "secret")) == "secret":
        encoding = table.choice("encoding", ("plain", "base64"), "plain")
        header, query = table.text_or_none("header"), table.text_or_none("query")
        prefix = table.text("prefix", "")
        table.finish()
        try:
            return SecretRule(
                header=header, query=query, prefix=prefix, encoding=cast(Literal["plain", "base64"], encoding)
            )
        except ValueError as wrong:
            raise table.wrong("kind", f"is not clear: {wrong}") from None
    values: dict[str, Any] = {
        "header": table.text("header"),
        "algorithm": table.choice("algorithm", ("sha1", "sha256")),
        "encoding": table.choice("encoding", ("hex", "base64")),
        "signed": table.text("signed"),
        "prefix": table.text("prefix", ""),
        "multiple": table.flag("multiple", default=False),
        "timestamp_header": table.text_or_none("timestamp_header"),
        "timestamp_path": table.text_or_none("timestamp_path"),
        "url_decoding": table.choice("url_decoding", ("none", "hubspot"), "none"),
        "timestamp_unit": table.choice("timestamp_unit", ("s", "ms", "iso"), "s"),
        "tolerance": timedelta(seconds=table.number("tolerance_seconds", 300)),
        "id_header": table.text_or_none("id_header"),
        "key_transform": table.choice("key_transform", ("none", "base64_after_whsec", "md5_app_key"), "none"),
    }
    table.finish()
    try:
        return SignatureRule(**values)
    except ValueError as wrong:
        raise table.wrong("signed", f"contradicts the headers: {wrong}") from None


def _languages(table: _Table) -> dict[str, str]:
    return {name.casefold(): tag for name, tag in table.all_texts().items()}


def _greeting(table: _Table) -> Greeting:
    kind = table.choice("kind", ("get", "glpi", "cloudevents", "echo"))
    header = table.text("header").lower() if kind == "echo" else ""
    body = table.table("body").all_texts() if kind == "echo" else {}
    table.finish()
    return Greeting(kind=cast(Literal["get", "glpi", "cloudevents", "echo"], kind), header=header, body=body)


def _answers(table: _Table) -> Answers:
    usual = Answers()
    answers = Answers(
        success=table.status("success", (200, 201, 202, 204), usual.success),
        success_body=table.text_or_none("success_body"),
        failure=table.status("failure", (409, 429, 500, 502, 503, 504), usual.failure),
        failure_body=table.text_or_none("failure_body"),
        retry_after=min(max(table.number("retry_after", 5), 0), LONGEST_RETRY) or None,
        content_type=table.choice("content_type", CONTENT_TYPES, usual.content_type),
    )
    table.finish()
    return answers


def _shape(table: _Table) -> Shape:
    statuses, fields = table.table("statuses"), table.table("fields")
    meanings: dict[str, Meaning] = {}
    for meaning in MEANINGS:
        for label in statuses.texts(meaning):
            if label.casefold() in meanings:
                raise statuses.wrong(meaning, f"holds {label!r} a second time")
            meanings[label.casefold()] = meaning
    time, reopened_time = table.expression("time"), table.expression_or_none("reopened_time")
    expressions = {
        name: fields.expression(name) for name in FIELDS if name == "ticket_id" or fields.has(name)
    }
    shape = Shape(
        name=table.text("name"),
        when=table.expression("when"),
        status=table.expression("status"),
        previous=table.expression_or_none("previous"),
        merged_when=table.expression_or_none("merged_when"),
        time=time,
        time_format=cast(TimeFormat, table.choice("time_format", TIME_FORMATS, "iso")),
        time_required=table.flag("time_required", default=True),
        reopened_time=reopened_time or time,
        needs_details=table.condition("needs_details"),
        meanings=meanings,
        fields=expressions,
        contributors=fields.expression_or_none(CONTRIBUTORS),
    )
    for part in (statuses, fields, table):
        part.finish()
    return shape


def _salvage_rule(table: _Table, shapes: tuple[Shape, ...]) -> Salvage:
    name = table.text("shape")
    shape = next((shape for shape in shapes if shape.name == name), None)
    if shape is None:
        raise table.wrong("shape", "is not the name of a shape")
    salvage = Salvage(
        shape=shape,
        ticket_id=table.pattern("ticket_id"),
        status=table.pattern("status"),
        time=table.pattern("time") if table.has("time") else None,
    )
    table.finish()
    return salvage
