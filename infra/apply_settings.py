"""Check a settings file and store it, so that the running system follows it: no deployment.

    python infra/apply_settings.py FILE [--table NAME] [--public-url URL] [--check]

Everything is checked before anything is stored, and every problem is told at once, each with its line:

    infra/settings.yaml:17: policy.reminder_after: "soon" is not a duration; allowed: ...

Exit code 0: the settings are stored (with --check: valid); 1: the message says what to correct, or to run it
again, which is always safe. AWS is found as usual (AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL and so on);
--check needs none of it.
"""

import argparse
import dataclasses
import difflib
import json
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from adapters.closed_days import known_countries
from domain.errors import Changed
from domain.follow_up import MOST_TOGETHER
from domain.hours import END_OF_DAY, known_zone, next_digest
from domain.person import KEPT_ASKS
from domain.settings import (
    LONGEST_VALUE,
    UNCLASSIFIED,
    Cause,
    Contact,
    Mode,
    Notes,
    Policy,
    Settings,
    value_key,
)
from helpdesks.calls import APIS, VALUE
from helpdesks.preset import LONGEST_EXPRESSION, MEANINGS, BadPreset, preset_of

PRESETS = Path(__file__).resolve().parent.parent / "functions" / "helpdesks" / "presets"
OUTCOMES = ("confirmed", "denied", "silent")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
A_DAY = timedelta(days=1)
LONGEST = timedelta(days=3650)
LARGEST_FILE = 300_000
"""Bytes; the stored item may have 400 KB."""

KEY = re.compile(r"[a-z0-9_-]{1,40}")
ADDRESS = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.A | re.I
)
MAY_BE_ZERO = {
    "first_ask_after",
    "quiet_period",
    "note_after",
    "words_within",
    "press_after_page",
    "press_after_mail",
}
RELATIONS = (
    ("reminder_after", "less than", "silent_after"),
    ("silent_after", "at most", "link_answers_for"),
    ("flag_settle_within", "at least", "flag_acknowledge_within"),
    ("repeated_customers", "at most", "repeated_tickets"),
)
NO_RHYTHM = "is neither whole days nor less than a day"
HOLDS: dict[str, Callable[[typing.Any, typing.Any], bool]] = {
    "less than": lambda a, b: a < b,
    "at most": lambda a, b: a <= b,
    "at least": lambda a, b: a >= b,
    "more than": lambda a, b: a > b,
}


# --- how single values are written ---


@dataclass(frozen=True)
class Form:
    """How one kind of value is written; ``parse`` gives None for a text that does not fit."""

    complaint: str
    allowed: str
    parse: Callable[[str], object]


def _text(text: str) -> str | None:
    return text.strip() if 0 < len(text.strip()) <= 200 and text.isprintable() else None


def _value(text: str) -> str | None:
    return text.strip() if _text(text) and len(text.strip()) <= LONGEST_VALUE and value_key(text) else None


def _key(text: str) -> str | None:
    return text if KEY.fullmatch(text) else None


def _address(text: str) -> str | None:
    local = text.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return text if ADDRESS.fullmatch(text) and len(text) <= 254 and not dots else None


def _domain(text: str) -> str | None:
    return text.lower() if _address(f"reply@{text}") else None


def _country(text: str) -> str | None:
    return text if text in known_countries() else None


def _url(text: str) -> str | None:
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError:
        return None
    own_machine = host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost")
    secure = url.scheme == "https" or (url.scheme == "http" and own_machine)
    plain = not (url.query or url.fragment or url.username or re.search(r"[\s\"'<>?#\\]", text))
    return text.rstrip("/") if host and secure and plain and text.isascii() else None


def _duration(text: str) -> timedelta | None:
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None
    return length if length is not None and length <= LONGEST else None


def _time(text: str) -> time | None:
    return time.fromisoformat(text) if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) else None


def _closing(text: str) -> time | None:
    return END_OF_DAY if text == "24:00" else _time(text)


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,2}|1000", text) else None


def _expression(text: str) -> str | None:
    return text.strip() if 0 < len(text.strip()) <= LONGEST_EXPRESSION and text.isprintable() else None


def _rate(text: str) -> float | None:
    rate = float(text) if re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", text) else 0.0
    return rate if 0 < rate <= 50 else None


TEXT = Form("is not a text", "one line of 1 to 200 characters", _text)
DURATION = Form("is not a duration", "a number and s, m, h or d, like 90s or 3d, up to 3650d", _duration)
ADDRESS_FORM = Form("is not an e-mail address", "one address such as mia@acme.example", _address)
KEY_FORM = Form("is not a key", 'a key of 1 to 40 characters: a-z, 0-9, "-" and "_"', _key)
CONTACT = Form("is not a contact", "the key of a contact", _text)
CAUSE = Form("is not a cause", "the code of a cause", _text)
MEANING = Form(
    "is not what a status can mean",
    ", ".join(MEANINGS),
    lambda text: text if text in MEANINGS else None,
)
EXPRESSION = Form("is not a JMESPath", f"a JMESPath of 1 to {LONGEST_EXPRESSION} characters", _expression)
WEEKDAY = Form(
    "is not a weekday", ", ".join(WEEKDAYS), {day: number for number, day in enumerate(WEEKDAYS)}.get
)
FORMS_BY_TYPE: dict[object, Form] = {
    str: TEXT,
    timedelta: DURATION,
    time: Form("is not a time", "HH:MM from 00:00 to 23:59", _time),
    int: Form("is not a number", "a whole number from 1 to 1000", _count),
    float: Form("is not a number", "a number above 0 and up to 50, such as 0.1", _rate),
    bool: Form("is neither true nor false", "true, false", {"true": True, "false": False}.get),
}
FORMS_BY_NAME = {
    "email": ADDRESS_FORM,
    "sender": ADDRESS_FORM,
    "reply_to": ADDRESS_FORM,
    "reply_domain": Form("is not a domain", "one domain such as reply.acme.example", _domain),
    "public_url": Form(
        "is not an address of web pages", "https://host or https://host/path; http on this machine", _url
    ),
    "time_zone": Form(
        "is not a time zone",
        "an IANA name such as Europe/Berlin",
        lambda text: text if known_zone(text) else None,
    ),
    "country": Form("is not a country", "two capital letters of ISO 3166, such as DE", _country),
    "closes": Form("is not a time", "HH:MM from 00:00 to 24:00", _closing),
    "weekdays": WEEKDAY,
    "digest_weekday": WEEKDAY,
    "weekday": WEEKDAY,
    "chat": KEY_FORM,
    "notes_weekday": WEEKDAY,
    "notes": Form(
        "is not a way to get notes",
        "at_once, daily, weekly",
        lambda text: text if text in typing.get_args(Notes) else None,
    ),
    "secret": KEY_FORM,
    "preset": Form(
        "is not a preset", "the name of a preset, or a whole one (docs/helpdesks/your-own.md)", _text
    ),
    "verify": Form("is not a way to verify", "the name of one of the preset's alternatives", _key),
    "manager": CONTACT,
    "responsible": CONTACT,
    "owner": CONTACT,
    "values": Form("is not a value", f"one line of 1 to {LONGEST_VALUE} characters", _value),
    "parent": CAUSE,
    "url": Form(
        "is not the address of an API", "https://host or https://host/path; http on this machine", _url
    ),
    "calls": Form("is not a description of an API", "the name of one", _text),
    "mode": Form(
        "is not a way to write back",
        "off, dry_run, on",
        lambda text: text if text in typing.get_args(Mode) else None,
    ),
    "outcomes": Form(
        "is not an outcome", ", ".join(OUTCOMES), lambda text: text if text in OUTCOMES else None
    ),
}
OWN_VALUE = Form(
    "is not a value",
    'one line of 1 to 100 letters, digits, blanks and . @ + - _, such as "360001"',
    lambda text: text.strip() if VALUE.fullmatch(text.strip()) else None,
)


def shown(name: str, value: object) -> str:
    """Write the value of the key ``name`` as a settings file does."""
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
            if seconds and seconds % size == 0:
                return f"{seconds // size}{unit}"
        return f"{seconds}s"
    if isinstance(value, time):
        return "24:00" if value == END_OF_DAY else f"{value:%H:%M}"
    if isinstance(value, tuple):
        return f"[{', '.join(shown(name, item) for item in value)}]"
    if FORMS_BY_NAME.get(name) is WEEKDAY and isinstance(value, int):
        return WEEKDAYS[value]
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- reading a file ---


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in one place; ``line`` counts from 1, ``path`` is the key with those around it."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {self.path}: {self.message}" if self.path else f"{self.line}: {self.message}"


def presets() -> list[str]:
    """Give the names of the helpdesks that this version can read."""
    return sorted(file.stem for file in PRESETS.glob("*.toml"))


def apis() -> list[str]:
    """Give the names of the helpdesks whose API is described."""
    return sorted(file.stem for file in APIS.glob("*.toml"))


def check(content: bytes, known_presets: Collection[str]) -> tuple[Settings | None, list[Problem]]:
    """Read the bytes of a settings file: the settings and no problems, or None and all problems by line."""
    if len(content) > LARGEST_FILE:
        return None, [Problem(1, "", f"the file has {len(content)} bytes; allowed: {LARGEST_FILE}")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [Problem(content.count(b"\n", 0, error.start) + 1, "", "this line is not UTF-8 text")]
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        return None, [
            Problem(
                text.count("\n", 0, error.position) + 1, "", "there is a character that YAML does not allow"
            )
        ]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context
        return None, [Problem(mark.line + 1 if mark else 1, "", f"not readable as YAML: {reason}")]
    reading = _Reading(known_presets)
    settings = reading.settings(node)
    return (None, sorted(set(reading.problems))) if reading.problems else (settings, [])


class _Reading:
    """One reading of a file. The types of ``domain.settings`` say which keys there are and what they hold."""

    def __init__(self, known_presets: Collection[str]) -> None:
        self.known_presets = known_presets
        self.problems: list[Problem] = []
        self.values: dict[str, typing.Any] = {}
        """What was readable, by path."""
        self.lines: dict[str, int] = {}
        """Where each key stands, readable or not, by path."""
        self.meanings: list[tuple[str, int, str]] = []
        """Path, line and cause of every value that a source maps itself."""

    def settings(self, node: yaml.Node | None) -> Settings | None:
        if node is None:
            self._complain(1, "", "the file is empty; allowed: the keys that infra/settings.yaml explains")
            return None
        settings: Settings | None = self._record(node, "", 1, Settings)
        self._check_people()
        self._check_causes()
        self._check_names("causes")
        self._check_names("teams")
        self._check_policy()
        self._check_schedules()
        for path, preset in self._all("sources", "preset"):
            self._check_preset(path, preset)
        self._check_apis()
        for group in ("contacts", "sources"):
            if group in self.values and not self.values[group]:
                self._complain(self.lines[group], group, "is empty; allowed: at least one")
        return settings

    def _complain(self, line: int, path: str, message: str) -> None:
        self.problems.append(Problem(line, path, message))

    def _record(self, node: yaml.Node, path: str, line: int, kind: type) -> typing.Any:
        """Read a mapping whose keys are the fields of ``kind``; None when anything in it is wrong."""
        pairs = self._pairs(node, path, line)
        if pairs is None:
            return None
        before = len(self.problems)
        hints = typing.get_type_hints(kind)
        given = {}
        for key, (value, at) in pairs.items():
            if key in hints:
                given[key] = self._value(value, _join(path, key), at, key, hints[key])
            else:
                self._complain(
                    at,
                    _join(path, key),
                    f"is not a key; {_did_you_mean(key, hints)}allowed: {', '.join(hints)}",
                )
        for field in dataclasses.fields(kind):
            optional = (
                field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            )
            if field.name not in pairs and not optional:
                form = _form(field.name, hints[field.name])
                allowed = form.allowed if form else "keys with values, as infra/settings.yaml explains"
                self._complain(line, _join(path, field.name), f"is missing; allowed: {allowed}")
        return kind(**given) if len(self.problems) == before else None

    def _pairs(self, node: yaml.Node, path: str, line: int) -> dict[str, tuple[yaml.Node, int]] | None:
        """Give the values of a mapping with the lines of their keys; ``<<`` adds keys that are not given."""
        if not isinstance(node, yaml.MappingNode):
            self._complain(
                line,
                path,
                f"{_quoted(node)} does not hold keys; allowed: keys with values, like name: Billing",
            )
            return None
        own: dict[str, tuple[yaml.Node, int]] = {}
        merged: dict[str, tuple[yaml.Node, int]] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._complain(at, path, "a key must be a text")
            elif key.tag == "tag:yaml.org,2002:merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if not isinstance(source, yaml.MappingNode):
                        self._complain(at, path, f"<< brings in {_quoted(source)}; allowed: keys with values")
                        continue
                    for name, inner in source.value:
                        merged.setdefault(str(name.value), (inner, name.start_mark.line + 1))
            elif key.value in own:
                self._complain(
                    at, _join(path, key.value), f"is given twice; first in line {own[key.value][1]}"
                )
            else:
                own[key.value] = value, at
        return merged | own

    def _value(self, node: yaml.Node, path: str, line: int, name: str, hint: object) -> typing.Any:
        """Read the value of the field ``name``; None when it is wrong, or empty where it may be."""
        self.lines[path] = line
        if isinstance(hint, types.UnionType):
            if node.tag == "tag:yaml.org,2002:null" and type(None) in typing.get_args(hint):
                return None
            hint = typing.get_args(hint)[0]
        if dataclasses.is_dataclass(hint):
            value = self._record(node, path, line, typing.cast(type, hint))
        elif name == "preset" and isinstance(node, yaml.MappingNode):
            value = self._plain(node, path, line)
        elif hint == dict[str, str] and name == "values":
            value = self._own_values(node, path, line)
        elif hint == dict[str, str]:
            value = self._meanings(node, path, line, name)
        elif typing.get_origin(hint) is dict:
            value = self._entries(node, path, line, typing.get_args(hint)[1])
        elif typing.get_origin(hint) is tuple:
            value = self._list(node, path, line, name, typing.get_args(hint)[0])
        else:
            value = self._scalar(node, path, line, name, hint)
        if value is not None:
            self.values[path] = value
        return value

    def _entries(self, node: yaml.Node, path: str, line: int, kind: type) -> dict[str, object] | None:
        pairs = self._pairs(node, path, line)
        if pairs is None:
            return None
        entries = {}
        for key, (value, at) in pairs.items():
            if not KEY.fullmatch(key):
                self._complain(
                    at,
                    path,
                    f"{json.dumps(key, ensure_ascii=False)} is not a key; allowed: {KEY_FORM.allowed}",
                )
            elif path == "causes" and key == UNCLASSIFIED:
                self._complain(
                    at,
                    _join(path, key),
                    "is taken: it counts the tickets without a known cause; allowed: another code",
                )
            entries[key] = self._value(value, _join(path, key), at, key, kind)
        return entries

    def _plain(self, node: yaml.Node, path: str, line: int) -> typing.Any:
        """Read what a preset holds: groups, lists, true and false, whole numbers, and everything else as a text."""
        self.lines[path] = line
        if isinstance(node, yaml.MappingNode):
            pairs = self._pairs(node, path, line) or {}
            return {key: self._plain(value, _join(path, key), at) for key, (value, at) in pairs.items()}
        if isinstance(node, yaml.SequenceNode):
            return [
                self._plain(value, f"{path}[{number}]", value.start_mark.line + 1)
                for number, value in enumerate(node.value)
            ]
        text = str(node.value)
        if node.tag == "tag:yaml.org,2002:bool" and text in {"true", "false"}:
            return text == "true"
        whole = node.tag == "tag:yaml.org,2002:int" and re.fullmatch(r"[0-9]{1,9}", text)
        return int(text) if whole else text

    def _own_values(self, node: yaml.Node, path: str, line: int) -> dict[str, str] | None:
        """Read what only this company knows of its helpdesk: names of values, and what they are."""
        pairs = self._pairs(node, path, line)
        if pairs is None:
            return None
        values: dict[str, str] = {}
        for key, (value, at) in pairs.items():
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", key):
                shown_key = json.dumps(key, ensure_ascii=False)
                self._complain(at, path, f'{shown_key} is not the name of a value; allowed: a-z, 0-9 and "_"')
            own = self._scalar(value, _join(path, key), at, key, OWN_VALUE)
            if isinstance(own, str):
                values[key] = own
        return values

    def _meanings(self, node: yaml.Node, path: str, line: int, name: str) -> dict[str, str] | None:
        """Read what a helpdesk's own words mean: for values codes of causes, for statuses ours, for fields a place."""
        pairs = self._pairs(node, path, line)
        if pairs is None:
            return None
        meanings: dict[str, str] = {}
        keys: dict[str, str] = {}
        form = FORMS_BY_NAME["values"]
        for word, (value, at) in pairs.items():
            own = _join(path, word)
            if not form.parse(word):
                word_shown = json.dumps(word, ensure_ascii=False)
                self._complain(at, path, f"{word_shown} {form.complaint}; allowed: {form.allowed}")
            elif (other := keys.setdefault(value_key(word), word)) != word:
                self._complain(at, own, f'is the same as "{other}"; allowed: one meaning each')
            meant = {"statuses": MEANING, "fields": EXPRESSION}.get(name, CAUSE)
            code = self._scalar(value, own, at, word, meant)
            if isinstance(code, str):
                meanings[word.strip()] = code
            if isinstance(code, str) and meant is CAUSE:
                self.meanings.append((own, at, code))
        return meanings

    def _list(
        self, node: yaml.Node, path: str, line: int, name: str, hint: object
    ) -> tuple[object, ...] | None:
        if not isinstance(node, yaml.SequenceNode):
            self._complain(
                line, path, f"{_quoted(node)} is not a list; allowed: values in brackets, like [a, b]"
            )
            return None
        items = [self._scalar(item, path, item.start_mark.line + 1, name, hint) for item in node.value]
        return tuple(dict.fromkeys(items))

    def _scalar(self, node: yaml.Node, path: str, line: int, name: str, hint: object) -> object:
        form = hint if isinstance(hint, Form) else _form(name, hint) or TEXT
        empty = node.tag == "tag:yaml.org,2002:null" or (isinstance(node, yaml.ScalarNode) and not node.value)
        value = form.parse(node.value) if isinstance(node, yaml.ScalarNode) and not empty else None
        if value is None:
            hint_at = (
                _did_you_mean(node.value, available_timezones()) if name == "time_zone" and not empty else ""
            )
            complaint = "is empty" if empty else f"{_quoted(node)} {form.complaint}"
            self._complain(line, path, f"{complaint}; {hint_at}allowed: {form.allowed}")
        return value

    # What no single value can tell.

    def _all(self, group: str, field: str) -> Iterator[tuple[str, typing.Any]]:
        """Give path and value of one field of all entries of a mapping, where it is given and readable."""
        for path, value in self.values.items():
            if re.fullmatch(rf"{group}\.[^.]+\.{field}", path):
                yield path, value

    def _refer(self, path: str, key: str, known: Collection[str], what: str) -> None:
        if key not in known:
            allowed = ", ".join(known) or "none exists yet"
            self._complain(
                self.lines[path],
                path,
                f'"{key}" is not {what}; {_did_you_mean(key, known)}allowed: {allowed}',
            )

    def _check_preset(self, path: str, preset: str | dict[str, typing.Any]) -> None:
        """A preset that ships or is written here, with what the source says about it."""
        if isinstance(preset, str) and preset not in self.known_presets:
            self._refer(path, preset, self.known_presets, "a preset")
            return
        source = path.rpartition(".")[0]
        fields: dict[str, str] = self.values.get(f"{source}.fields") or {}
        try:
            known = preset_of(preset)
        except BadPreset as wrong:
            self._complain_of_preset(path, wrong)
            return
        try:
            preset_of(preset, fields)
        except BadPreset as wrong:
            self._complain_of_preset(f"{source}.fields", wrong)
        way = self.values.get(f"{source}.verify")
        if way:
            self._refer(f"{source}.verify", way, known.alternatives, "an alternative of the preset")

    def _complain_of_preset(self, path: str, wrong: BadPreset) -> None:
        """Tell what is wrong at the nearest line that is there."""
        place = _join(path, wrong.key) if wrong.key else path
        near = place
        while near not in self.lines:
            near = near.rpartition(".")[0]
        self._complain(self.lines[near], place, f"{wrong.why}; docs/helpdesks/your-own.md explains every key")

    def _check_apis(self) -> None:
        """Whoever has an API has a description of it: by its name, or the one of the preset."""
        for path, _ in self._all("sources", "api"):
            source, named = path.removesuffix(".api"), self.values.get(f"{path}.calls")
            if named is not None:
                self._refer(f"{path}.calls", named, apis(), "a description of an API")
            elif (preset := self.values.get(f"{source}.preset")) is not None and preset not in apis():
                named = preset if isinstance(preset, str) else "a preset of your own"
                self._complain(
                    self.lines[path],
                    path,
                    f"nothing describes the API of {named}; allowed: calls: one of {', '.join(apis())}",
                )

    def _check_people(self) -> None:
        contacts: dict[str, Contact | None] = self.values.get("contacts", {})
        if "contacts" in self.values:
            for mapping, field in (
                ("contacts", "manager"),
                ("teams", "responsible"),
                ("causes", "owner"),
                ("causes", "manager"),
            ):
                for path, key in self._all(mapping, field):
                    self._refer(path, key, contacts, "a contact")
            if "responsible" in self.values:
                self._refer("responsible", self.values["responsible"], contacts, "a contact")
        self._check_chains("contacts", "manager")

    def _check_chains(self, mapping: str, field: str) -> None:
        """Whoever goes from one to the one above arrives."""
        all_above = {path.split(".")[1]: above for path, above in self._all(mapping, field)}
        for key in all_above:
            chain = [key]
            while (above := all_above.get(chain[-1])) and above not in chain:
                chain.append(above)
            if above == key:
                path = f"{mapping}.{key}.{field}"
                way = " -> ".join([*chain, key])
                self._complain(
                    self.lines[path], path, f'"{above}" leads back: {way}; allowed: a chain that ends'
                )

    def _check_causes(self) -> None:
        causes: dict[str, Cause | None] | None = self.values.get("causes")
        if causes is None:
            return
        for path, code in self._all("causes", "parent"):
            self._refer(path, code, causes, "a cause")
        for path, line, code in self.meanings:
            self.lines[path] = line
            self._refer(path, code, causes, "a cause")
        self._check_chains("causes", "parent")

    def _check_names(self, mapping: str) -> None:
        """Nothing that a helpdesk sends may mean two entries."""
        meaning: dict[str, str] = {}
        for key in self.values.get(mapping, {}):
            entry = f"{mapping}.{key}"
            paths = (
                [entry, f"{entry}.values"]
                if mapping == "causes"
                else [entry, f"{entry}.name", f"{entry}.names"]
            )
            for path in paths:
                found = key if path == entry else self.values.get(path, ())
                for name in (found,) if isinstance(found, str) else found:
                    said = value_key(name) if mapping == "causes" else str(name).strip().casefold()
                    other = meaning.setdefault(said, entry)
                    if other != entry:
                        self._complain(
                            self.lines[path],
                            path,
                            f'"{name}" already means {other}; allowed: one meaning each',
                        )

    def _check_policy(self) -> None:
        durations = [
            field.name for field in dataclasses.fields(Policy) if isinstance(field.default, timedelta)
        ]
        for name in durations:
            if name not in MAY_BE_ZERO:
                self._compare(name, "at least", timedelta(seconds=1), "1s")
        for name, relation, other in RELATIONS:
            self._compare_keys(name, relation, other)
        lengths = {
            name: self._policy(name)
            for name in durations
            if name != "keep_for" and self._policy(name) is not None
        }
        self._compare_keys("keep_for", "more than", max(lengths, key=lambda name: lengths[name]))
        self._compare("rise_at_least", "at least", 1.0, "1")
        self._compare("rise_compared_with", "at least", timedelta(days=28), "four weeks")
        compared = self._policy("rise_compared_with")
        if compared and compared % timedelta(days=7):
            self._complain_policy("rise_compared_with", compared, "is not whole weeks", "like 28d or 84d")
        most = KEPT_ASKS // MOST_TOGETHER
        self._compare("surveys_per_month", "at most", most, str(most))
        every = self._policy("digest_every")
        if every and every > A_DAY and every % A_DAY:
            self._complain_policy("digest_every", every, NO_RHYTHM, "like 12h, 1d or 7d")
        opens, closes = self._policy("hours.opens"), self._policy("hours.closes")
        if opens and closes and closes <= opens:
            self._complain_policy(
                "hours.closes", closes, "is not later than hours.opens", f"later than {shown('opens', opens)}"
            )
        if self.values.get("policy.hours.weekdays") == ():
            path = "policy.hours.weekdays"
            self._complain(self.lines[path], path, "is empty; allowed: at least one weekday")

    def _check_schedules(self) -> None:
        """What one person chose has to make sense with the policy that it changes."""
        for path, every in self._all("contacts", "digest.every"):
            kept = self._policy("keep_for")
            if every < timedelta(seconds=1):
                self._complain_about(path, every, "is not at least 1s", "at least 1s")
            elif every > A_DAY and every % A_DAY:
                self._complain_about(path, every, NO_RHYTHM, "like 12h, 1d or 7d")
            elif kept is not None and every >= kept:
                limit = shown("keep_for", kept)
                self._complain_about(
                    path, every, f"is not less than keep_for ({limit})", f"less than {limit}"
                )

    def _complain_about(self, path: str, value: object, complaint: str, allowed: str) -> None:
        name = path.rpartition(".")[2]
        self._complain(self.lines[path], path, f'"{shown(name, value)}" {complaint}; allowed: {allowed}')

    def _policy(self, name: str) -> typing.Any:
        """Give a value of the policy: as read, its default when left out, None when not readable."""
        path = f"policy.{name}"
        if path in self.values or path in self.lines:
            return self.values.get(path)
        default: object = Policy()
        for part in name.split("."):
            default = getattr(default, part)
        return default

    def _compare_keys(self, name: str, relation: str, other: str) -> None:
        bound = self._policy(other)
        if bound is not None:
            self._compare(name, relation, bound, f"{other} ({shown(other, bound)})")

    def _compare(self, name: str, relation: str, bound: object, bound_name: str) -> None:
        value = self._policy(name)
        if value is not None and not HOLDS[relation](value, bound):
            self._complain_policy(
                name, value, f"is not {relation} {bound_name}", f"{relation} {shown(name, bound)}"
            )

    def _complain_policy(self, name: str, value: object, complaint: str, allowed: str) -> None:
        path = f"policy.{name}"
        line = (
            self.lines.get(path)
            or self.lines.get("policy.hours" if "." in name else "policy")
            or self.lines.get("policy", 1)
        )
        left_out = "" if path in self.lines else " (the default)"
        self._complain(line, path, f'"{shown(name, value)}"{left_out} {complaint}; allowed: {allowed}')


def _form(name: str, hint: object) -> Form | None:
    return FORMS_BY_NAME.get(name) or FORMS_BY_TYPE.get(hint)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _quoted(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        text = str(node.value)
        return json.dumps(text if len(text) <= 60 else f"{text[:59]}…", ensure_ascii=False)
    return "a list" if isinstance(node, yaml.SequenceNode) else "a group of keys"


def _did_you_mean(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word.casefold(), {name.casefold(): name for name in known}, n=1)
    return next((f"did you mean {name}? " for name in known if close and name.casefold() == close[0]), "")


# --- the command ---


def differences(before: Settings | None, after: Settings) -> list[str]:
    """Give one line for every key that is added, removed or has another value, by path."""
    old, new = (dict(_flat("", part)) if part else {} for part in (before, after))
    lines = []
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            lines.append(f"  + {path}: {new[path]}")
        elif path not in new:
            lines.append(f"  - {path}: {old[path]}")
        elif old[path] != new[path]:
            lines.append(f"  ~ {path}: {old[path]} -> {new[path]}")
    return lines


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(_join(path, key), inner)
    elif value is not None and value != ():
        yield path, shown(path.rpartition(".")[2], value)


def apply(settings: Settings, table: str, public_url: str | None, now: datetime) -> str:
    """Store checked settings in the table, see to the owners' digests, and say what changed, in lines.

    Raises ValueError when nothing says where the pages are, Changed when somebody else stored settings
    meanwhile, and the errors of AWS as they are.
    """
    os.environ["TABLE"] = table
    from adapters import settings_store, thanks

    before = settings_store.read()
    known_url = before.settings.company.public_url if before else None
    base = settings.company.public_url or public_url or known_url
    if not base:
        raise ValueError("company.public_url: is missing; allowed: give it in the file or as --public-url")
    settings = replace(settings, company=replace(settings.company, public_url=base))
    stored = settings_store.store(settings, now, before)
    _schedule_digests(settings, before.settings if before else None, now)
    thanks.ensure(settings, now)
    if stored is before:
        return f"Nothing to change: table {table} has these settings already (version {stored.version})."
    _recount()
    changes = differences(before.settings if before else None, settings)
    seconds = int(settings_store.FRESH.total_seconds())
    title = f"Stored as version {stored.version} in table {table}:"
    return "\n".join([title, *changes, f"Running Lambdas follow within {seconds} seconds."])


def _recount() -> None:
    """Have causes counted anew at once; without it the schedule finds within minutes that settings were applied."""
    name = os.environ.get("RECOUNT_FUNCTION")
    if name:
        import boto3

        boto3.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")


def _schedule_digests(settings: Settings, before: Settings | None, now: datetime) -> None:
    """Give a next digest to every owner without one, and to those whose digest times have changed.

    Whoever else has one keeps it: a digest that is due at this moment must not be skipped.
    """
    from adapters import owners

    for key in sorted({cause.owner for cause in settings.causes.values()}):
        times = settings.policy_for(key)
        moved = before is None or _digest_times(before.policy_for(key)) != _digest_times(times)
        known = owners.load(key)
        if moved or known is None or known.due_at is None:
            owners.ensure([key], next_digest(now, times))


def _digest_times(policy: Policy) -> tuple[object, ...]:
    return policy.digest_every, policy.digest_weekday, policy.digest_at, policy.time_zone


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Check a settings file and store it.")
    parser.add_argument("file", type=Path, help="the settings, such as infra/settings.yaml")
    parser.add_argument("--table", default=os.environ.get("TABLE"), help="the stack's table; default: TABLE")
    parser.add_argument(
        "--public-url",
        default=os.environ.get("PUBLIC_URL"),
        help="base of all links, unless the file gives it",
    )
    parser.add_argument("--check", action="store_true", help="only check the file")
    given = parser.parse_args(arguments)
    try:
        settings, problems = check(given.file.read_bytes(), presets())
    except OSError as error:
        return _fail(f"{given.file}: {error.strerror}")
    if settings is None:
        return _fail(
            *(f"{given.file}:{problem}" for problem in problems),
            f"{len(problems)} to correct; nothing was changed.",
        )
    valid = f"{given.file} is valid."
    if given.check:
        sys.stdout.write(f"{valid}\n")
        return 0
    url = FORMS_BY_NAME["public_url"]
    if given.public_url and not url.parse(given.public_url):
        return _fail(f'--public-url: "{given.public_url}" {url.complaint}; allowed: {url.allowed}')
    if not given.table:
        return _fail("Which table? Give --table NAME or set TABLE.")
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    public_url = str(url.parse(given.public_url)) if given.public_url else None
    try:
        report = apply(settings, given.table, public_url, datetime.now(UTC))
    except ValueError as error:
        return _fail(f"{given.file}: {error}")
    except Changed as error:
        return _fail(
            f"Not all was changed, because of another change at the same time: {error}. Run it again."
        )
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        return _fail(f"Table {given.table} could not be used: {error}. Run it again.")
    sys.stdout.write(f"{valid}\n{report}\n")
    return 0


def _fail(*lines: str) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
