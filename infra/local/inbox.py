"""The part of Amazon SES that receives mail, which the local AWS leaves out: stores a mail and tells the stack of it.

It does what the receipt rule of template.yaml does: the mail goes into the bucket, and what SES found out about it to
the topic. Every sender on this machine is genuine.
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

import json
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from place import client


def receive(mail: bytes, sender: str, recipient: str, *, bucket: str, topic: str, endpoint: str) -> None:
    """Take in one mail for one recipient."""
    name, now = secrets.token_hex(20), datetime.now(UTC)
    client("s3", endpoint).put_object(Bucket=bucket, Key=name, Body=mail)
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    passed = {"status": "PASS"}
    verdicts = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")
    told = {
        "notificationType": "Received",
        "mail": {
            "timestamp": stamp,
            "source": sender,
            "messageId": name,
            "destination": [recipient],
            "headersTruncated": True,
            "headers": [],
            "commonHeaders": {"from": [sender], "to": [recipient]},
        },
        "receipt": {
            "timestamp": stamp,
            "processingTimeMillis": 10,
            "recipients": [recipient],
            **{verdict: passed for verdict in verdicts},
            "action": {"type": "S3", "topicArn": topic, "bucketName": bucket, "objectKey": name},
        },
    }
    client("sns", endpoint).publish(TopicArn=topic, Message=json.dumps(told))


def reply(words: str, sender: str, recipient: str, subject: str, answered: str) -> bytes:
    """What a mail program makes of a reply: the words, and below them the mail that is answered."""
    now = datetime.now(UTC)
    quoted = "\n".join(f"> {line}".rstrip() for line in answered.splitlines())
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, f"Re: {subject}"
    mail["Date"] = format_datetime(now)
    mail.set_content(f"{words}\n\nOn {now:%d %b %Y, at %H:%M}, {recipient} wrote:\n\n{quoted}\n")
    return mail.as_bytes()
