"""Set where the chat channel is reached that a contact of the settings names as its ``chat``.

    python infra/set_chat.py NAME [--secret-id ID] < file     # or typed, without showing it
    python infra/set_chat.py NAME --remove

The address is apprise's, one channel: slack://TokenA/TokenB/TokenC, workflows://host/workflow/signature for Microsoft
Teams, and others (the error for a wrong one lists the kinds). It holds a token, so it is never an argument: others on
the machine see those, and the shell remembers them.

All addresses are one JSON object in Secrets Manager: {"process-owners": "slack://..."}.
Exit code 0: done; 1: nothing was changed.
"""

import argparse
import getpass
import json
import os
import re
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from adapters.chat import problem_of

KEY = re.compile(r"[a-z0-9_-]{1,40}")


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Set where a chat channel is reached.")
    parser.add_argument("name", help="what the contact names as its chat in the settings file")
    parser.add_argument(
        "--secret-id", default=os.environ.get("CHAT_ADDRESSES"), help="default: CHAT_ADDRESSES"
    )
    parser.add_argument(
        "--remove", action="store_true", help="forget the address: nothing is posted there any more"
    )
    given = parser.parse_args(arguments)
    if not KEY.fullmatch(given.name):
        return _fail(f'"{given.name}" is not a key; allowed: 1 to 40 of a-z, 0-9, "-" and "_"')
    if not given.secret_id:
        return _fail("Which secret of Secrets Manager? Give --secret-id ID or set CHAT_ADDRESSES.")
    address = None if given.remove else _typed()
    if address is not None and (problem := problem_of(address)):
        return _fail(f"Nothing was changed: {problem}.")
    try:
        report = change(given.name, given.secret_id, address)
    except ValueError:
        return _fail(f"Nothing was changed: {given.secret_id} does not hold addresses of chats.")
    except (BotoCoreError, ClientError) as error:
        return _fail(f"Nothing was changed: {given.secret_id} could not be used: {error}")
    sys.stdout.write(f"{report}\n")
    return 0


def change(name: str, secret_id: str, address: str | None) -> str:
    """Store the address of a channel, or with None forget it; gives what to tell the person."""
    manager = boto3.client("secretsmanager")
    try:
        kept = json.loads(manager.get_secret_value(SecretId=secret_id)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        # A secret without any value yet answers like one that does not exist; writing tells the two apart.
        kept = {}
    if not isinstance(kept, dict):
        raise ValueError("not a JSON object")
    others = {known: where for known, where in kept.items() if known != name}
    changed = others if address is None else {**others, name: address}
    if changed == kept:
        return "Nothing to change."
    manager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(changed))
    return (
        f"Forgotten: {name}."
        if address is None
        else f"Stored. Who has chat: {name} gets digests there within a minute."
    )


def _typed() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Address: ").strip()
    return sys.stdin.readline().strip()


def _fail(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
