"""Open what a helpdesk closed in a span of days and no webhook told, such as what came before it was connected.

    python infra/backfill.py SOURCE FROM TO [--yes] [--estimate]

FROM and TO are days (2026-11-01, both included, in UTC) or instants with a zone. First it counts what there is, how
much of it is known already, and how much is older than the policy allows and is not asked about; then it asks whether
to go on. Run it again after it was interrupted: it goes on where it was. RECONCILE_FUNCTION says where
(infra/with_stack.py sets it). Exit code 0: done, or nothing wanted; 1: the message says what to do.
"""

import argparse
import json
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any

import boto3
from botocore.config import Config

from sentences import fail, in_sentences, say

AT_ONCE = 60
"""Seconds of one call, so that it is said how far it is."""
LONGEST_WAIT = 300.0
"""Seconds between two looks when the helpdesk wants to be left alone; a longer rest is said, and waited for."""


class Failed(Exception):  # noqa: N818 - reads as a sentence
    """It cannot go on; the message is for a person."""


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Open what was closed in a span of days.")
    parser.add_argument("source", help="key of a source with an api in the settings")
    parser.add_argument("since", metavar="FROM", type=lambda text: _instant(text, last=False))
    parser.add_argument("until", metavar="TO", type=lambda text: _instant(text, last=True))
    parser.add_argument("--yes", action="store_true", help="do not ask before anything is opened")
    parser.add_argument("--estimate", action="store_true", help="only count")
    given = parser.parse_args(arguments)
    until = min(given.until, datetime.now(UTC).replace(microsecond=0))
    if given.since >= until:
        return fail("FROM is not before TO.")
    # The end of a span that is not over yet is the end of its day, so that the same command finds the same pass.
    span: dict[str, Any] = {"source": given.source, "seconds": AT_ONCE}
    span |= {"from": given.since.isoformat(), "to": given.until.isoformat()}
    try:
        counted = _run(span | {"estimate": True}, "counted")
        say(
            f"{counted['listed']:,} closings: {counted['opened']:,} are unknown and would be opened, "
            f"{counted['known']:,} are known, {counted['too_old']:,} are too old and are not asked about."
        )
        if counted["not_ours"]:
            say(f"{counted['not_ours']:,} more are left out by api.only.")
        if counted["unusable"]:
            say(f"{counted['unusable']:,} entries of the list could not be read.")
        if given.estimate or not counted["opened"]:
            return 0
        if not given.yes and not _agreed(counted["opened"]):
            say("Nothing was opened.")
            return 0
        done = _run(span, "looked at")
        say(f"{done['opened']:,} opened, {done['known']:,} were known, {done['too_old']:,} were too old.")
    except Failed as failed:
        return fail(str(failed))
    except KeyboardInterrupt:
        return fail("Interrupted. The same command goes on where it was.")
    return 0


def _run(wanted: dict[str, Any], what: str) -> dict[str, Any]:
    """Walk until it is finished, and say how far it is; gives the figures."""
    client = boto3.client("lambda", config=Config(read_timeout=910, retries={"total_max_attempts": 1}))
    while True:
        answer = client.invoke(
            FunctionName=os.environ["RECONCILE_FUNCTION"], Payload=json.dumps({"backfill": wanted}).encode()
        )
        told = json.loads(answer["Payload"].read())
        state = told.get(wanted["source"])
        if state is None:
            raise Failed(str(told.get("error") or told.get("errorMessage") or told))
        so_far: dict[str, Any] = state["so_far"]
        if state["finished"]:
            return so_far
        say(f"{so_far['listed']:,} {what} so far")
        if "estimate" in wanted:
            wanted = wanted | {"so_far": so_far}
        if state["again_at"]:
            _rest(state)


def _rest(state: dict[str, Any]) -> None:
    if state["obstacle"] in {"refused", "no_token"}:
        raise Failed("The helpdesk does not accept our token, or there is none: make token SOURCE=...")
    if state["obstacle"] in {"gone", "unreadable"}:
        raise Failed("The helpdesk answered something unexpected; the log of the function says what.")
    again_at = datetime.fromisoformat(state["again_at"])
    seconds = (again_at - datetime.now(UTC)).total_seconds()
    say(f"The helpdesk wants to be asked again at {again_at:%H:%M:%S} UTC.")
    time.sleep(max(1.0, min(seconds, LONGEST_WAIT)))


def _agreed(number: int) -> bool:
    if not sys.stdin.isatty():
        raise Failed("Nothing was opened: without a terminal, say YES=1 (--yes).")
    said = input(f"Open {number:,} follow-ups, whose customers will be asked by mail? [y/N] ")
    return said.strip().casefold() in {"y", "yes"}


def _instant(text: str, *, last: bool) -> datetime:
    """A day's first or last second, or an instant with a zone."""
    try:
        if len(text) == len("2026-11-01"):
            day = date.fromisoformat(text) + timedelta(days=last)
            return datetime.combine(day, clock(), UTC) - timedelta(seconds=last)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no day like 2026-11-01') from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f'"{text}" has no time zone')
    return at


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
