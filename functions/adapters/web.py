"""API Gateway HTTP API (payload format 2.0): requests in, answers with strict headers out."""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

LARGEST_FORM = 64 * 1024
"""Two fields of 2,000 characters each, of which a browser makes up to nine bytes for each, and what goes with them."""
MOST_FIELDS = 50

SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

NOTHING_ELSE = "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

Response = dict[str, Any]
Fields = list[tuple[str, str]]


class BadForm(Exception):  # noqa: N818 - reads as a sentence
    """The form cannot be read; ``status`` is the HTTP answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Request:
    """What came in: header names in lower case, the body as the bytes that were signed."""

    method: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    raw_query: str
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The fields of a posted form, first value each; BadForm when too large (413), another type (415), broken."""
        if len(self.body) > LARGEST_FORM:
            raise BadForm(413, "too large")
        content_type = self.headers.get("content-type", "")
        read = FORMS.get(content_type.split(";")[0].strip().lower())
        if read is None:
            raise BadForm(415, "not a form")
        try:
            return dict(reversed(read(content_type, self.body)))
        except ValueError as error:
            raise BadForm(400, "broken form") from error


def _urlencoded(_: str, body: bytes) -> Fields:
    return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)


def _multipart(content_type: str, body: bytes) -> Fields:
    """RFC 7578 without files; mail programs may post "unsubscribe" like this (RFC 8058 section 3.2)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    parts = message_from_bytes(head + body).get_payload()
    if not isinstance(parts, list) or len(parts) > MOST_FIELDS:
        raise ValueError("not the parts of a form")
    return [_field(part) for part in parts]


def _field(part: object) -> tuple[str, str]:
    if not isinstance(part, Message):
        raise ValueError("no part")
    name = part.get_param("name", header="content-disposition")
    value = part.get_payload(decode=True)
    if not isinstance(name, str) or not isinstance(value, bytes):
        raise ValueError("a part that is no field")
    return name, value.decode("utf-8")


FORMS: Mapping[str, Callable[[str, bytes], Fields]] = {
    "application/x-www-form-urlencoded": _urlencoded,
    "multipart/form-data": _multipart,
}


def read(event: Mapping[str, Any]) -> Request:
    """The request in an event; a body that is not the base64 it claims to be is empty."""
    body = event.get("body") or ""
    try:
        raw = (
            b64decode(body, validate=True)
            if event.get("isBase64Encoded")
            else body.encode("utf-8", "surrogatepass")
        )
    except (NotBase64, ValueError):
        raw = b""
    return Request(
        method=event["requestContext"]["http"]["method"],
        parameters=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        raw_query=event.get("rawQueryString") or "",
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=raw,
    )


def page(status: int, html: str, nonce: str) -> Response:
    """A web page: nothing but its own styles may load, and it may be framed by nobody."""
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; {NOTHING_ELSE}"
    headers = {
        **SECURITY_HEADERS,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
    }
    return {"statusCode": status, "headers": headers, "body": html}


def answer(status: int, body: Mapping[str, str], **headers: str) -> Response:
    """A JSON answer to a machine; keyword names become header names with hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return plain(status, json.dumps(body), "application/json", named)


def plain(status: int, body: str, content_type: str, headers: Mapping[str, str]) -> Response:
    """A text to a machine, in the words that it asks for."""
    return {
        "statusCode": status,
        "headers": {**SECURITY_HEADERS, "content-type": content_type, **headers},
        "body": body,
    }
