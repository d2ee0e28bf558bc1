"""What some helpdesks ask of an address before they send anything to it.

Greeting is not proving: whoever is greeted has shown nothing yet, and nothing is stored.
"""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

LARGEST_CHALLENGE = 1024
"""Bytes."""
_ORIGIN = re.compile(r"[A-Za-z0-9.:-]{1,255}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_.:~+/=-]{1,256}")
_GLPI_ASKS = b"validate_cra_challenge"
"""The only text whose signature GLPI ever asks with (its source, Webhook::validateCRAChallenge)."""


@dataclass(frozen=True, kw_only=True)
class Greeting:
    """How a helpdesk makes sure of an address.

    ``get``: it opens it. ``glpi``: it opens it with a signed token and wants that signed once more. ``cloudevents``:
    it asks for consent with OPTIONS. ``echo``: it posts a challenge in ``header`` and wants it back.
    """

    kind: Literal["get", "glpi", "cloudevents", "echo"]
    header: str = ""
    body: Mapping[str, str] = field(default_factory=dict)
    """What the posted challenge's JSON says of itself, so that nothing else is taken for one."""


@dataclass(frozen=True, kw_only=True)
class Greeted:
    """What to answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_HERE = Greeted(status=405, headers={"allow": "POST"})
"""To whoever asks what this helpdesk never asks."""


def greet(
    greeting: Greeting | None,
    method: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    keys: Sequence[str],
) -> Greeted:
    """The answer to GET, HEAD or OPTIONS; ``headers`` have lower-case names, ``keys`` are the source's secrets."""
    kind = greeting.kind if greeting else None
    if kind == "cloudevents" and method == "OPTIONS":
        return _consent(headers)
    if kind == "glpi" and method == "GET":
        return _signed_once_more(query.get("crc_token") or "", keys)
    if kind == "get" and method in {"GET", "HEAD"}:
        return Greeted(status=200)
    return NOT_HERE


def echo(greeting: Greeting | None, headers: Mapping[str, str], body: bytes) -> Greeted | None:
    """The answer to a posted challenge; None for any other request. Only plain characters are ever given back."""
    challenge = headers.get(greeting.header) or "" if greeting and greeting.kind == "echo" else ""
    if greeting is None or not _CHALLENGE.fullmatch(challenge) or len(body) > LARGEST_CHALLENGE:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(content, dict) and all(
        content.get(name) == text for name, text in greeting.body.items()
    )
    return Greeted(status=200, body=challenge) if is_one else None


def _consent(headers: Mapping[str, str]) -> Greeted:
    """CloudEvents HTTP webhooks, section 4: the headers are the consent, and the status alone is not."""
    origin = headers.get("webhook-request-origin") or ""
    if not _ORIGIN.fullmatch(origin):
        return Greeted(status=400, headers={"allow": "POST"})
    given = {"allow": "POST", "webhook-allowed-origin": origin}
    if headers.get("webhook-request-rate"):
        given["webhook-allowed-rate"] = "*"
    return Greeted(status=200, headers=given)


def _signed_once_more(token: str, keys: Sequence[str]) -> Greeted:
    """GLPI's challenge, answered only when the token itself proves the secret.

    Whoever got an answer to a token of their own would have us sign for them: the same key signs the webhooks.
    """
    answer = ""
    for key in keys:
        secret = key.strip().encode("utf-8", "surrogatepass")
        asked = hmac.digest(secret, _GLPI_ASKS, "sha256").hex()
        if secret and hmac.compare_digest(asked.encode(), token.encode("utf-8", "surrogatepass")):
            answer = answer or hmac.digest(secret, asked.encode(), "sha256").hex()
    return Greeted(status=200, body=answer) if answer else Greeted(status=401)
