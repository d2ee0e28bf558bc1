"""Clients for AWS, each with its timeouts and retries said out loud: the SDK's defaults may change under us."""

from functools import cache
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config

from adapters import table


@cache
def client(service: str, *, attempts: int = 3, read_timeout: float = 5) -> Any:
    """A client that gives up before the Lambda does; ``attempts`` counts the first call too.

    botocore without boto3, in the session that PynamoDB has made already: another library or another session would
    only slow every cold start.
    """
    config = Config(
        connect_timeout=2,
        read_timeout=read_timeout,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    made: BaseClient = table.connection().session.create_client(service, config=config)
    return made
