"""Show the webhooks and mails in quarantine, or take a webhook in again.

    python infra/quarantine.py            # lists them: identifier, source, reason, what became of it
    python infra/quarantine.py ID         # replays one

TABLE and REPLAY_FUNCTION say where (infra/with_stack.py sets them). Exit code 1: it is still unusable, or unknown.
"""

import json
import os
import sys
from pathlib import Path

import boto3

from sentences import in_sentences

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    return _replay(arguments[0]) if arguments else _list()


def _list() -> int:
    from adapters import quarantine

    kept = list(quarantine.listed())
    for webhook in kept:
        outcome = f"  -> {webhook.replayed}" if webhook.replayed else ""
        place = f"  {webhook.raw.decode()}" if webhook.source == quarantine.BY_MAIL else ""
        sys.stdout.write(f"{webhook.id}  {webhook.source}  {webhook.reason}{place}{outcome}\n")
    if not kept:
        sys.stdout.write("Nothing is in quarantine.\n")
    return 0


def _replay(identifier: str) -> int:
    answer = boto3.client("lambda").invoke(
        FunctionName=os.environ["REPLAY_FUNCTION"], Payload=json.dumps({"id": identifier}).encode()
    )
    result = json.loads(answer["Payload"].read())
    status = result.get("status") or result.get("errorMessage", "failed")
    sys.stdout.write(f"{status}\n")
    return 0 if "status" in result and status not in {"unknown", "quarantined"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
