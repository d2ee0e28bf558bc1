"""What a helpdesk does before it sends: puts its signature, or the shared secret, where its preset says."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from helpdesks.verify import Rule, SecretRule, SignatureRule, Target


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request as it leaves the helpdesk."""

    headers: dict[str, str]
    body: bytes
    target: Target


def sent(
    rule: Rule, body: bytes, secret: str, at: datetime, url: str = "https://hooks.acme.example/hooks/x"
) -> Sent:
    """The request that brings ``body`` to ``url`` at an instant."""
    target = Target(url=url)
    if isinstance(rule, SecretRule):
        shown = base64.b64encode(secret.encode()).decode() if rule.encoding == "base64" else secret
        if rule.query:
            return Sent(
                headers={},
                body=body,
                target=replace(
                    target, url=f"{url}?{urlencode({rule.query: shown})}", query={rule.query: shown}
                ),
            )
        return Sent(headers={str(rule.header).lower(): rule.prefix + shown}, body=body, target=target)
    stamp = stamped(rule, at)
    headers: dict[str, str] = {}
    if rule.timestamp_path:
        body = with_stamp(body, rule.timestamp_path, stamp)
    if rule.timestamp_header:
        headers[rule.timestamp_header.lower()] = stamp
    if rule.id_header:
        headers[rule.id_header.lower()] = "msg_1"
    pieces = {
        "{body}": body,
        "{timestamp}": stamp.encode(),
        "{id}": b"msg_1",
        "{method}": b"POST",
        "{url}": url.encode(),
    }
    message = rule.signed.encode()
    for name in ("{id}", "{timestamp}", "{method}", "{url}", "{body}"):  # the body last: it may hold anything
        message = message.replace(name.encode(), pieces[name])
    digest = hmac.digest(key_of(rule, secret), message, rule.algorithm)
    shown = base64.b64encode(digest).decode() if rule.encoding == "base64" else digest.hex()
    return Sent(headers={**headers, rule.header.lower(): rule.prefix + shown}, body=body, target=target)


def stamped(rule: SignatureRule, at: datetime) -> str:
    """An instant as this helpdesk writes it."""
    if rule.timestamp_unit == "iso":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(at.timestamp() * (1000 if rule.timestamp_unit == "ms" else 1)))


def with_stamp(body: bytes, path: str, stamp: str) -> bytes:
    """A JSON body with the time of sending in it; any other body as it is."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return body
    inner = content
    *above, last = path.split(".")
    for name in above:
        inner = inner.setdefault(name, {}) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner[last] = stamp
    return json.dumps(content).encode()


def key_of(rule: SignatureRule, secret: str) -> bytes:
    """The bytes that this helpdesk signs with."""
    if rule.key_transform == "base64_after_whsec":
        return base64.b64decode(secret.removeprefix("whsec_"))
    if rule.key_transform == "md5_app_key":
        return hashlib.md5(f"{secret}webhook_key".encode(), usedforsecurity=False).hexdigest().encode()
    return secret.encode()
