"""Check a settings file and store it, so that the running system follows it: no deployment.

    python infra/apply_settings.py FILE [--table NAME] [--public-url URL] [--check]

Everything is checked before anything is stored, and every problem is told at once, each with its line:

    infra/settings.yaml:17: policy.reminder_after: "soon" is not a duration; allowed: ...

Exit code 0: the settings are stored (with --check: valid); 1: the message says what to correct, or to run it
again, which is always safe. AWS is found as usual (AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL and so on);
--check needs none of it.
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from domain.errors import Changed
from domain.hours import next_digest
from domain.settings import Settings
from sentences import in_sentences
from settings_file import check, join, presets
from settings_values import FORMS_BY_NAME, shown


def differences(before: Settings | None, after: Settings) -> list[str]:
    """Give one line for every key that is added, removed or has another value, by path."""
    old, new = (dict(_flat("", part)) if part else {} for part in (before, after))
    lines = []
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            lines.append(f"  + {path}: {new[path]}")
        elif path not in new:
            lines.append(f"  - {path}: {old[path]}")
        elif old[path] != new[path]:
            lines.append(f"  ~ {path}: {old[path]} -> {new[path]}")
    return lines


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(join(path, key), inner)
    elif value is not None and value != ():
        yield path, shown(path.rpartition(".")[2], value)


def apply(settings: Settings, table: str, public_url: str | None, now: datetime) -> str:
    """Store checked settings in the table, see to the owners' digests, and say what changed, in lines.

    Raises ValueError when nothing says where the pages are, Changed when somebody else stored settings
    meanwhile, and the errors of AWS as they are.
    """
    os.environ["TABLE"] = table
    from adapters import settings_store, thanks

    before = settings_store.read()
    known_url = before.settings.company.public_url if before else None
    base = settings.company.public_url or public_url or known_url
    if not base:
        raise ValueError("company.public_url: is missing; allowed: give it in the file or as --public-url")
    settings = replace(settings, company=replace(settings.company, public_url=base))
    stored = settings_store.store(settings, now, before)
    _schedule_digests(settings, now)
    thanks.ensure(settings, now)
    if stored is before:
        return f"Nothing to change: table {table} has these settings already (version {stored.version})."
    _recount()
    changes = differences(before.settings if before else None, settings)
    seconds = int(settings_store.FRESH.total_seconds())
    title = f"Stored as version {stored.version} in table {table}:"
    return "\n".join([title, *changes, f"Running Lambdas follow within {seconds} seconds."])


def _recount() -> None:
    """Have causes counted anew at once; without it the schedule finds within minutes that settings were applied."""
    name = os.environ.get("RECOUNT_FUNCTION")
    if name:
        import boto3

        boto3.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")


def _schedule_digests(settings: Settings, now: datetime) -> None:
    """Give a next digest to every owner without one, and to those who have another one to come than these settings say.

    A digest that is due at this moment is not skipped. Not by the settings before: whoever runs it again after an error
    finishes what was begun.
    """
    from adapters import owners

    for key in sorted({cause.owner for cause in settings.causes.values()}):
        next_at, known = next_digest(now, settings.policy_for(key)), owners.load(key)
        if known is None or known.due_at is None or (known.due_at > now and known.due_at != next_at):
            owners.ensure([key], next_at)


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Check a settings file and store it.")
    parser.add_argument("file", type=Path, help="the settings, such as infra/settings.yaml")
    parser.add_argument("--table", default=os.environ.get("TABLE"), help="the stack's table; default: TABLE")
    parser.add_argument(
        "--public-url",
        default=os.environ.get("PUBLIC_URL"),
        help="base of all links, unless the file gives it",
    )
    parser.add_argument("--check", action="store_true", help="only check the file")
    given = parser.parse_args(arguments)
    try:
        settings, problems = check(given.file.read_bytes(), presets())
    except OSError as error:
        return _fail(f"{given.file}: {error.strerror}")
    if settings is None:
        return _fail(
            *(f"{given.file}:{problem}" for problem in problems),
            f"{len(problems)} to correct; nothing was changed.",
        )
    valid = f"{given.file} is valid."
    if given.check:
        sys.stdout.write(f"{valid}\n")
        return 0
    url = FORMS_BY_NAME["public_url"]
    if given.public_url and not url.parse(given.public_url):
        return _fail(f'--public-url: "{given.public_url}" {url.complaint}; allowed: {url.allowed}')
    if not given.table:
        return _fail("Which table? Give --table NAME or set TABLE.")
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    public_url = str(url.parse(given.public_url)) if given.public_url else None
    try:
        report = apply(settings, given.table, public_url, datetime.now(UTC))
    except ValueError as error:
        return _fail(f"{given.file}: {error}")
    except Changed as error:
        return _fail(
            f"Not all was changed, because of another change at the same time: {error}. Run it again."
        )
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        return _fail(f"Table {given.table} could not be used: {error}. Run it again.")
    sys.stdout.write(f"{valid}\n{report}\n")
    return 0


def _fail(*lines: str) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
