"""From a helpdesk's request to what it means for us: a closure, a reopening, or nothing.

The helpdesk's preset (preset.py) says where everything is; here it is read, held to its limits, and understood.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn, cast

from domain.closure import Closure, Contributor, Kind, Reopen, end_of
from domain.errors import FollowthroughError
from domain.hours import zone_of
from helpdesks.preset import ROOTS, Meaning, Preset, Shape
from helpdesks.verify import instant

LARGEST_BODY = 256 * 1024
"""Bytes; the hook answers 413 to more before it reads anything."""
CLOCK_DIFFERENCE = timedelta(hours=1)
"""How far in our future a helpdesk's clock may be."""
LONGEST_PAST = timedelta(days=3650)
"""An older time is no time of a ticket but a mistake, such as seconds that are read as milliseconds."""
MOST_EVENTS = 100
"""In one request; HubSpot and Salesforce send no more."""
MOST_FIELDS = 200
SALVAGED_CHARACTERS = 16_384
"""Zendesk bodies are not longer, and the ids stand at the beginning."""
CLOSING = frozenset({"solved", "closed", "merged"})
_TIME_NAMES = {"reopened": "reopened_at", "deleted": "deleted_at"}
"""What the time of a report that ends a pending question is called; every other one is a closing's."""
NO_STATUSES: Mapping[str, str] = {}

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UTC = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)")
_EPOCH = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,9})?")


class Unusable(FollowthroughError):  # noqa: N818 - reads as a sentence: raise Unusable("closed_at out of range")
    """A genuine request that we cannot use: quarantine it. ``reason`` never holds data of the ticket."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Ignored:
    """A genuine request that is not our business; ``reason`` never holds data of the ticket."""

    reason: str


def read(
    preset: Preset,
    headers: Mapping[str, str],
    body: bytes,
    received_at: datetime,
    oldest: timedelta,
    *,
    source: str,
    statuses: Mapping[str, str] = NO_STATUSES,
    time_zone: str | None = None,
) -> Closure | Reopen | Ignored:
    """What one verified event means; Unusable when it should mean something and does not.

    ``headers`` have lower-case names, ``body`` is raw (after base64 decoding by the gateway) or one part of
    ``split``, ``received_at`` has a zone, ``oldest`` is how long before it a closure may lie (an older one is
    ignored), ``source`` is the settings' key of this helpdesk, ``statuses`` what the settings say about its
    statuses: they win over the preset's, ``time_zone`` the zone of times without one, instead of UTC.
    """
    text = _text_of(body)
    own = {label.strip().casefold(): meaning for label, meaning in statuses.items()}
    told = _Told(source=source, received_at=received_at, oldest=oldest, statuses=own, time_zone=time_zone)
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
    return [_part(event) for event in events]


def _part(event: object) -> bytes:
    """One event as JSON, no larger than it came: escapes would make a Russian text three times as long."""
    try:
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(event).encode()  # half of a surrogate pair is no UTF-8


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
    time_zone: str | None

    def check(self, moment: datetime, name: str) -> datetime:
        """``moment``, when a report that arrives now can be about it."""
        if not self.received_at - LONGEST_PAST <= moment <= self.received_at + CLOCK_DIFFERENCE:
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
    if at < told.received_at - told.oldest:
        return Ignored("older than policy.oldest_closure")
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
        moment = _local(without_zone[1], without_zone[2], told) if without_zone else instant(text)
    if moment is None:
        raise Unusable(f"{name} is not a time with zone")
    return told.check(moment, name)


def _local(day: str, clock: str, told: _Told) -> datetime | None:
    """A time without a zone, in UTC or on the clocks of the source; of an hour that there is twice, the second."""
    as_utc, zone = instant(f"{day}T{_seconds(clock)}Z"), zone_of(told.time_zone)
    if as_utc is None or zone is None:
        return as_utc
    try:
        return as_utc.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except OverflowError:
        return None


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
