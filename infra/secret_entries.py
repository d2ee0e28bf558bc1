"""The entries of one secret in Secrets Manager, which is a JSON object, and how a person gives one unseen."""

import getpass
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import boto3

KEY = re.compile(r"[a-z0-9_-]{1,40}")
"""What an entry may be called."""
NO_KEY = 'is not a key; allowed: 1 to 40 of a-z, 0-9, "-" and "_"'


def read(secret_id: str) -> dict[str, Any]:
    """All entries; none when the secret has no value yet. ValueError when it holds something else."""
    manager = boto3.client("secretsmanager")
    try:
        held = json.loads(manager.get_secret_value(SecretId=secret_id)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        # A secret without any value yet answers like one that does not exist; writing tells the two apart.
        return {}
    if not isinstance(held, dict):
        raise ValueError("not a JSON object")
    return held


def write(secret_id: str, entries: Mapping[str, Any]) -> None:
    """Put these entries in place of all that were there."""
    boto3.client("secretsmanager").put_secret_value(SecretId=secret_id, SecretString=json.dumps(entries))


def typed(prompt: str) -> str:
    """One line that a person types unseen, or that is piped in."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ").strip()
    return sys.stdin.readline().strip()
