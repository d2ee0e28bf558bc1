"""The only place that reads the clock or invents an identifier; tests and simulations replace those two functions."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An identifier that nobody has used before: 32 hexadecimal digits."""
    return uuid4().hex


def stops_at(context: Any, enough: int, seconds: int | None) -> int:
    """With how many milliseconds left a long walk stops: at ``enough`` to end in, or after ``seconds`` where given.

    Whoever waits for a walk wants to hear how far it is, and not every network keeps a silent connection for minutes.
    """
    return max(enough, context.get_remaining_time_in_millis() - 1000 * seconds) if seconds else enough
