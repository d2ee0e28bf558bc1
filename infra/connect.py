"""Connect a helpdesk: what to paste where, its secret, and how its test event is understood, field by field.

    python infra/connect.py SOURCE [--settings FILE]     # against a stack; infra/with_stack.py says where
    python infra/connect.py SOURCE --check CAPTURE [--settings FILE] [--verify]

With --settings the source is added to that settings file if it is missing, and the file is applied. --check sends and
stores nothing and needs no stack: it takes a captured body, or a `curl` command, and prints the closure it would be,
or why it would be refused. Without --settings SOURCE is then the name of a preset. --verify asks for the secret and
checks the signature of a curl command, too.
Exit code 0: a closure was understood whose customer can be asked; 1: not, and the last lines say what to change.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

import apply_settings
import secret_entries
import set_secret
import settings_file
from domain.settings import Settings, Source
from explain import NotACapture, Request, captured, explain
from helpdesks.preset import BadPreset, preset_of
from helpdesks.verify import Target, Unverified, is_usable, verify
from sentences import in_sentences

PAGES = Path(__file__).resolve().parents[1] / "docs" / "helpdesks"
WAITS = timedelta(minutes=15)
LOOKS = 1.0
"""Seconds between two looks at what came."""


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Connect a helpdesk and see how it is understood.")
    parser.add_argument("source", help="a key below `sources:` in the settings")
    parser.add_argument("--settings", type=Path, help="your settings file")
    parser.add_argument("--check", type=Path, metavar="CAPTURE", help="a captured body or curl command")
    parser.add_argument("--verify", action="store_true", help="with --check: check the signature as well")
    parser.add_argument("--wait", type=int, default=int(WAITS.total_seconds()), help="seconds, default 900")
    given = parser.parse_args(arguments)
    if not secret_entries.KEY.fullmatch(given.source):
        return _fail(f'"{given.source}" {secret_entries.NO_KEY}.')
    try:
        if given.check:
            return _check(given.source, given.check, given.settings, ask=given.verify)
        return _connect(given.source, given.settings, timedelta(seconds=given.wait))
    except (BadPreset, NotACapture, OSError) as wrong:
        return _fail(str(wrong))
    except KeyboardInterrupt:
        return _fail("Stopped. Nothing is lost: what comes now is taken in as always.")


# --- a captured request ----------------------------------------------------------------------------------------------


def _check(name: str, capture: Path, file: Path | None, *, ask: bool) -> int:
    settings = _read(file) if file else None
    if file and settings is None:
        return 1
    if settings and name not in settings.sources:
        return _fail(f"{file} has no source {name}; it has: {', '.join(settings.sources)}.")
    if settings is None and name not in settings_file.presets():
        return _fail(
            f"There is no preset {name}; there are: {', '.join(settings_file.presets())}. "
            "For a source of your own give your settings file as well."
        )
    source = settings.sources[name] if settings else Source(preset=name, secret=name)
    request = captured(capture.read_bytes())
    now = datetime.now(UTC)
    if ask and not _is_signed(name, source, request, settings, now):
        return 1
    fine = False
    for usable, lines in explain(name, source, request, now, settings):
        fine = fine or usable
        _say(lines)
    return 0 if fine else 1


def _is_signed(name: str, source: Source, request: Request, settings: Settings | None, now: datetime) -> bool:
    base = settings.company.public_url if settings else None
    url = request.url or f"{base or ''}/hooks/{name}"
    target = Target(method="POST", url=url, query=dict(parse_qsl(urlsplit(url).query)))
    rule = preset_of(source.preset, source.fields).rule(source.verify)
    try:
        verify(rule, request.headers, request.body, [secret_entries.typed("Secret")], now, target)
    except Unverified as unverified:
        if unverified.reason != "stale":
            _fail(f"refused: {unverified.reason}")
            return False
        _say(["signature: right; it is of another time, as a captured one always is"])
        return True
    _say(["signature: right"])
    return True


# --- against a stack -------------------------------------------------------------------------------------------------


def _connect(name: str, file: Path | None, patience: timedelta) -> int:
    if not os.environ.get("TABLE"):
        return _fail(
            "Which stack? Run it as: make connect SOURCE=..., or make connect SOURCE=... STACK=local"
        )
    if file and not _added(name, file):
        return 1
    from adapters import settings_store

    stored = settings_store.read()
    source = stored.settings.sources.get(name) if stored else None
    if stored is None or source is None:
        _fail(f"The stack's settings have no source {name}. Add it to your settings file:")
        _say(["", *_block(name), ""])
        return _fail(f"and run: make connect SOURCE={name} FILE=my-settings.yaml")
    url = f"{stored.settings.company.public_url or os.environ.get('PUBLIC_URL')}/hooks/{name}"
    _say(_page(source.preset if isinstance(source.preset, str) else "your-own", url))
    if not _has_secret(source):
        return 1
    began = datetime.now(UTC)
    settings_store.connect(name, began + patience, stored)
    minutes = max(1, round(patience.total_seconds() / 60))
    _say(
        [
            "",
            f"Waiting up to {minutes} min for what {name} sends to {url}",
            "(functions follow within a minute; Ctrl-C ends it)",
        ]
    )
    return _watch(name, source, began, patience, stored.settings)


def _watch(name: str, source: Source, began: datetime, patience: timedelta, settings: Settings) -> int:
    from adapters import captures

    seen: set[tuple[datetime, str]] = set()
    while datetime.now(UTC) < began + patience:
        for capture in captures.listed(name, began):
            if (capture.received_at, capture.outcome) in seen:
                continue
            seen.add((capture.received_at, capture.outcome))
            _say(["", f"{capture.received_at:%H:%M:%S} UTC  {capture.outcome}"])
            if not capture.body:
                late = "The signature is right and its time is not: send a new one, or look at the clocks."
                other = "Check the secret: `make secret` stores another one."
                hint = late if capture.outcome.endswith("stale") else other
                _say([f"  {hint} Nothing of the request was kept."])
                continue
            request = Request(body=capture.raw, headers=capture.headers)
            found = list(explain(name, source, request, capture.received_at, settings))
            for _, lines in found:
                _say(lines)
            if any(usable for usable, _ in found):
                _say(["", f"{name} is connected."])
                return 0
        time.sleep(LOOKS)
    return _fail("", "No closure came that could be used. What to look at:", *_nothing_came(bool(seen)))


def _nothing_came(something: bool) -> Iterable[str]:
    if something:
        yield "  the lines above say what was missing in what did come"
    else:
        yield "  whether the helpdesk's log shows a request, to exactly this address"
        yield "  whether its rule fires: close a ticket of your own"


def _has_secret(source: Source) -> bool:
    """Whether there is a secret that this source's way of signing can use; asks for one when there is none."""
    key, secret_id = source.secret, os.environ.get("HOOK_SECRETS", "")
    rule = preset_of(source.preset, source.fields).rule(source.verify)
    try:
        stored = set_secret.stored(secret_id).get(key, [])
    except ValueError as wrong:
        _fail(f"{secret_id} does not hold hook secrets: {wrong}.")
        return False
    if any(is_usable(rule, secret) for secret in stored):
        return True
    if stored:
        _fail(f"The secret stored for {key} cannot be used by this way of signing.")
    _say(
        [
            "",
            f"No usable secret is stored for {key} yet. Paste the helpdesk's, or one that you made (it is not shown):",
        ]
    )
    secret = secret_entries.typed("Secret")
    problem = set_secret.problem_of(secret)
    if problem is None and not is_usable(rule, secret):
        problem = "this way of signing needs whsec_ and base64 after it"
    if problem:
        _fail(f"Nothing was stored: {problem}. To have one made: make secret SOURCE={key} GENERATE=1")
        return False
    _say([set_secret.change(key, secret_id, secret)])
    return True


# --- the settings file, and the page of a helpdesk -------------------------------------------------------------------


def _read(file: Path) -> Settings | None:
    settings, problems = settings_file.check(file.read_bytes(), settings_file.presets())
    if settings is None:
        _fail(*(f"{file}:{problem}" for problem in problems))
    return settings


def _added(name: str, file: Path) -> bool:
    """Whether the file has the source, which is put below its ``sources:`` if need be, and was applied."""
    settings = _read(file)
    if settings is None:
        return False
    if name not in settings.sources:
        more = _with_source(name, file.read_bytes().decode("utf-8"))
        if more is None or settings_file.check(more.encode(), settings_file.presets())[0] is None:
            _fail(f"{file} was not changed: {name} cannot be added to it by itself. Put this into it:")
            _say(["", *_block(name)])
            return False
        file.write_bytes(more.encode())
        _say([f"{file}: added the source {name}."])
    return apply_settings.main([str(file)]) == 0


def _with_source(name: str, text: str) -> str | None:
    """The settings with one more source, first below ``sources:`` and set in as the others are; None: no such line."""
    begun = re.search(r"^sources:[ \t]*(?:#.*?)?(\r?\n)(?:[ \t]*(?:#.*)?\r?\n)*([ ]*)", text, re.MULTILINE)
    if begun is None:
        return None
    block = "".join(f"{line}{begun[1]}" for line in _block(name, begun[2] or "  ")[1:])
    return text[: begun.end(1)] + block + text[begun.end(1) :]


def _block(name: str, by: str = "  ") -> list[str]:
    """The lines of a new source, set in ``by`` blanks; its preset is the one whose name the key begins with."""
    presets = sorted(settings_file.presets(), key=len, reverse=True)
    preset = next((known for known in presets if name.startswith(known)), "standard-webhooks")
    return ["sources:", f"{by}{name}:", f"{by * 2}preset: {preset}", f"{by * 2}secret: {name}"]


def _page(preset: str, url: str) -> list[str]:
    """What to paste where, from the helpdesk's page, with the address that is meant."""
    page = (PAGES / f"{preset}.md").read_text("utf-8")
    steps = re.search(r"^## Connect\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    text = (steps[1] if steps else page).partition("The source in your settings file")[0]
    return re.sub(r"<(?:ApiUrl|public_url)>/hooks/[a-z-]+", url, text).strip().split("\n")


def _say(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _fail(*lines: str) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
