"""Requests of a source that somebody is connecting, kept for an hour so that `make connect` can explain them.

    CONNECT#<source>   <instant>#<digest>    a request whose sender was right, as it came
                       <minute>#<reason>     that one was refused, once a minute and reason, and nothing of it

Nothing is kept for sources that nobody is connecting.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from adapters import table

KEPT = timedelta(hours=1)
REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Capture:
    """What became of a request, and unless it was refused its body (base64) and those headers that a preset reads."""

    received_at: datetime
    outcome: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    version: int = 0

    @property
    def raw(self) -> bytes:
        """The body as the helpdesk sent it."""
        return b64decode(self.body)


def keep(source: str, headers: Mapping[str, str], body: bytes, outcome: str, now: datetime) -> None:
    """Keep a request whose sender was right; ``headers`` are those that its preset reads, never one with a secret."""
    capture = Capture(received_at=now, outcome=outcome, headers=dict(headers), body=b64encode(body).decode())
    _put(source, f"{table.now_text(now)}#{sha256(body).hexdigest()[:12]}", capture)


def keep_refused(source: str, reason: str, now: datetime) -> None:
    """Keep that a request was refused; whoever sent it decides about nothing that is stored."""
    minute = now.replace(second=0, microsecond=0)
    _put(
        source, f"{table.now_text(minute)}#{reason}", Capture(received_at=now, outcome=f"{REFUSED}: {reason}")
    )


def listed(source: str, since: datetime) -> Iterator[Capture]:
    """What came since then, the oldest first."""
    first = table.now_text(since.replace(second=0, microsecond=0))
    for row in table.find(_partition(source), since=first, until="~"):
        yield table.read_row(row, Capture)


def _put(source: str, key: str, capture: Capture) -> None:
    keep_until = capture.received_at + KEPT
    table.put_missing(table.make_row(_partition(source), key, "capture", capture, keep_until=keep_until))


def _partition(source: str) -> str:
    return f"CONNECT#{source}"
