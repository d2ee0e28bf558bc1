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
import os
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

import secret_entries
from adapters.chat import problem_of
from sentences import fail, in_sentences


@in_sentences
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
    if not secret_entries.KEY.fullmatch(given.name):
        return fail(f'"{given.name}" {secret_entries.NO_KEY}')
    if not given.secret_id:
        return fail("Which secret of Secrets Manager? Give --secret-id ID or set CHAT_ADDRESSES.")
    address = None if given.remove else secret_entries.typed("Address")
    if address is not None and (problem := problem_of(address)):
        return fail(f"Nothing was changed: {problem}.")
    try:
        report = change(given.name, given.secret_id, address)
    except ValueError:
        return fail(f"Nothing was changed: {given.secret_id} does not hold addresses of chats.")
    except (BotoCoreError, ClientError) as error:
        return fail(f"Nothing was changed: {given.secret_id} could not be used: {error}")
    sys.stdout.write(f"{report}\n")
    return 0


def change(name: str, secret_id: str, address: str | None) -> str:
    """Store the address of a channel, or with None forget it; gives what to tell the person."""
    kept = secret_entries.read(secret_id)
    others = {known: where for known, where in kept.items() if known != name}
    changed = others if address is None else {**others, name: address}
    if changed == kept:
        return "Nothing to change."
    secret_entries.write(secret_id, changed)
    return (
        f"Forgotten: {name}."
        if address is None
        else f"Stored. Who has chat: {name} gets digests there within a minute."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
