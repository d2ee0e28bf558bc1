"""Our description of one helpdesk's format: loaded from data and checked, key by key.

What differs between helpdesks is data: one TOML file in ``presets/`` for each, or a table of the same form in the
settings. It has a ``[verify]`` table (see verify.py), ``[body]``, one or more ``[[shapes]]`` tried in order, and
optionally ``[alternatives.NAME]`` (other ways to verify, which only the settings choose), ``[greeting]`` (see
greeting.py), ``[answers]``, ``[salvage]`` and ``[languages]``. All expressions are JMESPath over ``{"headers":
{lower-case name: value}, "body": parsed body}``; where one request brings several events, ``items`` says where they
are, and to everything else each event is the body. Only those headers are there that ``body.headers`` names, because
they are kept with a body that cannot be used.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import jmespath
from jmespath.exceptions import JMESPathError

from domain.closure import TOLD
from domain.errors import FollowthroughError
from helpdesks.greeting import Greeting
from helpdesks.verify import Rule, SecretRule, SignatureRule

PRESETS = Path(__file__).with_name("presets")
LARGEST_PRESET = 20_000
"""Characters of a preset in the settings, as JSON."""
LONGEST_EXPRESSION = 2000
LONGEST_RETRY = 3600
CONTENT_TYPES = ("application/json", "text/plain; charset=utf-8", "text/xml; charset=utf-8")
"""Of an answer: nothing that a browser would run."""

Meaning = Literal["solved", "closed", "merged", "reopened", "deleted", "ignored"]
"""What a status means. What is deleted is no longer closed: its pending question ends as by a reopening."""
MEANINGS: tuple[Meaning, ...] = ("solved", "closed", "merged", "reopened", "deleted", "ignored")
TimeFormat = Literal["iso", "utc", "s", "ms"]
TIME_FORMATS: tuple[TimeFormat, ...] = ("iso", "utc", "s", "ms")
Format = Literal["json", "form", "xml"]
FIELDS = ("ticket_id", *TOLD)
CONTRIBUTORS = "contributors"
"""A field that is a list: of names, or of objects with ``name``, ``email``, ``team`` and ``part``."""

NO_FIELDS: Mapping[str, str] = {}
ROOTS: Mapping[str, tuple[type, ...]] = {"object": (dict,), "list": (list,), "any": (dict, list)}

_HEADER = re.compile(r"[a-z0-9-]{1,64}")
_PRESET_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Expression = Callable[[Mapping[str, Any]], Any]
"""A compiled JMESPath: takes the whole request, gives null when a path is missing or of the wrong type."""


class BadPreset(FollowthroughError):  # noqa: N818 - named after what it is about
    """A preset cannot be used; the message names the file and the key, ``key`` and ``why`` are its parts."""

    def __init__(self, file: str, key: str, why: str) -> None:
        super().__init__(f"{file}: {key} {why}" if key else f"{file}: {why}")
        self.key, self.why = key, why


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


# --- loading a preset ---------------------------------------------------------------------------------------


@cache
def shipped(name: str) -> Preset:
    """The preset that ships with that name, loaded once per process; BadPreset when there is none or it is wrong."""
    if not _PRESET_NAME.fullmatch(name):
        raise BadPreset(repr(name), "", "is not the name of a preset")
    return load(PRESETS / f"{name}.toml")


def preset_of(chosen: str | Mapping[str, Any], fields: Mapping[str, str] = NO_FIELDS) -> Preset:
    """The preset that a source names or holds itself, with its own places of fields; BadPreset when one is wrong."""
    if isinstance(chosen, str) and not fields:
        return shipped(chosen)
    return _own(json.dumps([chosen, dict(fields)], sort_keys=True))


@lru_cache(maxsize=50)
def _own(text: str) -> Preset:
    if len(text) > LARGEST_PRESET:
        raise BadPreset("preset", "", f"has {len(text)} characters; allowed: {LARGEST_PRESET}")
    chosen, fields = json.loads(text)
    known = shipped(chosen) if isinstance(chosen, str) else _preset("preset", chosen)
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
        failure=table.status("failure", (500, 502, 503, 504), usual.failure),
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
