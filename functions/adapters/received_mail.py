"""Amazon S3: mails as SES received and stored them."""

from adapters.aws import client

LONGEST_HEAD = 1_000_000
"""Bytes read of a mail: what people wrote stands at its beginning, and attachments are of no interest."""


def head(bucket: str, key: str) -> bytes:
    """The beginning of a mail, at most ``LONGEST_HEAD`` bytes; raises the SDK's error when it is not there (yet)."""
    answer = client("s3").get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{LONGEST_HEAD - 1}")
    content: bytes = answer["Body"].read(LONGEST_HEAD)
    return content
