"""The world outside: a helpdesk that signs what it reports, and a browser that shows the forms of a page."""

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser

from place import Hook

PATIENCE = 60


class Unexpected(Exception):  # noqa: N818 - read as a sentence
    """What came back is not what a person or a helpdesk could go on with."""


def sign(preset: str, secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers with which a helpdesk proves who it is."""
    if preset == "zendesk":
        stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = _mac(secret.encode(), stamp.encode() + body)
        return {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": stamp}
    name, stamp = f"msg_{secrets.token_hex(12)}", str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = f"v1,{_mac(key, f'{name}.{stamp}.'.encode() + body)}"
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


def report(hook: Hook, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    """Post a webhook; gives the status with what the answer says."""
    status, answer = call(hook.url, body, {"content-type": "application/json", **headers})
    said = json.loads(answer)
    return status, str(said.get("status") or said.get("error"))


@dataclass
class Form:
    """One form of a page: the fields that it has, and what a browser would send without any further press."""

    fields: set[str] = field(default_factory=set)
    filled: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """A page as a browser has it in front of a person."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url, self.html, self.forms = url, html, list[Form]()
        self._text_of: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and their fields."""
        given = dict(attrs)
        name = given.get("name")
        if tag == "form":
            self.forms.append(Form())
        elif name and tag in {"input", "select", "textarea"}:
            form = self.forms[-1]
            form.fields.add(name)
            if tag == "textarea":
                self._text_of, form.filled[name] = name, ""
            elif tag == "input" and (given.get("type") not in {"radio", "checkbox"} or "checked" in given):
                form.filled[name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        """Note the text that stands in a text field."""
        if self._text_of:
            self.forms[-1].filled[self._text_of] += data

    def handle_endtag(self, tag: str) -> None:
        """Note where a text field ends."""
        if tag == "textarea":
            self._text_of = None

    def press(self, wanted: dict[str, str]) -> "Page":
        """Fill in the first form that has these fields and press its button; gives the page that comes back."""
        form = next((form for form in self.forms if form.fields >= wanted.keys()), None)
        if form is None:
            raise Unexpected(f"the page {self.url} has no form for {', '.join(wanted)}")
        return _page(self.url, urllib.parse.urlencode(form.filled | wanted).encode())


def open_page(url: str) -> Page:
    """Open a link of a mail."""
    return _page(url, None)


def _page(url: str, body: bytes | None) -> Page:
    status, html = call(url, body)
    if status != 200:
        raise Unexpected(f"the page {url} answered {status}")
    return Page(url, html)


def call(url: str, body: bytes | None, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Call an address of this machine; gives the status and the content."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(errors="replace")
    except OSError as error:
        raise Unexpected(f"{url} did not answer: {error}") from error


def _mac(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
