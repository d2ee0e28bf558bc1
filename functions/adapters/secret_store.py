"""AWS Secrets Manager: what signs our links, verifies webhooks, opens helpdesks' APIs, and where chats are reached."""

import json
import os
from datetime import datetime, timedelta

from adapters.aws import client
from adapters.telemetry import logger

FRESH = timedelta(minutes=1)
"""A changed secret is used everywhere this long after the change."""

LAST_GOOD = timedelta(minutes=15)
"""So long a secret that was read once is used while the store cannot be reached."""

_cache: dict[str, tuple[datetime, dict[str, object]]] = {}


def hook_keys(name: str, now: datetime) -> list[str]:
    """The secrets of one source, the newest first; empty when it has none.

    Raises the store's own error when it cannot be reached and nothing was read lately.
    """
    known = _read(os.environ["HOOK_SECRETS"], now).get(name)
    if isinstance(known, str):
        return [known]
    return [str(key) for key in known] if isinstance(known, list) else []


def api_token(name: str, now: datetime) -> str | None:
    """The token with which we call one helpdesk's API, the newest; None when nobody stored one."""
    known = _read(os.environ["API_SECRETS"], now).get(name)
    listed = known if isinstance(known, list) else [known]
    return str(listed[0]) if listed and listed[0] else None


def chat_address(name: str, now: datetime) -> str | None:
    """Where one chat channel is reached, token included; None when nobody stored it."""
    known = _read(os.environ["CHAT_ADDRESSES"], now).get(name)
    return known if isinstance(known, str) else None


def link_keys(now: datetime) -> list[str]:
    """The keys that sign links, the newest last, as itsdangerous wants them."""
    stored = _read(os.environ["LINK_KEYS"], now)
    retired = stored.get("retired")
    return [*(str(key) for key in (retired if isinstance(retired, list) else [])), str(stored["current"])]


def forget() -> None:
    """Read everything again at the next use."""
    _cache.clear()


def _read(secret_id: str, now: datetime) -> dict[str, object]:
    known = _cache.get(secret_id)
    if known and now - known[0] < FRESH:
        return known[1]
    try:
        answer = client("secretsmanager").get_secret_value(SecretId=secret_id)
    except Exception:
        if known and now - known[0] < LAST_GOOD:
            logger.warning("a secret could not be read again; the last one is used", exc_info=True)
            return known[1]
        raise
    secret: dict[str, object] = json.loads(answer["SecretString"])
    _cache[secret_id] = (now, secret)
    return secret
