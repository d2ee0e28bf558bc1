"""Set the secret with which a helpdesk signs its hooks.

    python infra/set_secret.py SOURCE [--secret-id ID] < file     # or typed, without showing it
    python infra/set_secret.py SOURCE --generate                  # makes one and prints it, once
    python infra/set_secret.py SOURCE --retire-old                # once nothing uses the oldest any more
    python infra/set_secret.py SOURCE --api < file                # the token with which we call the helpdesk's API

SOURCE is what a source of the settings file names as its ``secret``. The secret that was in use before keeps
verifying until it is retired, so nothing is lost while the helpdesk is changed over. A secret is never an
argument: others on the machine see those, and the shell remembers them.

All hook secrets are one JSON object in Secrets Manager: {"zendesk": ["new", "old"]}, at most four of each: a helpdesk
may sign several webhooks for one address differently.
Exit code 0: done; 1: nothing was changed.
"""

import argparse
import base64
import binascii
import os
import secrets
import sys

from botocore.exceptions import BotoCoreError, ClientError

import secret_entries
from sentences import fail, in_sentences

KEPT = 4
"""The newest secrets of one entry: Zendesk signs its trigger and its event webhooks differently; both may rotate."""
SHORTEST = 16
PREFIX = "whsec_"


def generate() -> str:
    """Make a secret of 32 random bytes as the Standard Webhooks specification writes it.

    One without + and /, for helpdesks that send it in an address, where they would be read as something else.
    """
    while not (made := base64.b64encode(secrets.token_bytes(32)).decode()).rstrip("=").isalnum():
        continue
    return PREFIX + made


def problem_of(secret: str) -> str | None:
    """Tell what is wrong with a secret, without repeating it; None when it is fine."""
    if len(secret) < SHORTEST or len(secret) > 512:
        return f"the secret has {len(secret)} characters; allowed: {SHORTEST} to 512"
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        return "the secret has a blank or a special character; allowed: one line of plain characters"
    if secret.startswith(PREFIX):
        try:
            size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
        except binascii.Error:
            return f"what follows {PREFIX} is not base64"
        if not 24 <= size <= 64:
            return f"what follows {PREFIX} holds {size} bytes; allowed: 24 to 64"
    return None


def with_new(kept: dict[str, list[str]], source: str, secret: str) -> dict[str, list[str]]:
    """Put a new secret before the one in use; setting the same one again changes nothing."""
    known = kept.get(source, [])
    others = [old for old in known if old != secret]
    return kept if known[:1] == [secret] else {**kept, source: [secret, *others][:KEPT]}


def without_old(kept: dict[str, list[str]], source: str) -> dict[str, list[str]]:
    """Drop the oldest secret of a source, unless it is the only one."""
    return {**kept, source: kept[source][:-1]} if len(kept.get(source, [])) > 1 else kept


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Set the secret with which a helpdesk signs its hooks.")
    parser.add_argument("source", help="what the source names as its secret in the settings file")
    parser.add_argument("--secret-id", default=os.environ.get("HOOK_SECRETS"), help="default: HOOK_SECRETS")
    parser.add_argument(
        "--api",
        action="store_true",
        help="the token for the helpdesk's API, in API_SECRETS; the newest is used",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--generate", action="store_true", help="make a secret and print it")
    way.add_argument("--retire-old", action="store_true", help="stop accepting the oldest secret")
    given = parser.parse_args(arguments)
    if not secret_entries.KEY.fullmatch(given.source):
        return fail(f'"{given.source}" {secret_entries.NO_KEY}')
    if given.api:
        given.secret_id = os.environ.get("API_SECRETS")
    if not given.secret_id:
        return fail("Which secret of Secrets Manager? Give --secret-id ID or set HOOK_SECRETS.")
    secret = None
    if not given.retire_old:
        secret = generate() if given.generate else secret_entries.typed("Secret")
        if problem := problem_of(secret):
            return fail(f"Nothing was changed: {problem}.")
    try:
        report = change(given.source, given.secret_id, secret)
    except ValueError as error:
        return fail(f"Nothing was changed: {given.secret_id} does not hold hook secrets: {error}.")
    except (BotoCoreError, ClientError) as error:
        return fail(f"Nothing was changed: {given.secret_id} could not be used: {error}")
    sys.stdout.write(f"{report}\n")
    if given.generate:
        sys.stdout.write(f"Give this to the helpdesk; it is not shown again:\n{secret}\n")
    return 0


def change(source: str, secret_id: str, secret: str | None) -> str:
    """Store a new secret for ``source``, or with None retire its old one; gives what to tell the person."""
    kept = stored(secret_id)
    changed = with_new(kept, source, secret) if secret else without_old(kept, source)
    if changed != kept:
        secret_entries.write(secret_id, changed)
    number = len(changed.get(source, []))
    if number == 0:
        return f"{source} has no secret."
    done = "Stored." if changed != kept else "Nothing to change."
    if secret_id == os.environ.get("API_SECRETS"):
        return f"{done} The API of {source} is called with the newest within a minute."
    if number == 1:
        return f"{done} One secret verifies the hooks of {source}."
    retire = "when the oldest is no longer used: RETIRE=1 (--retire-old)"
    return f"{done} {number} secrets verify the hooks of {source}; {retire}."


def stored(secret_id: str) -> dict[str, list[str]]:
    """The secrets of each source, the newest first; ValueError when it holds something else."""
    return {
        source: [str(secret) for secret in (found if isinstance(found, list) else [found])]
        for source, found in secret_entries.read(secret_id).items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
