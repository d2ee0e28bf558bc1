"""What cannot be used, with the reason, for 30 days: ``QUARANTINE`` by time.

Signed closures are kept as they came. Of a reply by mail only its place in the store is kept, which keeps it as long.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from adapters import table

KEPT = timedelta(days=30)
NONE: Mapping[str, str] = {}
BY_MAIL = "by mail"
"""The source of replies; no key of the settings can be spelled like it."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One webhook as it came, one event of it, or the place of a mail.

    ``body`` is base64; ``part`` says that it is one event of a request that brought several; ``headers`` are those that
    its preset reads, never one with a secret; ``replayed`` is what became of it later.
    """

    source: str
    reason: str
    received_at: datetime
    body: str
    part: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    replayed: str | None = None
    version: int = 0

    @property
    def id(self) -> str:
        """Its identifier: when it came, and a digest so that a repeat in the same instant is the same."""
        digest = sha256(self.body.encode()).hexdigest()[:12]
        return f"{table.now_text(self.received_at)}#{digest}"

    @property
    def raw(self) -> bytes:
        """The body as the helpdesk sent it."""
        return b64decode(self.body)


def keep(
    source: str,
    reason: str,
    body: bytes,
    received_at: datetime,
    *,
    part: bool = False,
    headers: Mapping[str, str] = NONE,
) -> str:
    """Keep a webhook, or the place of a mail; gives its identifier."""
    kept = Kept(
        source=source,
        reason=reason,
        received_at=received_at,
        body=b64encode(body).decode(),
        part=part,
        headers=dict(headers),
    )
    table.put_missing(_row(kept))
    return kept.id


def load(identifier: str) -> Kept | None:
    """One kept webhook, or None."""
    item = table.get("QUARANTINE", identifier)
    return table.read_row(item, Kept) if item else None


def listed() -> Iterator[Kept]:
    """All kept webhooks, oldest first."""
    return (table.read_row(item, Kept) for item in table.find("QUARANTINE"))


def mark_replayed(kept: Kept, outcome: str) -> None:
    """Note what became of it; it stays until its time is over. Raises Changed."""
    table.put(_row(replace(kept, replayed=outcome)))


def _row(kept: Kept) -> table.Row:
    return table.make_row("QUARANTINE", kept.id, "quarantine", kept, keep_until=kept.received_at + KEPT)
