"""From a helpdesk's request to what it means for us: a closure, a reopening, or nothing.

What differs between helpdesks is data: one TOML file in ``presets/`` for each. A file has a ``[verify]``
table (see verify.py), ``[body]``, one or more ``[[shapes]]`` tried in order, and optionally ``[salvage]`` and
``[languages]``. All expressions are JMESPath over ``{"headers": {lower-case name: value}, "body": parsed
body}``.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn, cast

import jmespath
from jmespath.exceptions import JMESPathError

from domain.closure import Closure, Contributor, Reopen, end_of
from domain.errors import FollowthroughError
from domain.hours import zone_of
from helpdesks.verify import SecretRule, SignatureRule, instant

PRESETS = Path(__file__).with_name("presets")
LARGEST_BODY = 256 * 1024
"""Bytes; the hook answers 413 to more before it reads anything."""
CLOCK_DIFFERENCE = timedelta(hours=1)
"""How far in our future a helpdesk's clock may be."""
SALVAGED_CHARACTERS = 16_384
"""Zendesk bodies are not longer, and the ids stand at the beginning."""

Meaning = Literal["solved", "closed", "merged", "reopened", "ignored"]
MEANINGS: tuple[Meaning, ...] = ("solved", "closed", "merged", "reopened", "ignored")
CLOSING = frozenset({"solved", "closed", "merged"})
FIELDS = (
    "ticket_id",
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

CONTRIBUTORS = "contributors"
"""A field that is a list: of names, or of objects with ``name``, ``email``, ``team`` and ``part``."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PRESET_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Expression = Callable[[Mapping[str, Any]], Any]
"""A compiled JMESPath: takes the whole request, gives null when a path is missing or of the wrong type."""


class BadPreset(FollowthroughError):  # noqa: N818 - named after what it is about
    """A preset file cannot be used; the message names the file and the key."""


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
    time_format: Literal["iso", "s", "ms"]
    time_required: bool
    needs_details: bool
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
class Preset:
    """Our description of one helpdesk's format."""

    name: str
    verify: SignatureRule | SecretRule
    root: Literal["object", "list"]
    ignored_when: Expression | None
    shapes: tuple[Shape, ...]
    salvage: Salvage | None
    languages: Mapping[str, str]
    """Language names that the helpdesk sends, in lower case, to language tags."""


# --- reading a request --------------------------------------------------------------------------------------


def read(
    preset: Preset,
    headers: Mapping[str, str],
    body: bytes,
    received_at: datetime,
    oldest: timedelta,
    *,
    source: str,
) -> Closure | Reopen | Ignored:
    """What a verified request means; Unusable when it should mean something and does not.

    ``headers`` have lower-case names, ``body`` is raw (after base64 decoding by the gateway), ``received_at``
    has a zone, ``oldest`` is how long before it a closure may lie, ``source`` is the settings' key of this
    helpdesk.
    """
    if len(body) > LARGEST_BODY:
        raise Unusable("body too large")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("body is not UTF-8") from None
    told = _Told(source=source, received_at=received_at, oldest=oldest)
    content = _strict_json(text)
    if content is _BROKEN:
        return _salvage(preset, text, told)
    if not isinstance(content, dict if preset.root == "object" else list):
        raise Unusable(f"body is not a JSON {preset.root}")
    if isinstance(content, list) and len(content) != 1:
        raise Unusable("body is a list that does not hold exactly one event")
    request = {"headers": headers, "body": content}
    shape = next((shape for shape in preset.shapes if shape.when(request)), None)
    if shape:
        return _report(preset, shape, request, told)
    if preset.ignored_when and preset.ignored_when(request):
        return Ignored("another kind of event")
    raise Unusable("body matches no shape of the preset")


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What is known of a request before its body is read."""

    source: str
    received_at: datetime
    oldest: timedelta

    def check(self, moment: datetime, name: str) -> datetime:
        """``moment``, when a report that arrives now can be about it."""
        if not self.received_at - self.oldest <= moment <= self.received_at + CLOCK_DIFFERENCE:
            raise Unusable(f"{name} out of range")
        return moment


def _report(
    preset: Preset, shape: Shape, request: Mapping[str, Any], told: _Told
) -> Closure | Reopen | Ignored:
    meaning = _meaning(shape, _text(shape.status(request)))
    ticket_id = _text(shape.fields["ticket_id"](request))
    if meaning == "reopened" and shape.previous and _was_open(shape, _text(shape.previous(request))):
        return Ignored("the ticket was open before")
    name = "reopened_at" if meaning == "reopened" else "closed_at"
    moment = None if meaning == "ignored" else _moment(shape, shape.time(request), name, told)
    if meaning in CLOSING and shape.merged_when and shape.merged_when(request):
        meaning = "merged"
    details: dict[str, Any] = {
        key: _text(expression(request)) for key, expression in shape.fields.items() if key != "ticket_id"
    }
    details["locale"] = _locale(preset, details.get("locale"))
    details["promised_until"] = _promised_until(details.get("promised_until"), details.get("time_zone"))
    if shape.contributors:
        details["contributors"] = _contributors(shape.contributors(request))
    return _outcome(told, meaning, ticket_id, moment, **details, needs_details=shape.needs_details)


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
    meaning = _meaning(salvage.shape, status[1])
    if moment:
        told.check(moment, "reopened_at" if meaning == "reopened" else "closed_at")
    return _outcome(told, meaning, ticket_id[1], moment, needs_details=True, degraded=True)


def _outcome(
    told: _Told, meaning: Meaning, ticket_id: str | None, moment: datetime | None, **details: Any
) -> Closure | Reopen | Ignored:
    if meaning == "ignored":
        return Ignored("a status that is neither closed nor open")
    values: dict[str, Any] = {"degraded": moment is None} | details
    at = moment or told.received_at
    try:
        if meaning == "reopened":
            return Reopen(source=told.source, ticket_id=ticket_id or "", reopened_at=at)
        return Closure(source=told.source, ticket_id=ticket_id or "", closed_at=at, kind=meaning, **values)
    except ValueError as refused:
        raise Unusable(str(refused)) from None


def _meaning(shape: Shape, status: str | None) -> Meaning:
    meaning = shape.meanings.get((status or "").strip().casefold())
    if meaning is None:
        raise Unusable("status is missing" if status is None else "status is not known")
    return meaning


def _was_open(shape: Shape, previous: str | None) -> bool:
    """Whether the ticket was open before. An unknown past counts as closed: no reopening is missed."""
    return shape.meanings.get((previous or "").strip().casefold()) == "reopened"


def _moment(shape: Shape, value: object, name: str, told: _Told) -> datetime | None:
    """When it happened, checked; None where the helpdesk may leave it out and did."""
    if value is None or value == "":
        if shape.time_required:
            raise Unusable(f"{name} is missing")
        return None
    moment = instant(value) if isinstance(value, str) else None
    if shape.time_format != "iso":
        moment = _epoch(value, 1000 if shape.time_format == "ms" else 1)
    if moment is None:
        raise Unusable(f"{name} is not a time with zone")
    return told.check(moment, name)


def _epoch(value: object, per_second: int) -> datetime | None:
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
        raise BadPreset(f"{name!r} is not the name of a preset")
    return load(PRESETS / f"{name}.toml")


def load(file: Path) -> Preset:
    """The preset in one TOML file. Every key is checked: a misspelt one is an error, not a default."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadPreset(f"there is no preset {file.name}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise BadPreset(f"{file.name}: {wrong}") from None
    whole = _Table(file.name, "", content)
    body = whole.table("body")
    shapes = tuple(_shape(table) for table in whole.tables("shapes"))
    salvage = _salvage_rule(whole.table("salvage"), shapes) if whole.has("salvage") else None
    loaded = Preset(
        name=file.stem,
        verify=_rule(whole.table("verify")),
        root=cast(Literal["object", "list"], body.choice("root", ("object", "list"))),
        ignored_when=body.expression_or_none("ignored_when"),
        shapes=shapes,
        salvage=salvage,
        languages=whole.table("languages").all_texts() if whole.has("languages") else {},
    )
    body.finish()
    whole.finish()
    return loaded


class _Table:
    """One table of a preset file: hands out checked values, and what nobody asked for is unknown."""

    def __init__(self, file: str, path: str, content: Mapping[str, Any]) -> None:
        self._file, self._path, self._content = file, path, dict(content)

    def wrong(self, key: str, why: str) -> BadPreset:
        """The error to raise about ``key``."""
        return BadPreset(f"{self._file}: {self._path}{key} {why}")

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

    def all_texts(self) -> dict[str, str]:
        return {key.casefold(): self.text(key) for key in list(self._content)}

    def expression(self, key: str) -> Expression:
        try:
            compiled = jmespath.compile(self.text(key))
        except JMESPathError as wrong:
            raise self.wrong(key, f"is not a JMESPath: {wrong}") from None

        def evaluate(request: Mapping[str, Any]) -> Any:
            """Functions raise on null where a plain path gives null; to us both are a missing value."""
            try:
                return compiled.search(request)
            except JMESPathError:
                return None

        return evaluate

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


def _rule(table: _Table) -> SignatureRule | SecretRule:
    if table.choice("kind", ("signature", "secret")) == "secret":
        encoding = table.choice("encoding", ("plain", "base64"), "plain")
        secret = SecretRule(
            header=table.text("header"),
            prefix=table.text("prefix", ""),
            encoding=cast(Literal["plain", "base64"], encoding),
        )
        table.finish()
        return secret
    values: dict[str, Any] = {
        "header": table.text("header"),
        "algorithm": table.choice("algorithm", ("sha1", "sha256")),
        "encoding": table.choice("encoding", ("hex", "base64")),
        "signed": table.text("signed"),
        "prefix": table.text("prefix", ""),
        "multiple": table.flag("multiple", default=False),
        "timestamp_header": table.text_or_none("timestamp_header"),
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


def _shape(table: _Table) -> Shape:
    statuses, fields = table.table("statuses"), table.table("fields")
    meanings: dict[str, Meaning] = {}
    for meaning in MEANINGS:
        for label in statuses.texts(meaning):
            if label.casefold() in meanings:
                raise statuses.wrong(meaning, f"holds {label!r} a second time")
            meanings[label.casefold()] = meaning
    expressions = {
        name: fields.expression(name) for name in FIELDS if name == "ticket_id" or fields.has(name)
    }
    shape = Shape(
        name=table.text("name"),
        when=table.expression("when"),
        status=table.expression("status"),
        previous=table.expression_or_none("previous"),
        merged_when=table.expression_or_none("merged_when"),
        time=table.expression("time"),
        time_format=cast(Literal["iso", "s", "ms"], table.choice("time_format", ("iso", "s", "ms"), "iso")),
        time_required=table.flag("time_required", default=True),
        needs_details=table.flag("needs_details", default=False),
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
