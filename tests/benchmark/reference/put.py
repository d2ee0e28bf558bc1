"""The bare task with boto3's client: verify an HMAC, read the JSON, put one item on condition; nothing else."""

import base64
import hashlib
import hmac
import json
import os
from typing import Any

import boto3

client = boto3.client("dynamodb")
SECRET = b"a secret that only tests know.."


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Verify, store once, answer."""
    body, headers = event["body"].encode(), event["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    if not hmac.compare_digest(signature, headers["webhook-signature"]):
        return {"statusCode": 401, "body": ""}
    data = json.loads(body)["data"]
    client.put_item(
        TableName=os.environ["TABLE"],
        Item={
            "pk": {"S": data["id"]},
            "sk": {"S": data["closed_at"]},
            "subject": {"S": data["subject"]},
            "email": {"S": data["requester"]["email"]},
            "name": {"S": data["requester"]["name"]},
            "team": {"S": data["group"]},
            "cause": {"S": data["root_cause"]},
            "url": {"S": data["url"]},
            "due_at": {"N": "1"},
        },
        ConditionExpression="attribute_not_exists(pk)",
    )
    return {"statusCode": 202, "body": "accepted"}
