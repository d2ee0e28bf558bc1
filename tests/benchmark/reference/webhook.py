"""What a good engineer writes by hand: verify an HMAC, put one item on condition with PynamoDB, log one line.

The reference for cold starts and for warm invocations: nothing is in it that the task does not need.
"""

import base64
import hashlib
import hmac
import json
import os
from typing import Any

from aws_lambda_powertools import Logger
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

logger = Logger()
SECRET = b"a secret that only tests know.."


class Closure(Model):
    """One closing of a ticket."""

    class Meta:
        table_name = os.environ["TABLE"]

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    subject = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    team = UnicodeAttribute(null=True)
    cause = UnicodeAttribute(null=True)
    url = UnicodeAttribute(null=True)
    due_at = NumberAttribute()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Verify, store once, answer."""
    body, headers = event["body"].encode(), event["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    if not hmac.compare_digest(signature, headers["webhook-signature"]):
        return {"statusCode": 401, "body": ""}
    data = json.loads(body)["data"]
    closure = Closure(
        data["id"],
        data["closed_at"],
        subject=data["subject"],
        email=data["requester"]["email"],
        name=data["requester"]["name"],
        team=data["group"],
        cause=data["root_cause"],
        url=data["url"],
        due_at=1,
    )
    try:
        closure.save(Closure.pk.does_not_exist())
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        logger.info("duplicate")
        return {"statusCode": 202, "body": "duplicate"}
    logger.info("accepted")
    return {"statusCode": 202, "body": "accepted"}
