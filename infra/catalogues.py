"""The customers' sentences: brings the catalogues up to date with the templates, compiles them, finds what is wrong.

    python infra/catalogues.py               # after a template or a catalogue was changed: make messages
    python infra/catalogues.py --new fi      # an empty catalogue for one more language

A catalogue is ``functions/messages/locales/<language>/LC_MESSAGES/messages.po``. What ships is the ``.mo`` beside it,
which is kept in the repository, because the functions' folder is deployed as it is.
"""

import argparse
import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.core import UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

MESSAGES = Path(__file__).resolve().parents[1] / "functions/messages"
TEMPLATES = MESSAGES / "templates"
LOCALES = MESSAGES / "locales"
JINJA = "jinja2.ext:babel_extract"
AS_THE_TEMPLATES = {
    "trimmed": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "newstyle_gettext": "true",
    "silent": "false",
}
"""The options of the environment in functions/messages/text.py; ``silent``: a broken template is an error here too."""
SOURCE = "en"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Bring the catalogues up to date and compile them.")
    parser.add_argument("--new", metavar="LANGUAGE", help="start a catalogue, such as fi or pt_PT")
    options = parser.parse_args(arguments)
    try:
        if options.new:
            _write(_empty(options.new), options.new)
    except (UnknownLocaleError, ValueError):
        print(f"{options.new} is no language that Babel knows.", file=sys.stderr)  # noqa: T201
        return 1
    template = sentences()
    for name in names():
        catalogue = read(name)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        _write(catalogue, name)
    found = [] if options.new else list(problems())
    for problem in found:
        print(problem, file=sys.stderr)  # noqa: T201
    print(f"{len(names())} catalogues with {len(template)} sentences.")  # noqa: T201
    return 1 if found else 0


def _empty(name: str) -> Catalog:
    about = {"project": "Followthrough", "version": "1", "msgid_bugs_address": "", "last_translator": ""}
    return Catalog(locale=name, header_comment=f"# {name}", language_team=name, fuzzy=False, **about)


def names(folder: Path = LOCALES) -> list[str]:
    """The languages that have a catalogue."""
    return sorted(file.parts[-3] for file in folder.glob("*/LC_MESSAGES/messages.po"))


def sentences() -> Catalog:
    """Every sentence that a customer can read, as the templates have it."""
    found = Catalog(fuzzy=False)
    extracted = extract_from_dir(TEMPLATES, [("**.jinja", JINJA)], {"**.jinja": AS_THE_TEMPLATES})
    for file, _, message, comments, context in extracted:
        found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def read(name: str, folder: Path = LOCALES) -> Catalog:
    """One language's catalogue."""
    with (folder / name / "LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale=name, ignore_obsolete=True)


def compiled(catalogue: Catalog) -> bytes:
    """What the Lambdas read of it; a fuzzy or missing translation is not in it."""
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def problems(folder: Path = LOCALES) -> Iterator[str]:
    """Everything that would reach a customer wrong, each as a sentence: catalogue, English sentence, what is wrong."""
    template = sentences()
    for name in names(folder):
        try:
            catalogue = read(name, folder)
        except (ValueError, KeyError) as error:
            yield f"{name}: the catalogue cannot be read: {error}"
            continue
        known = {message.id for message in catalogue if message.id}
        for wanted in template:
            if not wanted.id:
                continue
            if wanted.id not in known:
                yield f"{name}: “{_english(wanted)}” is not in the catalogue; run make messages."
                continue
            for wrong in _wrong(catalogue[wanted.id], catalogue, name):
                yield f"{name}: “{_english(wanted)}” {wrong}"
        binary = folder / name / "LC_MESSAGES/messages.mo"
        if not binary.exists() or binary.read_bytes() != compiled(catalogue):
            yield f"{name}: the compiled catalogue is older than its sentences; run make messages."


def _wrong(message: Message | None, catalogue: Catalog, name: str) -> Iterator[str]:
    if message is None:
        return
    english, forms = _forms(message.id), _forms(message.string)
    if name == SOURCE and not any(forms):
        return  # the templates' own words stand
    if not all(forms):
        yield "has no translation."
        return
    if message.fuzzy:
        yield "is marked as fuzzy: somebody has to look at it and take the mark away."
    if len(english) > 1 and len(forms) != catalogue.num_plurals:
        yield f"needs {catalogue.num_plurals} plural forms and has {len(forms)}."
    for form in forms:
        if name != SOURCE and form in english:
            yield "is left in English."
        yield from _misused(form, english)


def _misused(form: str, english: tuple[str, ...]) -> Iterator[str]:
    wanted = set(_PLACEHOLDER.findall(english[-1]))
    given = set(_PLACEHOLDER.findall(form))
    # "One ticket" and the Arabic dual say the number in words.
    missing = wanted - given - ({"count"} if len(english) > 1 else set())
    for placeholder in sorted(missing):
        yield f"has lost its placeholder %({placeholder})s in “{form}”."
    for placeholder in sorted(given - wanted):
        yield f"has a placeholder %({placeholder})s that nobody fills in “{form}”."
    if "%" in _PLACEHOLDER.sub("", form).replace("%%", ""):
        yield f"has a broken placeholder or a single % in “{form}”."
    if form != form.strip() or re.search(r"[<>\n]", form):
        yield f"has markup, a line break or outer blanks in “{form}”."


def _english(message: Message) -> str:
    return _forms(message.id)[0]


def _forms(texts: str | Sequence[str] | None) -> tuple[str, ...]:
    """A sentence in each of its plural forms, or in its only one."""
    return (texts,) if isinstance(texts, str) else tuple(texts or ("",))


def _write(catalogue: Catalog, name: str) -> None:
    place = LOCALES / name / "LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "messages.po").open("wb") as file:
        write_po(file, catalogue, width=120, include_lineno=False, sort_by_file=True, ignore_obsolete=True)
    # Read again, so that the compiled catalogue is what anybody would compile from the file.
    (place / "messages.mo").write_bytes(compiled(read(name)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
