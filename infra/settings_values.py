"""How single values of a settings file are written: what is allowed for each, and what to say about any other text."""

import re
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import jmespath
from jmespath.exceptions import JMESPathError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from adapters.closed_days import known_countries
from domain.hours import END_OF_DAY, known_zone
from domain.settings import LONGEST_VALUE, Mode, Notes, value_key
from helpdesks.calls import VALUE
from helpdesks.preset import LONGEST_EXPRESSION, MEANINGS

OUTCOMES = ("confirmed", "denied", "silent")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=3650)

KEY = re.compile(r"[a-z0-9_-]{1,40}")
ADDRESS = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.A | re.I
)


@dataclass(frozen=True)
class Form:
    """How one kind of value is written; ``parse`` gives None for a text that does not fit."""

    complaint: str
    allowed: str
    parse: Callable[[str], object]


def _text(text: str) -> str | None:
    # Word and web pages put blanks there at which no line breaks: nobody sees the difference.
    text = text.replace("\u00a0", " ").replace("\u202f", " ")
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


def _condition(text: str) -> str | None:
    try:
        jmespath.compile(text)
    except JMESPathError:
        return None
    return _expression(text)


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
    "only": Form(
        "is not a JMESPath over one listed ticket",
        f"1 to {LONGEST_EXPRESSION} characters over item, such as item.mailboxId==`85`",
        _condition,
    ),
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


def form_of(name: str, hint: object) -> Form | None:
    """How the value of the key ``name`` is written, whose type is ``hint``; None for what is no single value."""
    return FORMS_BY_NAME.get(name) or FORMS_BY_TYPE.get(hint)


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
