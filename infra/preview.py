"""Writes every mail and page with sample data into a folder, for anybody who wants to see what we send.

    python infra/preview.py [--language de] [--folder .local/preview] [--no-screenshots]

Open ``index.html`` there. The catalogues and templates are checked first: when a sentence has lost a placeholder or a
template asks for a field that nobody gives, nothing is written and the sentence is named. Sheets of screenshots (phone
and desktop, light and dark) are made where Chromium is installed.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "functions"))

from jinja2 import Template, TemplateError  # noqa: E402

import catalogues  # noqa: E402
import samples  # noqa: E402
from messages.language import Language, languages, negotiate  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
NONCE = "preview"
SIZES = {"phone": (360, 6), "desktop": (900, 3)}
"""Width of a mail or page in pixels, and how many stand beside each other on a sheet."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
INDEX = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What we send</title>
<style>
body { max-width: 1000px; margin: 0 auto; padding: 24px 12px; font: 16px/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; } td, th { padding: 4px 16px 4px 0; text-align: start; vertical-align: top; }
</style>
</head>
<body>
<h1>What we send</h1>
<p>Every mail and page with sample data, in every language. Nothing here was sent to anybody.</p>
<ul>
{% for group in groups %}
<li><a href="#{{ group[0].folder }}">{{ group[0].group }}</a></li>
{% endfor %}
</ul>
{% for group in groups %}
<h2 id="{{ group[0].folder }}">{{ group[0].group }}</h2>
{% if sheets %}
<p>All at a glance:
{% for sheet in sheets %}
<a href="{{ group[0].folder }}/{{ sheet }}.png">{{ sheet }}</a>
{% endfor %}
</p>
{% endif %}
<table>
{% for shown in group %}
<tr><th scope="row">{{ shown.name }}</th>
<td><a href="{{ shown.folder }}/{{ shown.name }}.html">open</a></td>
<td>{% if shown.text %}<a href="{{ shown.folder }}/{{ shown.name }}.txt">as plain text</a>{% endif %}</td></tr>
{% endfor %}
</table>
{% endfor %}
</body>
</html>
""",
    autoescape=True,
    trim_blocks=True,
)
SHEET = Template(
    """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<style>
body {
  margin: 16px; width: {{ columns * (width + 20) }}px; columns: {{ columns }}; column-gap: 20px;
  font: 14px system-ui, sans-serif;
}
figure { margin: 0 0 24px; break-inside: avoid; }
iframe { display: block; width: {{ width }}px; border: 0; }
</style>
</head>
<body>
{% for shown in group %}
<figure><figcaption>{{ shown.name }}</figcaption><iframe srcdoc="{{ shown.html }}"></iframe></figure>
{% endfor %}
</body>
</html>
""",
    autoescape=True,
    trim_blocks=True,
)
WHOLE_HEIGHT = """
for (const frame of document.querySelectorAll("iframe"))
    frame.style.height = frame.contentDocument.documentElement.scrollHeight + "px";
"""

FOLDER = ROOT / ".local/preview"
MARK = ".made-by-preview"
"""What is in a folder that may be replaced as a whole."""


class Broken(Exception):  # noqa: N818 - read as a sentence
    """Something would reach a reader wrong; the text says what."""


@dataclass(frozen=True)
class Shown:
    """One mail or page of one language, written out."""

    group: str
    folder: str
    name: str
    html: str
    text: str | None = None


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Write every mail and page with sample data into a folder.")
    parser.add_argument("--language", help="only this one, such as de or pt-BR")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--no-screenshots", action="store_true")
    options = parser.parse_args(arguments)
    if _holds_something_else(options.folder):
        print(f"{options.folder} holds something else; nothing was written.", file=sys.stderr)  # noqa: T201
        return 1
    started = time.perf_counter()
    try:
        written = list(everything(options.language))
    except Broken as broken:
        print(broken, file=sys.stderr)  # noqa: T201
        return 1
    if options.folder.exists():
        shutil.rmtree(options.folder)
    sheets = write(written, options.folder, pictured=not options.no_screenshots)
    (options.folder / MARK).touch()
    seconds = time.perf_counter() - started
    print(f"{len(written)} mails and pages, {sheets} sheets of screenshots, {seconds:.0f} s:")  # noqa: T201
    print(f"  {options.folder / 'index.html'}")  # noqa: T201
    return 0


def _holds_something_else(folder: Path) -> bool:
    """Whether replacing the folder would delete what no preview made."""
    return folder != FOLDER and folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists()


def everything(tag: str | None = None) -> Iterator[Shown]:
    """All mails and pages, in one language or in every one; Broken when one of them cannot be right."""
    wrong = "\n".join(catalogues.problems())
    if wrong:
        raise Broken(f"Nothing was written, because customers would read something wrong:\n{wrong}")
    chosen = languages()
    if tag:
        found = negotiate(tag, "")
        if found.tag.partition("-")[0] != tag.replace("_", "-").partition("-")[0].lower():
            raise Broken(
                f"There is no catalogue for {tag}; there is {', '.join(known.tag for known in chosen)}."
            )
        chosen = (found,)
    for language in chosen:
        yield from for_customers(language)
    if not tag:
        yield from for_our_people()


def for_customers(language: Language) -> Iterator[Shown]:
    """Every mail and page for a customer of this language."""
    group, folder = f"{language.own_name} ({language.tag})", language.tag
    for name, (compose_it, context) in samples.CUSTOMER_MAILS.items():
        with _named(name, folder):
            mail = compose_it(replace(context, language=language.tag))
        yield Shown(group, folder, f"mail_{name}", mail.html, f"Subject: {mail.subject}\n\n{mail.text}")
    for name, (show, context) in samples.CUSTOMER_PAGES.items():
        with _named(name, folder):
            html = show(replace(context, language=language.tag), NONCE)
        yield Shown(group, folder, f"page_{name}", html)


def for_our_people() -> Iterator[Shown]:
    """Every mail and page for the company, its teams and process owners."""
    group, folder = "To our own people", "own"
    for name, (compose_it, context) in samples.STAFF_MAILS.items():
        with _named(name, folder):
            mail = compose_it(context)
        yield Shown(group, folder, f"mail_{name}", mail.html, f"Subject: {mail.subject}\n\n{mail.text}")
    for name, (show, context) in samples.STAFF_PAGES.items():
        with _named(name, folder):
            html = show(context, NONCE)
        yield Shown(group, folder, f"page_{name}", html)


@contextmanager
def _named(name: str, folder: str) -> Iterator[None]:
    try:
        yield
    except (TemplateError, KeyError, TypeError, ValueError) as error:
        raise Broken(f"“{name}” cannot be written ({folder}): {error}") from error


def write(written: list[Shown], folder: Path, *, pictured: bool) -> int:
    """Write the files and the index; gives the number of sheets of screenshots."""
    for shown in written:
        place = folder / shown.folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{shown.name}.html").write_text(shown.html, "utf-8")
        if shown.text:
            (place / f"{shown.name}.txt").write_text(shown.text, "utf-8")
    groups = {shown.folder: [other for other in written if other.folder == shown.folder] for shown in written}
    sheets = _picture(groups, folder) if pictured and Path(CHROMIUM).exists() else []
    (folder / "index.html").write_text(INDEX.render(groups=groups.values(), sheets=sheets), "utf-8")
    return len(sheets) * len(groups)


def _picture(groups: dict[str, list[Shown]], folder: Path) -> list[str]:
    """Everything of a group on one sheet, in each size and scheme: quicker to make and to look at than single ones."""
    from playwright.sync_api import sync_playwright

    arguments = ["--disable-gpu", "--hide-scrollbars", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        for size, (width, columns) in SIZES.items():
            page = browser.new_page(viewport={"width": columns * (width + 20) + 32, "height": 800})
            for name, group in groups.items():
                page.set_content(SHEET.render(group=group, width=width, columns=columns))
                page.evaluate(WHOLE_HEIGHT)
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme)
                    page.screenshot(path=folder / name / f"{size}-{scheme}.png", full_page=True)
            page.close()
        browser.close()
    return [f"{size}-{scheme}" for size in SIZES for scheme in SCHEMES]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
