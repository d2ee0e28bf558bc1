"""What the tests are made of: settings, webhooks as helpdesks sign them, and the events that Lambdas get."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from blueprint import ROOT
from domain.settings import Cause, Company, Contact, Policy, Settings, Source, Team

START = datetime(2026, 11, 30, 9, tzinfo=UTC)
"""A Monday, ten o'clock in Berlin."""
URL = "https://followthrough.acme.example"
ACME_SECRET = "whsec_" + base64.b64encode(b"a secret that only tests know..").decode()
OLD_ACME_SECRET = "whsec_" + base64.b64encode(b"the secret before it, still good").decode()
ZENDESK_SECRET = "dGhlIHNpZ25pbmcgc2VjcmV0IG9mIFplbmRlc2s="

REPLY_DOMAIN = "reply.acme.example"
REPLY_BUCKET = "followthrough-replies"

CUSTOMER = "ana@customer.example"
RAVI = "ravi.menon@acme.example"
"""Responsible for the team of ``closed``, and owner of its cause."""
MIA = "mia.okafor@acme.example"
"""Responsible when the team has nobody."""
HANNE = "hanne.vogel@acme.example"
"""Ravi's manager."""
TEAM = "portal.team@acme.example"


def settings(**policy: Any) -> Settings:
    """A company with the delays of real life, some of them changed; people in tests press as fast as machines."""
    quick = {"press_after_page": timedelta(), "press_after_mail": timedelta()}
    return Settings(
        company=Company(
            name="Acme Energy",
            sender="followthrough@acme.example",
            reply_to="support@acme.example",
            reply_domain=REPLY_DOMAIN,
            public_url=URL,
        ),
        contacts={
            "mia": Contact(name="Mia Okafor", email=MIA, manager="hanne"),
            "ravi": Contact(name="Ravi Menon", email=RAVI, manager="hanne"),
            "hanne": Contact(name="Hanne Vogel", email=HANNE),
        },
        teams={
            "web-portal": Team(name="Web Portal", email=TEAM, names=("Portal",), responsible="ravi"),
            "billing": Team(name="Billing", email="billing@acme.example"),
        },
        causes={
            "portal-login": Cause(
                name="Customers could not sign in", owner="ravi", values=("Password reset failed",)
            ),
            "meter-late": Cause(
                name="The meter reading came too late", owner="ravi", values=("cause_meter_late",)
            ),
            "no-show": Cause(name="A technician missed the appointment", owner="mia", values=("No show",)),
        },
        sources={
            "acme": Source(preset="standard-webhooks", secret="acme"),
            "zendesk": Source(preset="zendesk", secret="zendesk"),
        },
        responsible="mia",
        policy=replace(Policy(time_zone="Europe/Berlin"), **(quick | policy)),
    )


# --- webhooks --------------------------------------------------------------------------------------------------------


def closed(ticket_id: str = "4711", at: datetime = START, **changed: Any) -> bytes:
    """The body of a closure in our own format; ``changed`` are keys of its ``data``, None leaves one out."""
    data = {
        "id": ticket_id,
        "subject": "I cannot sign in to the portal",
        "closed_at": stamp(at),
        "requester": {"name": "Ana Beispiel", "email": CUSTOMER, "timezone": "Europe/Berlin"},
        "assignee": {"name": "Kim Ren", "email": "kim@acme.example"},
        "group": "Web Portal",
        "root_cause": "Password reset failed",
        "url": f"https://helpdesk.acme.example/t/{ticket_id}",
    } | changed
    kept = {name: value for name, value in data.items() if value is not None}
    return json.dumps({"type": "ticket.solved", "timestamp": stamp(at), "data": kept}).encode()


def customer(email: str | None, **more: Any) -> dict[str, Any]:
    """A requester of ``closed``."""
    return {"name": "Ana Beispiel", "email": email, "timezone": "Europe/Berlin", **more}


def reopened(ticket_id: str = "4711", at: datetime = START) -> bytes:
    """The body of a reopening in our own format."""
    data = {"id": ticket_id, "reopened_at": stamp(at)}
    return json.dumps({"type": "ticket.reopened", "timestamp": stamp(at), "data": data}).encode()


def stamp(at: datetime) -> str:
    """An instant as helpdesks write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def signed(
    body: bytes,
    at: datetime,
    *,
    secret: str = ACME_SECRET,
    delivery: str = "msg_1",
    timestamp: str | None = None,
) -> dict[str, str]:
    """The headers of Standard Webhooks for a body sent at that instant."""
    timestamp = timestamp if timestamp is not None else str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message = b".".join([delivery.encode(), timestamp.encode(), body])
    signature = base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
    return {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def signed_by_zendesk(body: bytes, at: datetime) -> dict[str, str]:
    """The headers of Zendesk for a body sent at that instant."""
    digest = hmac.digest(ZENDESK_SECRET.encode(), stamp(at).encode() + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp(at),
    }


# --- events of Lambdas -----------------------------------------------------------------------------------------------


def sample(function: str) -> dict[str, Any]:
    """The sample event of a Lambda, ``events/<function>.json``."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{function}.json").read_text("utf-8"))
    return event


def records(function: str, bodies: list[str]) -> dict[str, Any]:
    """The sample event of a Lambda behind a queue, with these messages; the n-th one's messageId is n."""
    event = sample(function)
    pattern = event["Records"][0]
    event["Records"] = [{**pattern, "messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    return event


def ses_event(
    kind: str, tags: dict[str, str], to: str, message_id: str, at: datetime, sent_at: datetime | None = None
) -> dict[str, Any]:
    """What SES publishes of a mail: Send, Delivery, DeliveryDelay, (Transient)Bounce, (NotSpam)Complaint, Reject."""
    event: dict[str, Any] = json.loads(sample("record_delivery")["Records"][0]["body"])
    del event["delivery"]
    event["eventType"] = kind.removeprefix("Transient").removeprefix("NotSpam")
    mail = event["mail"]
    mail["timestamp"] = milliseconds(sent_at or at)
    mail["messageId"] = mail["commonHeaders"]["messageId"] = message_id
    mail["destination"] = mail["commonHeaders"]["to"] = [to]
    mail["tags"] = {"ses:operation": ["SendEmail"], **{name: [value] for name, value in tags.items()}}
    then = {"timestamp": milliseconds(at)}
    recipient = [{"emailAddress": to}]
    details: dict[str, dict[str, Any]] = {
        "Send": {"send": {}},
        "Delivery": {"delivery": {**then, "recipients": [to], "smtpResponse": "250 ok"}},
        "Bounce": {
            "bounce": {
                **then,
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": recipient,
            }
        },
        "TransientBounce": {
            "bounce": {
                **then,
                "bounceType": "Transient",
                "bounceSubType": "MailboxFull",
                "bouncedRecipients": recipient,
            }
        },
        "Complaint": {
            "complaint": {**then, "complainedRecipients": recipient, "complaintFeedbackType": "abuse"}
        },
        "NotSpamComplaint": {
            "complaint": {**then, "complainedRecipients": recipient, "complaintFeedbackType": "not-spam"}
        },
        "Reject": {"reject": {"reason": "Bad content"}},
        "DeliveryDelay": {
            "deliveryDelay": {**then, "delayType": "MailboxFull", "delayedRecipients": recipient}
        },
    }
    return event | details[kind]


def received(to: str, mail_id: str, at: datetime, **changed: Any) -> dict[str, Any]:
    """SES's notification of a mail that it stored; ``changed``: keys of ``receipt``, or the envelope's ``source``."""
    told: dict[str, Any] = json.loads(sample("read_reply")["Records"][0]["body"])
    told["mail"] |= {"timestamp": milliseconds(at), "messageId": mail_id, "destination": [to]}
    told["mail"]["source"] = changed.pop("source", CUSTOMER)
    told["receipt"] |= {"timestamp": milliseconds(at), "recipients": [to]}
    told["receipt"]["action"] |= {"bucketName": REPLY_BUCKET, "objectKey": mail_id}
    told["receipt"] |= changed
    return told


def written(text: str, sender: str = f"Ana Beispiel <{CUSTOMER}>", **headers: str) -> bytes:
    """A plain mail as a customer's program sends it; underscores in names of headers are hyphens."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = "Acme Energy <followthrough@acme.example>"
    mail["Subject"] = "Re: Is ticket 4711 really solved?"
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return bytes(mail)


def milliseconds(at: datetime) -> str:
    """An instant as SES writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


A_SECOND = timedelta(seconds=1)
A_MINUTE = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)
