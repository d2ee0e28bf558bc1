"""The part of Amazon SES that the local AWS leaves out: it reports what became of each mail, and shows the mails.

    python infra/local/post_office.py ENDPOINT TABLE TOPIC REPLY_TOPIC REPLY_BUCKET

Every mail that was sent is reported to the stack's topic as SES would: a Send, then what its address asks for by the
rules of SES's mailbox simulator (bounce@, complaint@, suppressionlist@simulator.amazonses.com, also with +labels), or a
Delivery.
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import json
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment

import inbox
from adapters import reply_address, settings_store
from adapters.links import TicketLink
from adapters.mailer import message_tag, read_tag
from place import HOME, client, fetch, record, write

EVERY = 0.5
"""Seconds between two looks at what was sent."""

UNKNOWN_AFTER = 30.0
"""Seconds in which the sender has to note the id of its mail; later the mail is reported without our tag."""

OPENED_FOR = ("endpoint", "table", "topic", "reply_topic", "reply_bucket")
"""What the arguments are, in order."""

SIMULATOR = "simulator.amazonses.com"
ROUNDS = {"survey", "reminder"}
LONGEST_FORM = 100_000
"""Bytes of a reply that somebody writes in the browser."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail that was sent."""

    id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: datetime

    @property
    def name(self) -> str:
        """Names the mail in addresses."""
        return self.id.partition("@")[0]


def sent_mails(endpoint: str) -> list[Mail]:
    """Everything the local AWS sent, the oldest first."""
    accounts = json.loads(fetch(f"{endpoint}/_ministack/ses/messages"))["messages"]
    mails = [
        Mail(
            id=found["MessageId"],
            sender=found["Source"],
            to=tuple(found["To"] + found["CC"] + found["BCC"]),
            subject=found["Subject"] or "",
            text=found["BodyText"] or "",
            html=found["BodyHtml"] or "",
            sent_at=datetime.fromtimestamp(found["Timestamp"], UTC),
        )
        for messages in accounts.values()
        for found in messages
    ]
    return sorted(mails, key=lambda mail: mail.sent_at)


def outcome(address: str) -> tuple[str, dict[str, Any]]:
    """The SES event that an address asks for: its type and the part of the event that goes with it."""
    person, _, domain = parseaddr(address)[1].lower().rpartition("@")
    person = person.partition("+")[0] if domain == SIMULATOR else ""
    now = _iso(datetime.now(UTC))
    if person in {"bounce", "suppressionlist"}:
        subtype = "General" if person == "bounce" else "Suppressed"
        recipient = {
            "emailAddress": address,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
        return "Bounce", {
            "bounceType": "Permanent",
            "bounceSubType": subtype,
            "bouncedRecipients": [recipient],
            "timestamp": now,
            "feedbackId": f"local-{subtype.lower()}",
        }
    if person == "complaint":
        return "Complaint", {
            "complainedRecipients": [{"emailAddress": address}],
            "complaintFeedbackType": "abuse",
            "timestamp": now,
            "feedbackId": "local-complaint",
        }
    return "Delivery", _arrived(address)


def events(mail: Mail, tag: str | None) -> Iterator[dict[str, Any]]:
    """What SES publishes about a mail, in order; ``tag`` is the value of its ``message`` tag."""
    described = {
        "timestamp": _iso(mail.sent_at),
        "messageId": mail.id,
        "source": mail.sender,
        "destination": list(mail.to),
        "headersTruncated": False,
        "commonHeaders": {
            "from": [mail.sender],
            "to": list(mail.to),
            "messageId": mail.id,
            "subject": mail.subject,
        },
        "tags": {"message": [tag]} if tag else {},
    }
    yield {"eventType": "Send", "mail": described, "send": {}}
    for address in mail.to:
        kind, details = outcome(address)
        if kind == "Complaint":  # nobody complains about a mail that did not arrive
            yield {"eventType": "Delivery", "mail": described, "delivery": _arrived(address)}
        yield {"eventType": kind, "mail": described, kind.lower(): details}


def find_tag(items: list[dict[str, Any]], mail_id: str) -> str | None:
    """The tag of the record that knows a mail by its id; None when no record does (yet)."""
    for item in items:
        part = _part_with(record(item), mail_id)
        if part:
            return message_tag(item["pk"]["S"], item["sk"]["S"], part)
    return None


def stored(endpoint: str, table: str) -> list[dict[str, Any]]:
    """Everything in the table."""
    pages = client("dynamodb", endpoint).get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def reply_to(tag: str | None) -> str | None:
    """Where a reply to the mail with this tag goes; None when it is no question, or replies do not count."""
    pk, sk, part = (read_tag(tag) if tag else None) or ("", "", "")
    domain = settings_store.settings(datetime.now(UTC)).company.reply_domain
    if part not in ROUNDS or domain is None:
        return None
    _, source, ticket_id = pk.split("#", 2)
    link = TicketLink(source, ticket_id, int(sk.partition("#")[2]))
    return reply_address.write(link, domain, datetime.now(UTC))


class Reporter:
    """Reports every mail once; what it has reported survives a restart."""

    def __init__(self, endpoint: str, table: str, topic: str) -> None:
        self.endpoint, self.table, self.topic = endpoint, table, topic
        self.sns = client("sns", endpoint)
        self.file = HOME / "reported.txt"
        self.reported = set(self.file.read_text().split()) if self.file.exists() else set()

    def report(self) -> None:
        """Report what was sent since the last time."""
        mails = [mail for mail in sent_mails(self.endpoint) if mail.id not in self.reported]
        if not mails:
            return
        items = stored(self.endpoint, self.table)
        for mail in mails:
            tag = find_tag(items, mail.id)
            if tag is None and (datetime.now(UTC) - mail.sent_at).total_seconds() < UNKNOWN_AFTER:
                continue
            for event in events(mail, tag):
                self.sns.publish(TopicArn=self.topic, Message=json.dumps(event))
            self.reported.add(mail.id)
            with self.file.open("a") as file:
                file.write(f"{mail.id}\n")

    def run(self) -> None:
        """Report for ever; trouble is written down, and the next round tries again."""
        while True:
            try:
                self.report()
            except Exception:
                traceback.print_exc()
                time.sleep(2)
            time.sleep(EVERY)


STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1d2530; --soft: #5b6675; --line: #d9dee5; --card: #fff; --back: #f4f6f8; --link: #0b57a4;
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf1; --soft: #a3afbd; --line: #38424f; --card: #1c232c; --back: #12171d; --link: #8cc2ff }
}
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem }
h1, b, span, pre { overflow-wrap: anywhere }
h1 { font-size: 1.4rem; margin: 0 0 .25rem }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem }
p { color: var(--soft); margin: 0 0 1.5rem }
a { color: var(--link) }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
ol, iframe, pre { background: var(--card); border: 1px solid var(--line); border-radius: .6rem }
ol { list-style: none; margin: 0; padding: 0 }
li + li { border-top: 1px solid var(--line) }
li a { display: block; padding: .8rem 1rem; text-decoration: none; color: inherit }
li a:hover { background: var(--back) }
li b { display: block }
li span { color: var(--soft); font-size: .9rem }
iframe, pre { box-sizing: border-box; width: 100% }
iframe { height: 40rem }
textarea, button { font: inherit; color: inherit; box-sizing: border-box; padding: .6rem .8rem; border-radius: .6rem }
textarea { width: 100%; background: var(--card); border: 1px solid var(--line) }
button { background: var(--card); border: 1px solid var(--link); color: var(--link) }
textarea:focus-visible, button:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
pre { padding: 1rem; white-space: pre-wrap; font-size: .9rem; margin: 0 }
"""

PAGES = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><link rel="stylesheet" href="/style.css">
{% if again %}<meta http-equiv="refresh" content="5">{% endif %}
</head><body><main>CONTENT</main></body></html>"""
LIST = PAGES.from_string(
    FRAME.replace(
        "CONTENT",
        """<h1>Mails sent on this machine</h1>
<p>{{ mails|length }} so far, the newest first. None of them has left this machine.</p>
{% if mails %}<ol>{% for mail in mails %}
<li><a href="/mails/{{ mail.name }}"><b>{{ mail.subject }}</b>
<span>to {{ mail.to|join(", ") }} · {{ mail.sent_at.strftime("%H:%M:%S") }} UTC</span></a></li>
{% endfor %}</ol>{% endif %}""",
    )
)
MAIL = PAGES.from_string(
    FRAME.replace(
        "CONTENT",
        """<p><a href="/">All mails</a></p>
<h1>{{ mail.subject }}</h1>
<p>from {{ mail.sender }} to {{ mail.to|join(", ") }} · {{ mail.sent_at.strftime("%Y-%m-%d %H:%M:%S") }} UTC</p>
{% if mail.html %}<iframe title="The mail as HTML" src="/mails/{{ mail.name }}/html"
 sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>{% endif %}
{% if answerable %}<h2><label for="words">Reply by mail, as the customer</label></h2>
<form method="post" action="/mails/{{ mail.name }}/reply">
<textarea id="words" name="words" rows="3" required placeholder="Yes, thanks!"></textarea>
<button type="submit">Send</button></form>{% endif %}
<h2>As text</h2><pre>{{ mail.text|urlize(target="_blank", rel="noopener") }}</pre>""",
    )
)
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


class Mailbox(BaseHTTPRequestHandler):
    """The mails in a browser, and a way to reply to a question."""

    endpoint, table, reply_topic, reply_bucket = "", "", "", ""

    def do_POST(self) -> None:
        """Take a reply to one mail."""
        host, name = self.headers.get("Host", ""), self.path.removeprefix("/mails/").removesuffix("/reply")
        if not self._is_here() or self.headers.get("Origin", f"http://{host}") != f"http://{host}":
            return self._answer(403, "text/plain", "This mailbox is for this machine only.", PAGE_POLICY)
        size = int(self.headers.get("Content-Length", 0))
        form = parse_qs(self.rfile.read(size).decode()) if size <= LONGEST_FORM else {}
        mail = next((mail for mail in sent_mails(self.endpoint) if mail.name == name), None)
        address = self._reply_to(mail) if mail else None
        if mail is None or address is None or not form.get("words"):
            return self._answer(404, "text/plain", "This mail takes no reply.", PAGE_POLICY)
        content = inbox.reply(form["words"][0], mail.to[0], address, mail.subject, mail.text)
        inbox.receive(
            content,
            mail.to[0],
            address,
            bucket=self.reply_bucket,
            topic=self.reply_topic,
            endpoint=self.endpoint,
        )
        return self._answer(
            200, "text/plain", "Received. What it says is in the table in a moment.", PAGE_POLICY
        )

    def do_GET(self) -> None:
        """Answer with the list, one mail, or one mail's HTML part."""
        if not self._is_here():
            return self._answer(403, "text/plain", "This mailbox is for this machine only.", PAGE_POLICY)
        path = self.path.partition("?")[0]
        if path == "/style.css":
            return self._answer(200, "text/css", STYLE, PAGE_POLICY)
        mails = sent_mails(self.endpoint)[::-1]
        if path == "/":
            return self._answer(
                200, "text/html", LIST.render(title="Mails", mails=mails, again=True), PAGE_POLICY
            )
        name, _, part = path.removeprefix("/mails/").partition("/")
        mail = next((mail for mail in mails if mail.name == name), None)
        if mail and part == "":
            answerable = self._reply_to(mail) is not None
            page = MAIL.render(title=mail.subject, mail=mail, answerable=answerable)
            return self._answer(200, "text/html", page, PAGE_POLICY)
        if mail and part == "html":
            # Links of the mail open beside the mailbox, not inside its frame.
            return self._answer(200, "text/html", f'<base target="_blank">{mail.html}', MAIL_POLICY)
        return self._answer(404, "text/plain", "There is no such mail.", PAGE_POLICY)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing about single requests."""

    def _is_here(self) -> bool:
        return self.headers.get("Host", "").rpartition(":")[0] in {"127.0.0.1", "localhost"}

    def _reply_to(self, mail: Mail) -> str | None:
        return reply_to(find_tag(stored(self.endpoint, self.table), mail.id))

    def _answer(self, status: int, kind: str, content: str, policy: str) -> None:
        body = content.encode(errors="replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)


def _part_with(node: Any, wanted: str, part: str = "message") -> str | None:
    """Which part of a record mentions ``wanted``: its survey, its reminder, or the record itself."""
    if isinstance(node, dict):
        found = (_part_with(value, wanted, key if key in ROUNDS else part) for key, value in node.items())
        return next(filter(None, found), None)
    if isinstance(node, list):
        return next(filter(None, (_part_with(value, wanted, part) for value in node)), None)
    if isinstance(node, str) and node == wanted:
        return part
    return None


def _arrived(address: str) -> dict[str, Any]:
    now = _iso(datetime.now(UTC))
    return {
        "timestamp": now,
        "processingTimeMillis": 10,
        "recipients": [address],
        "smtpResponse": "250 2.0.0 OK",
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def main(arguments: list[str]) -> None:
    """Serve the mailbox and report mails until stopped."""
    endpoint, table, topic, reply_topic, reply_bucket = arguments
    Mailbox.endpoint, Mailbox.table = endpoint, table
    Mailbox.reply_topic, Mailbox.reply_bucket = reply_topic, reply_bucket
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mailbox)
    threading.Thread(target=Reporter(endpoint, table, topic).run, daemon=True).start()
    opened_for = dict(zip(OPENED_FOR, arguments, strict=True))
    write(HOME / "mailbox.json", {"url": f"http://127.0.0.1:{server.server_port}/", "for": opened_for})
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
