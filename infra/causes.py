"""Count the causes of a period, list the values that nobody mapped, or have everything counted anew.

    python infra/causes.py [--days 30]     # each cause with those under it, and unmapped values
    python infra/causes.py --recount       # counts anew from all follow-ups, and waits

A value is marked "mixed" when it has letters of two scripts that look alike, such as a Cyrillic P in VPN: it may look
like one that is mapped. TABLE and RECOUNT_FUNCTION say where (infra/with_stack.py sets them).
"""

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from botocore.config import Config

from sentences import in_sentences, say

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from domain.cause import count, roll_up, unmapped
from domain.settings import UNCLASSIFIED

BETWEEN = 5.0
"""Seconds between two looks at a recount that somebody else has in hand."""
AT_ONCE = 60
"""Seconds of one call, so that it is said how far it is."""


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Count causes.")
    parser.add_argument("--days", type=_days, default=30, help="1 to 3650")
    parser.add_argument("--recount", action="store_true", help="count anew from all follow-ups, and wait")
    given = parser.parse_args(arguments)
    return _recount() if given.recount else _list(datetime.now(UTC), timedelta(days=given.days))


def _days(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 3650):
        raise argparse.ArgumentTypeError(f'"{text}" is no number of days from 1 to 3650')
    return int(text)


def _list(now: datetime, period: timedelta) -> int:
    from adapters import causes, settings_store

    settings = settings_store.settings(now)
    marks = {code: list(causes.marks(code, now - period, now)) for code in (*settings.causes, UNCLASSIFIED)}
    together = roll_up(marks, settings)
    say(f"The last {period.days} days: tickets and customers, together with the causes under it")
    states = causes.states(settings)
    for code in _parts_behind_whole({code: state.merged_into for code, state in states.items()}):
        known = settings.causes[code]
        own, all_of_it = count(marks[code]), together[code]
        more = f"  (itself {own.tickets} and {own.customers})" if own != all_of_it else ""
        under = f"  under {known.parent}" if known.parent else ""
        into = states[code].merged_into
        merged = f"  merged into {into}: counted there, too" if into else ""
        say(f"{all_of_it.tickets:>8,} {all_of_it.customers:>8,}  {code}  {known.name}{more}{under}{merged}")
    rest = count(marks[UNCLASSIFIED])
    say(f"{rest.tickets:>8,} {rest.customers:>8,}  {UNCLASSIFIED}")
    listed = unmapped(marks[UNCLASSIFIED])
    if listed:
        say("Values that nobody mapped: tickets, customers, value, source")
    for value in listed:
        mixed = "  mixed scripts: it may only look like another value" if value.mixed else ""
        shown = json.dumps(value.value, ensure_ascii=value.mixed)
        say(f"{value.tickets:>8,} {value.customers:>8,}  {shown}  {', '.join(value.sources)}{mixed}")
    return 0


def _parts_behind_whole(into: dict[str, str | None]) -> list[str]:
    """Causes in their order, those that were merged into one right behind it."""
    listed: list[str] = []
    waiting = [code for code, whole in reversed(into.items()) if whole not in into]
    while waiting:
        listed.append(waiting.pop())
        waiting += [code for code, whole in reversed(into.items()) if whole == listed[-1]]
    return listed


def _recount() -> int:
    client = boto3.client("lambda", config=Config(read_timeout=910, retries={"total_max_attempts": 1}))
    since = datetime.now(UTC)
    while True:
        answer = client.invoke(
            FunctionName=os.environ["RECOUNT_FUNCTION"],
            Payload=json.dumps({"since": since.isoformat(), "seconds": AT_ONCE}).encode(),
        )
        told = json.loads(answer["Payload"].read())
        if "finished" not in told:
            sys.stderr.write(f"The recount failed: {told.get('errorMessage', told)}\n")
            return 1
        if told["finished"] and datetime.fromisoformat(told["began_at"]) >= since - timedelta(minutes=1):
            break
        if not told["finished"]:
            say(f"{told['follow_ups']:,} follow-ups so far")
        time.sleep(BETWEEN)
    say(
        f"{told['follow_ups']:,} follow-ups counted; {told['moved']:,} have another cause now, "
        f"{told['count_drift']:,} marks were wrong and are right now."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
