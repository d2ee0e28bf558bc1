"""Whether a request comes from the helpdesk: one function, driven by the ``[verify]`` table of a preset.

Only what a cold start needs anyway is imported here, because every request passes this door, forged ones too.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from domain.errors import FollowthroughError

KeyTransform = Literal["none", "base64_after_whsec", "md5_app_key"]

EXAMINED_SIGNATURES = 5
"""A rotating sender needs two; a header with thousands is an attempt to keep us busy."""

_PIECES = re.compile(r"(\{[^}]*\})")
_ENCODED = re.compile(r"[A-Za-z0-9+/=]{1,128}")
_DELIVERY_ID = re.compile(r"[!-\-/-~]{1,256}")
"""Visible ASCII without the full stop: that separates the signed pieces (Standard Webhooks)."""
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_EPOCH_DIGITS = {"s": 10, "ms": 13}
_HUBSPOT_DECODES = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.I)
"""What HubSpot decodes of an address before it signs it; every other escape is signed as it was sent."""


class Unverified(FollowthroughError):  # noqa: N818 - reads as a sentence: raise Unverified("stale")
    """The request proves nothing; ``reason`` is one of these fixed words, fit for logs and metrics:

    no_signature, malformed_signature, wrong_signature, bad_timestamp, bad_delivery_id, no_usable_key; and
    ``stale``: the signature is right and only the time is not (many of these mean that a clock is wrong,
    perhaps ours).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class SignatureRule:
    """How a helpdesk signs.

    ``signed`` says which bytes: ``{body}``, ``{timestamp}`` and ``{id}`` stand for the raw body and the
    values of the two headers, exactly as received; ``{method}`` and ``{url}``, both or none, for where it was
    sent. ``multiple``: the header holds several signatures separated by blanks, of which those with ``prefix``
    count. ``timestamp_unit`` is ``s`` or ``ms`` since 1970, or ``iso`` for ISO 8601 with zone.
    ``timestamp_path`` says with dots where a JSON body holds the time of signing, for helpdesks that sign the
    body alone and put it there. ValueError when the parts contradict each other.
    """

    header: str
    algorithm: Literal["sha1", "sha256"]
    encoding: Literal["hex", "base64"]
    signed: str = "{body}"
    prefix: str = ""
    multiple: bool = False
    timestamp_header: str | None = None
    timestamp_path: str | None = None
    timestamp_unit: Literal["s", "ms", "iso"] = "s"
    url_decoding: Literal["none", "hubspot"] = "none"
    tolerance: timedelta = timedelta(seconds=300)
    id_header: str | None = None
    key_transform: KeyTransform = "none"

    def __post_init__(self) -> None:
        """A header that is read but not signed proves nothing; an unknown piece would be signed as text."""
        expected = {"{body}"}
        expected |= {"{timestamp}"} if self.timestamp_header else set()
        expected |= {"{id}"} if self.id_header else set()
        expected |= {"{method}", "{url}"} if self.url_decoding != "none" else set()
        if set(_PIECES.findall(self.signed)) != expected:
            raise ValueError(f"signed must hold exactly {', '.join(sorted(expected))}")
        if self.timestamp_header and self.timestamp_path:
            raise ValueError("the time is in a header or in the body, not in both")


@dataclass(frozen=True, kw_only=True)
class SecretRule:
    """For helpdesks that sign nothing: a header holds the shared secret itself.

    ``prefix`` is for example ``Bearer ``. With encoding ``base64`` the key is ``user:password`` and prefix
    ``Basic ``. ``query`` instead of ``header`` names a parameter of the address, for helpdesks that cannot send a
    header of ours: addresses are written into more logs than headers are, so it is the last resort.
    """

    header: str | None = None
    query: str | None = None
    prefix: str = ""
    encoding: Literal["plain", "base64"] = "plain"

    def __post_init__(self) -> None:
        """There is one place for the secret, and nobody may choose another one."""
        if (self.header is None) == (self.query is None):
            raise ValueError("exactly one of header and query must be given")


Rule = SignatureRule | SecretRule


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a request was sent. ``url`` is the hook's address as the helpdesk knows it, with the raw query."""

    method: str = "POST"
    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


NOWHERE = Target()


def verify(
    rule: Rule,
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[str],
    now: datetime,
    target: Target = NOWHERE,
) -> str:
    """Index in ``keys`` (text, for the log) of the first key that fits the request; Unverified if none does.

    ``headers`` have lower-case names; ``body`` is raw, after base64 decoding by the gateway; ``now`` has a
    zone. Every key is tried on every request, so that the time taken does not tell which one matched.
    """
    if isinstance(rule, SecretRule):
        return _matching([_shared_secret(rule, key) for key in keys], [_presented(rule, headers, target)])
    signatures = _signatures(rule, headers)
    message, sent_at = _message(rule, headers, body, target)
    index = _matching([_signature(rule, key, message) for key in keys], signatures)
    if rule.timestamp_path:
        # Only now, when it is known whose body it is.
        sent_at = _sent_at(rule, _stamp_in(body, rule.timestamp_path))
        if sent_at is None:
            raise Unverified("bad_timestamp")
    if sent_at and abs(now - sent_at) > rule.tolerance:
        raise Unverified("stale")
    return index


def is_usable(rule: Rule, key: str) -> bool:
    """Whether a secret can verify anything by this rule; one that cannot lets nobody in."""
    return bool(
        _shared_secret(rule, key) if isinstance(rule, SecretRule) else _secret(key, rule.key_transform)
    )


def instant(text: str) -> datetime | None:
    """The moment (UTC) of a text in ISO 8601 with zone; None for anything else, leap seconds included."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _matching(expected: Sequence[bytes], given: Sequence[bytes]) -> str:
    """Index of the first expected value that was given. Empty ones, of unusable keys, never match."""
    if not any(expected):
        raise Unverified("no_usable_key")
    matching = [
        index
        for index, wanted in enumerate(expected)
        for value in given
        if hmac.compare_digest(wanted, value) and wanted
    ]
    if not matching:
        raise Unverified("wrong_signature")
    return str(matching[0])


def _presented(rule: SecretRule, headers: Mapping[str, str], target: Target) -> bytes:
    value = (headers.get(rule.header.lower()) if rule.header else target.query.get(rule.query or "")) or ""
    if not value:
        raise Unverified("no_signature")
    if not value.isascii() or not value.startswith(rule.prefix):
        raise Unverified("malformed_signature")
    return value.removeprefix(rule.prefix).encode("ascii")


def _shared_secret(rule: SecretRule, key: str) -> bytes:
    secret = _secret(key, "none")
    return base64.b64encode(secret) if rule.encoding == "base64" else secret


def _signatures(rule: SignatureRule, headers: Mapping[str, str]) -> list[bytes]:
    """The signatures in the header; those of other versions are left out."""
    value = headers.get(rule.header.lower()) or ""
    if not value:
        raise Unverified("no_signature")
    parts = value.split(" ", EXAMINED_SIGNATURES)[:EXAMINED_SIGNATURES] if rule.multiple else [value]
    given = [part.removeprefix(rule.prefix) for part in parts if part.startswith(rule.prefix)]
    if not given or not all(_ENCODED.fullmatch(part) for part in given):
        raise Unverified("malformed_signature")
    return [part.encode("ascii") for part in given]


def _signature(rule: SignatureRule, key: str, message: bytes) -> bytes:
    """The signature that the sender must have made with ``key``; empty when the key is unusable.

    Encoded texts are compared, not decoded digests: base64 has several spellings of the same bytes.
    """
    secret = _secret(key, rule.key_transform)
    if not secret:
        return b""
    digest = hmac.digest(secret, message, rule.algorithm)
    return base64.b64encode(digest) if rule.encoding == "base64" else digest.hex().encode()


def _message(
    rule: SignatureRule, headers: Mapping[str, str], body: bytes, target: Target
) -> tuple[bytes, datetime | None]:
    """The signed bytes, and when the sender says it signed them."""
    pieces = {"{body}": body}
    if rule.url_decoding == "hubspot":
        url = _HUBSPOT_DECODES.sub(lambda found: chr(int(found[0][1:], 16)), target.url)
        pieces |= {"{method}": target.method.encode(), "{url}": url.encode("utf-8", "surrogatepass")}
    sent_at = None
    if rule.timestamp_header:
        stamp = headers.get(rule.timestamp_header.lower()) or ""
        sent_at = _sent_at(rule, stamp)
        if sent_at is None:
            raise Unverified("bad_timestamp")
        pieces["{timestamp}"] = stamp.encode("ascii")
    if rule.id_header:
        delivery_id = headers.get(rule.id_header.lower()) or ""
        if not _DELIVERY_ID.fullmatch(delivery_id):
            raise Unverified("bad_delivery_id")
        pieces["{id}"] = delivery_id.encode("ascii")
    return b"".join(pieces.get(piece, piece.encode()) for piece in _PIECES.split(rule.signed)), sent_at


def _stamp_in(body: bytes, path: str) -> str:
    """The text or whole number at ``path`` of a JSON body; empty when there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) else ""


def _sent_at(rule: SignatureRule, stamp: str) -> datetime | None:
    """Digits are matched, not tried with ``int``: that accepts 1_7, blanks and the digits of all scripts."""
    if rule.timestamp_unit == "iso":
        return instant(stamp)
    if not re.fullmatch(rf"[0-9]{{{_EPOCH_DIGITS[rule.timestamp_unit]}}}", stamp):
        return None
    seconds = int(stamp) if rule.timestamp_unit == "s" else int(stamp) / 1000
    return datetime.fromtimestamp(seconds, UTC)


def _secret(key: str, transform: KeyTransform) -> bytes:
    """The bytes of a key; empty when it is unusable, because an empty secret would let everybody in."""
    text = key.strip()
    try:
        if not text or transform == "none":
            return text.encode()
        if transform == "base64_after_whsec":
            return base64.b64decode(text.removeprefix("whsec_"), validate=True)
        return hashlib.md5(f"{text}webhook_key".encode(), usedforsecurity=False).hexdigest().encode()
    except ValueError:
        return b""
