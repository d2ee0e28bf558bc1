"""The only place that reads the clock or invents an identifier; tests and simulations replace these two functions."""

from datetime import UTC, datetime
from uuid import uuid4


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An identifier that nobody has used before: 32 hexadecimal digits."""
    return uuid4().hex
