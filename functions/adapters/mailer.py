"""Amazon SES v2: one mail, sent at most once per call.

SES has no idempotency key, so its client never retries: a lost reply would send the same mail again. What a failure
means is decided here, once. Error codes: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from adapters.aws import client

if TYPE_CHECKING:
    from messages.compose import Mail

NOT_NOW = {
    "TooManyRequestsException",
    "ThrottlingException",
    "Throttling",
    "LimitExceededException",
    "AccountSuspendedException",
    "SendingPausedException",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "AccessDeniedException",
}
NEVER = {"MessageRejected", "BadRequestException"}

RATE_FRESH = timedelta(minutes=5)
SLOWEST_RATE = 1.0
"""Mails a second: what SES gives to every account, and what we keep to while we do not know better."""
SHARE_OF_RATE = 0.9 / 2
"""Two senders run at once (MaximumConcurrency in template.yaml); together they stay below the account's rate."""


class NotSent(Exception):  # noqa: N818 - reads as a sentence
    """Certainly not sent, and it may be tried again later: throttled, over quota, paused, not connected."""


class NeverSent(Exception):  # noqa: N818
    """Certainly not sent, and it never will be: SES rejects this mail or its address."""


class Unknown(Exception):  # noqa: N818
    """Sent or not: the reply was lost. Only SES's own events can tell."""


_pace: dict[str, float] = {}
_rate: dict[str, tuple[datetime, float]] = {}


def send(*, mail: "Mail", to: str, sender: str, reply_to: str | None, tags: dict[str, str]) -> str:
    """Hand one mail for one recipient to SES and give SES's message id; raises NotSent, NeverSent or Unknown."""
    try:
        answer = client("sesv2", attempts=1, read_timeout=10).send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [to]},
            ReplyToAddresses=[reply_to] if reply_to else [],
            ConfigurationSetName=os.environ["CONFIGURATION_SET"],
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
            Content={
                "Simple": {
                    "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": mail.text, "Charset": "UTF-8"},
                        "Html": {"Data": mail.html, "Charset": "UTF-8"},
                    },
                    "Headers": [
                        {"Name": "Auto-Submitted", "Value": "auto-generated"},
                        {"Name": "X-Auto-Response-Suppress", "Value": "All"},
                        *({"Name": name, "Value": value} for name, value in mail.headers),
                    ],
                }
            },
        )
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        raise NotSent("no connection") from error
    except (ConnectionError, HTTPClientError) as error:
        raise Unknown("the reply was lost") from error
    except ClientError as error:
        raise _meaning(error) from error
    return str(answer["MessageId"])


def keep_pace(now: datetime) -> None:
    """Wait until the next mail may go without exceeding the account's sending rate."""
    interval = 1 / (SHARE_OF_RATE * _account_rate(now))
    wait = _pace.get("next", 0.0) - time.monotonic()
    if wait > 0:
        time.sleep(min(wait, interval))
    _pace["next"] = time.monotonic() + interval


def message_tag(pk: str, sk: str, part: str) -> str:
    """The tag under which SES reports about a mail: letters, digits, hyphen and underscore, at most 256."""
    return urlsafe_b64encode(f"{pk}|{sk}|{part}".encode()).decode().rstrip("=")


def read_tag(tag: str) -> tuple[str, str, str] | None:
    """The key and part that a tag stands for; None when it is none of ours."""
    try:
        parts = urlsafe_b64decode(tag + "=" * (-len(tag) % 4)).decode().split("|")
    except (NotBase64, ValueError):
        return None
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def _account_rate(now: datetime) -> float:
    known = _rate.get("account")
    if known and now - known[0] < RATE_FRESH:
        return known[1]
    try:
        quota = client("sesv2", attempts=1, read_timeout=10).get_account()["SendQuota"]
        rate = max(float(quota["MaxSendRate"]), SLOWEST_RATE)
    except (ClientError, BotoCoreError):
        # SES tells it once a second to the whole account; what is asked too often must not hold a mail up.
        rate = known[1] if known else SLOWEST_RATE
    _rate["account"] = (now, rate)
    return rate


def _meaning(error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    # SES reports an unverified sender as a rejected message; only the text tells that it is our fault, not the mail's.
    if code == "MessageRejected" and "not verified" in str(error):
        return NotSent("the sender is not verified")
    if code in NOT_NOW:
        return NotSent(code)
    if code in NEVER:
        return NeverSent(code)
    return Unknown(code) if status >= 500 else NotSent(code)
