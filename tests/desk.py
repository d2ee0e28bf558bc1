"""A helpdesk that reports closings, and everybody's mailbox, for the journey tests."""

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from outside import call, report, sign
from place import Stack, client, fetch, record

PATIENCE = 90.0
"""Seconds: the longest delay of infra/local.yaml is 35, and a machine that runs other tests too is slow."""


@dataclass(frozen=True)
class Mail:
    """One mail that was sent."""

    to: str
    subject: str
    text: str
    html: str
    id: str

    def link(self, page: str) -> str:
        """The first link to a page (``s``, ``f``, ``v`` or ``c``) in the text part, without the button's answer."""
        found = re.search(rf"https?://\S+/{page}/[^\s?]+", self.text)
        assert found, f"no link in: {self.subject}"
        return found.group()


@dataclass
class Desk:
    """Reports closings of tickets with ids of its own, so that tests do not see each other's."""

    stack: Stack
    run: str = field(default_factory=lambda: secrets.token_hex(3))

    def address(self, name: str) -> str:
        """A customer's address that only this run uses."""
        return f"{name}.{self.run}@example.com"

    def ticket(self, name: str) -> str:
        """A ticket id that only this run uses."""
        return f"{self.run}-{name}"

    def close(self, name: str, **changed: Any) -> bytes:
        """The body that reports a closing just now."""
        data = {
            "id": self.ticket(name),
            "subject": f"The {name} does not start",
            "status": "closed",
            "closed_at": datetime.now(UTC).isoformat(),
            "requester": {"name": f"{name.title()} Customer", "email": self.address(name)},
            "assignee": {"name": "Kim Ren", "email": "kim@acme.example"},
            "group": "Tier 1",
            "root_cause": None,
        }
        return self._body("ticket.closed", data | changed)

    def reopen(self, name: str) -> bytes:
        """The body that reports that the ticket was opened again just now."""
        return self._body(
            "ticket.reopened", {"id": self.ticket(name), "reopened_at": datetime.now(UTC).isoformat()}
        )

    def post(self, body: bytes, *, key: str | None = None) -> tuple[int, str]:
        """Report it, signed now; gives the status and what was said."""
        hook = self.stack.hooks["standard-webhooks"]
        return report(hook, sign("standard-webhooks", key or hook.secret, body, datetime.now(UTC)), body)

    def mails(self, to: str | None, containing: str = "") -> list[Mail]:
        """What an address (or everybody) got, oldest first, with a word in the subject or text."""
        sent = json.loads(fetch(self.stack.mails))["messages"]
        found = [
            Mail(mail["To"][0], mail["Subject"], mail["BodyText"], mail["BodyHtml"], mail["MessageId"])
            for account in sent.values()
            for mail in account
            if to is None or mail["To"] == [to]
        ]
        return [mail for mail in found if containing in mail.subject or containing in mail.text]

    def wait_for_mail(self, to: str, containing: str = "", number: int = 1) -> Mail:
        """The ``number``-th such mail, as soon as it is there."""
        wait(lambda: len(self.mails(to, containing)) >= number, f"mail {number} to {to} with {containing!r}")
        return self.mails(to, containing)[number - 1]

    def reply(self, mail: Mail, words: str) -> None:
        """Reply to a mail, as the post office's page does."""
        url = f"{self.stack.post_office}mails/{mail.id.partition('@')[0]}/reply"
        status, said = call(url, urlencode({"words": words}).encode())
        assert status == 200, said

    def items(self, name: str) -> dict[str, dict[str, Any]]:
        """Everything stored about a ticket: sort key to record."""
        table = client("dynamodb", self.stack.aws_endpoint)
        found = table.query(
            TableName=self.stack.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"TICKET#standard-webhooks#{self.ticket(name)}"}},
            ConsistentRead=True,
        )["Items"]
        return {item["sk"]["S"]: record(item) for item in found}

    def wait_for_state(self, name: str, state: str, number: int = 1) -> dict[str, Any]:
        """The follow-up of a ticket's closing, as soon as it is in this state."""
        key = f"FOLLOW_UP#{number:04d}"
        wait(lambda: self.items(name).get(key, {}).get("state") == state, f"{name} to become {state}")
        return self.items(name)[key]

    @staticmethod
    def _body(kind: str, data: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data}).encode()


def wait(until: Callable[[], bool], what: str) -> None:
    """Wait until something is true; fails with what was waited for."""
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.3)
