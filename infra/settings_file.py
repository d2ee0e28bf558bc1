"""Read a settings file and check all of it: the settings, or every problem with its line. Nothing is stored here."""

import dataclasses
import difflib
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import available_timezones

import msgspec
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from domain.follow_up import MOST_TOGETHER
from domain.person import KEPT_ASKS
from domain.settings import UNCLASSIFIED, Cause, Contact, Policy, Settings, value_key
from helpdesks.calls import APIS, calls
from helpdesks.preset import PRESETS, BadPreset, preset_of
from settings_values import (
    CAUSE,
    EXPRESSION,
    FORMS_BY_NAME,
    KEY,
    KEY_FORM,
    MEANING,
    OWN_VALUE,
    TEXT,
    Form,
    form_of,
    shown,
)

LARGEST_FILE = 300_000
"""Bytes."""
LARGEST_STORED = 380_000
"""Bytes with every default written out; DynamoDB takes items of 400 KB."""

A_DAY = timedelta(days=1)
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
    if reading.problems:
        return None, sorted(set(reading.problems))
    if (size := len(msgspec.json.encode(settings))) > LARGEST_STORED:
        return None, [Problem(1, "", f"all of it has {size} bytes when stored; allowed: {LARGEST_STORED}")]
    return settings, []


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
                given[key] = self._value(value, join(path, key), at, key, hints[key])
            else:
                self._complain(
                    at,
                    join(path, key),
                    f"is not a key; {_did_you_mean(key, hints)}allowed: {', '.join(hints)}",
                )
        for field in dataclasses.fields(kind):
            optional = (
                field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
            )
            if field.name not in pairs and not optional:
                form = form_of(field.name, hints[field.name])
                allowed = form.allowed if form else "keys with values, as infra/settings.yaml explains"
                self._complain(line, join(path, field.name), f"is missing; allowed: {allowed}")
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
                    at, join(path, key.value), f"is given twice; first in line {own[key.value][1]}"
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
                    join(path, key),
                    "is taken: it counts the tickets without a known cause; allowed: another code",
                )
            entries[key] = self._value(value, join(path, key), at, key, kind)
        return entries

    def _plain(self, node: yaml.Node, path: str, line: int) -> typing.Any:
        """Read what a preset holds: groups, lists, true and false, whole numbers, and everything else as a text."""
        self.lines[path] = line
        if isinstance(node, yaml.MappingNode):
            pairs = self._pairs(node, path, line) or {}
            return {key: self._plain(value, join(path, key), at) for key, (value, at) in pairs.items()}
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
            own = self._scalar(value, join(path, key), at, key, OWN_VALUE)
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
            own = join(path, word)
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
        form = hint if isinstance(hint, Form) else form_of(name, hint) or TEXT
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
        place = join(path, wrong.key) if wrong.key else path
        near = place
        while near not in self.lines:
            near = near.rpartition(".")[0]
        self._complain(self.lines[near], place, f"{wrong.why}; docs/helpdesks/your-own.md explains every key")

    def _check_apis(self) -> None:
        """Whoever has an API has a description of it: by its name, or the one of the preset."""
        for path, _ in self._all("sources", "api"):
            source, named = path.removesuffix(".api"), self.values.get(f"{path}.calls")
            preset = self.values.get(f"{source}.preset")
            if named is not None:
                self._refer(f"{path}.calls", named, apis(), "a description of an API")
            elif preset is not None and preset not in apis():
                named = preset if isinstance(preset, str) else "a preset of your own"
                self._complain(
                    self.lines[path],
                    path,
                    f"nothing describes the API of {named}; allowed: calls: one of {', '.join(apis())}",
                )
            if (api := named or preset) in apis():
                self._check_needs(source, api)

    def _check_needs(self, source: str, api: str) -> None:
        """What an API cannot be asked or told without is there."""
        writes = self.values.get(f"{source}.write_back.mode") == "on"
        needed = (*calls(api).needs, *(calls(api).needs_to_write if writes else ()))
        given = self.values.get(f"{source}.api.values") or {}
        if missing := [name for name in needed if name not in given]:
            path, wanted = f"{source}.api", ", ".join(f'{name}: "..."' for name in missing)
            why = "told" if missing[0] in calls(api).needs_to_write else "asked"
            self._complain(
                self.lines[path],
                path,
                f"{api} cannot be {why} without {', '.join(missing)}; allowed: values: {{{wanted}}}",
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


def join(path: str, key: str) -> str:
    """The path of a key below another; at the top it is the key."""
    return f"{path}.{key}" if path else key


def _quoted(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        text = str(node.value)
        return json.dumps(text if len(text) <= 60 else f"{text[:59]}…", ensure_ascii=False)
    return "a list" if isinstance(node, yaml.SequenceNode) else "a group of keys"


def _did_you_mean(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word.casefold(), {name.casefold(): name for name in known}, n=1)
    return next((f"did you mean {name}? " for name in known if close and name.casefold() == close[0]), "")
