"""What a helpdesk's request means to Followthrough, field by field, in lines that a person can read.

Nothing here is stored or sent.
"""

import json
import shlex
import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.closure import Closure, Contributor, Reopen
from domain.settings import UNCLASSIFIED, Settings, Source
from helpdesks import mapping
from helpdesks.calls import APIS
from helpdesks.preset import PRESETS, Preset, preset_of

ANY_AGE = timedelta(days=3650)
"""What was captured may be old: that it would not be asked about is said, and is no reason to refuse it."""
UNREAD_FIELDS = ("source", "kind", "needs_details", "degraded")
_BODY = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_NO_ADDRESS_AFTER = _BODY | {
    "-H",
    "--header",
    "-e",
    "--referer",
    "-x",
    "--proxy",
    "-A",
    "--user-agent",
    "-u",
    "--user",
}
WANTED = {
    "requester_email": "nobody can be asked without the customer's address",
    "subject": "the mail can only say the ticket's number",
    "requester_name": "the mail greets nobody by name",
    "locale": "the mail is in English",
    "resolver_name": "nobody is named and thanked",
    "team": "no team hears that it was solved",
    "cause": "it counts as unclassified",
}
"""What is missed most, and what it costs."""


class NotACapture(Exception):  # noqa: N818 - reads as a sentence
    """The file holds no request that could be replayed; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A captured request: header names in lower case, the raw body, and the address where it was sent, if known."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


def captured(content: bytes) -> Request:
    """The request in a file: a `curl` command as browsers and helpdesks copy it, or a body as it is."""
    text = content.decode("utf-8", "replace").strip()
    if text.startswith("curl "):
        return _curl(text)
    if not content.strip():
        raise NotACapture("it is empty")
    return Request(body=content)


def _curl(text: str) -> Request:
    try:
        words = shlex.split(text.replace("\\\n", " "))
    except ValueError as wrong:
        raise NotACapture(f"it begins with curl and is no complete command: {wrong}") from None
    headers: dict[str, str] = {}
    body: str | None = None
    url = ""
    for before, option, value in zip(["", *words], words, [*words[1:], ""], strict=False):
        if option.startswith(("http://", "https://")) and before not in _NO_ADDRESS_AFTER:
            url = option
        elif option in {"-u", "--user"}:
            headers["authorization"] = f"Basic {b64encode(value.encode()).decode()}"
        elif option in {"-H", "--header"}:
            name, _, told = value.partition(":")
            headers[name.strip().lower()] = told.strip()
        elif option in _BODY:
            if value.startswith("@"):
                raise NotACapture(f"its body is in the file {value[1:]}: give that file instead")
            body = value
    if body is None:
        raise NotACapture("the curl command has no -d or --data")
    return Request(body=body.encode(), headers=headers, url=url)


def explain(
    name: str, source: Source, request: Request, now: datetime, settings: Settings | None
) -> Iterator[tuple[bool, list[str]]]:
    """Each event of a request: whether it is a closure that can be asked about, and the lines to show."""
    preset = preset_of(source.preset, source.fields)
    headers = preset.kept_headers(request.headers)
    try:
        events = mapping.split(preset, request.body)
    except mapping.Unusable as unusable:
        yield False, [f"refused: {unusable}", *_help(str(unusable), preset, request.body, headers)]
        return
    for number, event in enumerate(events, 1):
        head = f"event {number} of {len(events)}: " if len(events) > 1 else ""
        try:
            own: dict[str, Any] = {"statuses": source.statuses, "time_zone": source.time_zone}
            report = mapping.read(preset, headers, event, now, ANY_AGE, source=name, **own)
        except mapping.Unusable as unusable:
            yield False, [f"{head}refused: {unusable}", *_help(str(unusable), preset, event, headers)]
            continue
        if isinstance(report, mapping.Ignored):
            yield False, [f"{head}understood, and none of our business: {report.reason}"]
        elif isinstance(report, Reopen):
            yield (
                False,
                [
                    f"{head}understood as: reopened, or no longer there",
                    *_table({"ticket_id": report.ticket_id, "reopened_at": report.reopened_at}, {}),
                ],
            )
        else:
            where = places(source, preset, headers, event)
            asked = _asked(name, source, settings) if report.needs_details else ()
            lines = [f"{head}understood as: {report.kind}", *_closure(report, where, now, settings), *asked]
            usable = can_ask(name, source, settings) if report.needs_details else bool(report.requester_email)
            yield usable, lines


def can_ask(name: str, source: Source, settings: Settings | None) -> bool:
    """Whether what a hint leaves out can be fetched: by these settings, else whether it could be set up."""
    return settings.can_ask(name) if settings else _has_description(source)


def _has_description(source: Source) -> bool:
    return (APIS / f"{source.calls}.toml").exists()


def _asked(name: str, source: Source, settings: Settings | None) -> Iterator[str]:
    """What becomes of a hint, which leaves out whom to ask."""
    if can_ask(name, source, settings):
        yield "  The helpdesk sent a hint only: the follow-up waits until the rest is fetched (docs/helpdesk-api.md)."
        return
    yield "  Nobody can be asked: the helpdesk sent a hint only, and nothing fetches the rest."
    if _has_description(source):
        yield "  to do    give the source an `api:` in the settings, and store its token (docs/helpdesk-api.md)"
    else:
        yield "  to do    have it send the customer's address, in a format of your own (docs/helpdesks/your-own.md)"


def _closure(
    closure: Closure, where: Mapping[str, str], now: datetime, settings: Settings | None
) -> Iterator[str]:
    values = {
        key: value
        for key in closure.__dataclass_fields__
        if key not in UNREAD_FIELDS and (value := getattr(closure, key))
    }
    yield from _table(values, where)
    if closure.degraded:
        yield "  The time is that of its receipt, or the body was broken: marked as degraded."
    if settings:
        yield from _known_here(closure, settings)
        if now - closure.closed_at > settings.policy.oldest_closure:
            yield "  It is too old to be asked about (policy.oldest_closure): the hook ignores it."
    if not closure.needs_details:
        named = {"resolver_name"} if "resolver_email" in values else set()
        for key, cost in WANTED.items():
            if key not in {*values, *named}:
                yield f"  missing  {key}: {cost}"


def _known_here(closure: Closure, settings: Settings) -> Iterator[str]:
    if closure.cause and settings.cause_of(closure.cause, closure.source) == UNCLASSIFIED:
        yield f'  to do    no cause of your settings has the value "{closure.cause}": add it to its `values`'
    if closure.team and not settings.team_of(closure.team):
        yield f'  to do    no team of your settings is called "{closure.team}": add it to its `names`'


def _table(values: Mapping[str, Any], where: Mapping[str, str]) -> Iterator[str]:
    shown = {key: _shown(value) for key, value in values.items()}
    wide = max(map(len, shown), default=0)
    broad = min(48, max(map(len, shown.values()), default=0))
    for key, text in shown.items():
        place = f"   from {where[key]}" if key in where else ""
        yield f"  {key:<{wide}}  {text:<{broad}}{place}".rstrip()


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, tuple):
        return ", ".join(_shown(inner) for inner in value)
    if isinstance(value, Contributor):
        return value.name or value.team or value.email or ""
    return str(value)


def places(source: Source, preset: Preset, headers: Mapping[str, str], event: bytes) -> dict[str, str]:
    """Where each field of this event comes from: the expressions of the shape that reads it, as they are written."""
    shape = mapping.shape_of(preset, headers, event)
    if shape is None:
        return {}
    written: Mapping[str, Any] = (
        source.preset
        if not isinstance(source.preset, str)
        else tomllib.loads((PRESETS / f"{source.preset}.toml").read_text("utf-8"))
    )
    table = next(table for table in written["shapes"] if table["name"] == shape.name)
    return {**table["fields"], "closed_at": table["time"], **source.fields}


def _help(reason: str, preset: Preset, event: bytes, headers: Mapping[str, str]) -> Iterator[str]:
    """What would mend it, as far as the reason tells."""
    if reason == "status is not known":
        yield "  Say what it means in the settings: `statuses: {<the status>: closed}` (or solved, reopened, ignored)."
    elif reason == "body matches no shape of the preset":
        names = ", ".join(shape.name for shape in preset.shapes)
        yield f"  The preset reads: {names}. The body's keys are: {', '.join(_keys(event)) or 'none'}."
        if absent := [name for name in preset.headers if name not in headers]:
            yield f"  It also reads these headers, which did not come: {', '.join(absent)} (capture a curl command)."
    elif reason == "body is not JSON":
        yield "  Look for an unescaped quotation mark or line break: leave free texts out of the template."


def _keys(event: bytes) -> list[str]:
    try:
        content = json.loads(event)
    except ValueError:
        return []
    return [str(key)[:40] for key in content][:20] if isinstance(content, dict) else []
