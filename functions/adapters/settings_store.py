"""The company's settings: one item, ``SETTINGS`` / ``CURRENT``, so that a change needs no deployment.

The apply command checks them and writes them here. Lambdas only read: no YAML, no checks, and one ``GetItem``
every 30 seconds. A key that is added to ``domain.settings`` needs a default: stored settings may be older.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from adapters import table
from domain.errors import FollowthroughError
from domain.settings import Settings

KEY = ("SETTINGS", "CURRENT")
KIND = "settings"

FRESH = timedelta(seconds=30)
"""How long a process uses what it has read; the apply command promises that changes arrive within it."""


class NoSettings(FollowthroughError):  # noqa: N818 - reads as a sentence
    """Nobody has applied settings to this table yet."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Settings as stored: ``version`` counts changes from 1, ``digest`` is the same for the same content."""

    settings: Settings
    applied_at: datetime
    digest: str
    connecting: Mapping[str, datetime] = field(default_factory=dict)
    """Sources that somebody is connecting, and until when: their requests are kept for that person (captures.py)."""
    version: int = 0


_kept: tuple[datetime, Stored] | None = None


def settings(now: datetime) -> Settings:
    """Give the settings, at most 30 seconds old.

    Raises NoSettings when there are none, and PynamoDB's errors when the table cannot be read.
    """
    return _current(now).settings


def is_connecting(source: str, now: datetime) -> bool:
    """Whether somebody is waiting to see this source's requests; costs nothing beside the settings themselves."""
    until = _current(now).connecting.get(source)
    return until is not None and now < until


def _current(now: datetime) -> Stored:
    global _kept
    if _kept and timedelta() <= now - _kept[0] < FRESH:
        return _kept[1]
    stored = read()
    if stored is None:
        raise NoSettings("no settings are stored yet: make settings FILE=my-settings.yaml")
    _kept = now, stored
    return stored


def forget() -> None:
    """Read the settings again at the next use."""
    global _kept
    _kept = None


def read() -> Stored | None:
    """Give what is stored now; None before the first ``store``."""
    row = table.get(*KEY)
    return table.read_row(row, Stored) if row else None


def store(new: Settings, now: datetime, before: Stored | None) -> Stored:
    """Replace ``before``, as read, by ``new``; the same content is not written again.

    Raises Changed when somebody else stored settings since ``before`` was read.
    """
    digest = hashlib.sha256(msgspec.json.encode(new, order="deterministic")).hexdigest()
    if before and before.digest == digest:
        return before
    connecting = before.connecting if before else {}
    return _put(
        Stored(
            settings=new,
            applied_at=now,
            digest=digest,
            connecting=connecting,
            version=before.version + 1 if before else 1,
        )
    )


def connect(source: str, until: datetime, before: Stored) -> Stored:
    """From now on, and ``until`` then, keep what ``source`` sends. Raises Changed as ``store`` does."""
    return _put(replace(before, connecting={**before.connecting, source: until}, version=before.version + 1))


def _put(stored: Stored) -> Stored:
    # Not by table.make_row: it leaves out empty maps, and settings without any teams say so with one.
    table.put(table.Row(*KEY, kind=KIND, version=stored.version, body=msgspec.json.encode(stored).decode()))
    forget()
    return stored
