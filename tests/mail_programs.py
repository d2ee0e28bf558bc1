"""What a mail's HTML and CSS asks of mail programs, and which of them do not give it.

``uses`` names every element, attribute, property, value, at-rule and kind of selector as caniemail.com does
(tests/fixtures/mail_programs/support.json, made by infra/caniemail.py). Whatever is not supported everywhere stands in
``HARMLESS`` with the programs, the reason why nobody misses it, and the way in which alone it may be used.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

SUPPORT = json.loads((Path(__file__).parent / "fixtures/mail_programs/support.json").read_text("utf-8"))

GROUPS = {
    "html-h1-h6": {"h1", "h2", "h3", "h4", "h5", "h6"},
    "html-table": {"table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "col", "colgroup"},
    "html-lists": {"ul", "ol", "li", "dl", "dt", "dd"},
    "html-semantics": {
        "article", "section", "main", "header", "footer", "nav", "aside", "figure", "figcaption", "details", "summary",
        "mark", "time",
    },
}  # fmt: skip
SHORTHANDS = (
    "border",
    "margin",
    "padding",
    "background",
    "flex",
    "grid",
    "font",
    "list-style",
    "outline",
    "animation",
)
OWN_FEATURES = {
    "left": "css-left-right-top-bottom", "right": "css-left-right-top-bottom", "top": "css-left-right-top-bottom",
    "bottom": "css-left-right-top-bottom", "grid-template-columns": "css-grid-template",
    "grid-template-rows": "css-grid-template", "column-gap": "css-gap", "row-gap": "css-gap",
    "font-family": "font-family",
}  # fmt: skip
MEDIA = {
    "prefers-color-scheme": "css-at-media-prefers-color-scheme",
    "prefers-reduced-motion": "css-at-media-prefers-reduced-motion",
    "hover": "css-at-media-hover",
    "orientation": "css-at-media-orientation",
    "-webkit-device-pixel-ratio": "css-at-media-device-pixel-ratio",
    "max-width": "css-at-media",
    "min-width": "css-at-media",
}
FUNCTIONS = {
    "rgb": "css-rgb", "rgba": "css-rgba", "calc": "css-unit-calc", "min": "css-function-min", "max": "css-function-max",
    "clamp": "css-function-clamp", "var": "css-variables", "light-dark": "css-function-light-dark",
    "linear-gradient": "css-linear-gradient", "url": "css-background-image",
}  # fmt: skip


@dataclass(frozen=True)
class Use:
    """One thing that a mail uses: ``feature`` is caniemail's name or, for what it does not know, our own."""

    feature: str
    element: str = ""
    """The element's name; ``style`` for what stands in the style sheet."""
    value: str = ""
    attributes: dict[str, str] = field(default_factory=dict, compare=False)
    inside: dict[str, str] = field(default_factory=dict, compare=False)
    """The attributes of the element around it."""


def uses(html: str) -> list[Use]:
    """Everything that a mail asks of the program that shows it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.uses


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.uses: list[Use] = []
        self.around: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        inside = self.around[-1][1] if self.around else {}
        kind = f"html-input-{attributes.get('type', 'text')}" if tag == "input" else None
        grouped = next((name for name, tags in GROUPS.items() if tag in tags), None)
        self.uses.append(
            Use(
                kind or grouped or _known(f"html-{tag}", f"<{tag}>"),
                tag,
                self.around[-1][0] if self.around else "",
            )
        )
        for name, value in attributes.items():
            if name == "style":
                for prop, said in _declarations(value):
                    for feature in _of_declaration(prop, said):
                        self.uses.append(Use(feature, tag, said, attributes, inside))
            elif name == "name" and value == "color-scheme":
                self.uses.append(Use("html-meta-color-scheme", tag, value))
            elif name == "href" and not value.startswith(("https://", "http://")):
                link = "html-mailto-links" if value.startswith("mailto:") else "html-anchor-links"
                self.uses.append(Use(link, tag, value))
            else:
                self.uses.append(Use(_known(f"html-{name}", f"{name}="), tag, value, attributes, inside))
        if tag not in {"meta", "br", "img", "hr", "input", "link", "wbr"}:
            self.around.append((tag, attributes))

    def handle_endtag(self, tag: str) -> None:
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.around and self.around[-1][0] == "style":
            self.uses += _of_sheet(data)

    def handle_decl(self, decl: str) -> None:
        self.uses.append(Use("html-doctype", value=decl))

    def handle_comment(self, data: str) -> None:
        self.uses.append(Use("html-comments", value=data))
        shown = re.fullmatch(r"\[if mso\]>(.*)<!\[endif\]", data, re.DOTALL)
        if shown:
            self.uses += uses(shown[1])


def _known(slug: str, otherwise: str) -> str:
    return slug if slug in SUPPORT["features"] else otherwise


def _of_sheet(sheet: str) -> Iterator[Use]:
    if "/*" in sheet:
        yield Use("css-comments", "style", "/*")
        sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    at = 0
    while brace := re.compile(r"[{;]").search(sheet, at):
        prelude, end = sheet[at : brace.start()].strip(), brace.end()
        if brace[0] == "{":
            depth = 1
            while depth:
                depth += {"{": 1, "}": -1}.get(sheet[end], 0)
                end += 1
        content = sheet[brace.end() : end - 1]
        at = end
        if prelude.startswith("@"):
            yield from _of_at_rule(prelude, content)
        else:
            for feature in _of_selector(prelude):
                yield Use(feature, "style", prelude)
            for prop, said in _declarations(content):
                for feature in _of_declaration(prop, said):
                    yield Use(feature, "style", said)


def _of_at_rule(prelude: str, content: str) -> Iterator[Use]:
    name, _, condition = prelude[1:].partition(" ")
    yield Use(_known(f"css-at-{name}", f"@{name}"), "style", prelude)
    for asked in re.findall(r"\(\s*([\w-]+)", condition):
        yield Use(MEDIA.get(asked, f"@media ({asked})"), "style", prelude)
    yield from _of_sheet(content) if name in {"media", "supports"} else ()


def _of_selector(selectors: str) -> Iterator[str]:
    listed = [selector.strip() for selector in selectors.split(",")]
    if len(listed) > 1:
        yield "css-selector-grouping"
    for selector in listed:
        bare = re.sub(r"\[[^]]*\]|\([^)]*\)", "", selector)
        for pseudo in re.findall(r"::([\w-]+)", bare):
            yield _known(f"css-pseudo-element-{pseudo}", f"::{pseudo}")
        for pseudo in re.findall(r"(?<!:):([\w-]+)", bare):
            yield _known(f"css-pseudo-class-{pseudo}", f":{pseudo}")
        kinds = {
            "css-selector-attribute": "[" in selector,
            "css-selector-class": "." in bare,
            "css-selector-id": "#" in bare,
            "css-selector-child": ">" in bare,
            "css-selector-adjacent-sibling": "+" in bare,
            "css-selector-general-sibling": "~" in bare,
            "css-selector-universal": "*" in bare,
            "css-selector-descendant": bool(re.search(r"[^\s>+~]\s+[^\s>+~]", bare)),
            "css-selector-type": bool(re.search(r"(?:^|[\s>+~])[a-zA-Z]", bare)),
            "css-selector-chaining": bool(re.search(r"[.#][\w-]+[.#]", bare)),
        }
        yield from (kind for kind, there in kinds.items() if there)


def _declarations(text: str) -> Iterator[tuple[str, str]]:
    for declaration in text.split(";"):
        prop, colon, value = declaration.partition(":")
        if colon:
            yield prop.strip().lower(), value.strip()


def _of_declaration(prop: str, value: str) -> Iterator[str]:
    shorthand = next((f"css-{name}" for name in SHORTHANDS if prop.startswith(f"{name}-")), "")
    of_property = "css-variables" if prop.startswith("--") else _known(f"css-{prop}", _known(shorthand, prop))
    yield OWN_FEATURES.get(prop, of_property)
    shown = re.sub(r"\s*!important$", "", value)
    if shown != value:
        yield "css-important"
    if prop == "display":
        flow = "flex" if "flex" in shown else "grid" if "grid" in shown else shown
        if f"css-display-{flow}" in SUPPORT["features"]:
            yield f"css-display-{flow}"
    for unit in re.findall(r"(?<![\w#-])-?[\d.]+(%|[a-z]+)", shown):
        yield f"css-unit-{'percent' if unit == '%' else unit}"
    for function in re.findall(r"([\w-]+)\(", shown):
        yield FUNCTIONS.get(function, f"{function}()")
    if re.search(r"\b(system-ui|ui-[a-z]+)", shown):
        yield "css-sytem-ui"  # sic


def lacking(feature: str) -> set[str]:
    """The families of programs of which one supports a feature in part or not at all."""
    letters = SUPPORT["features"].get(feature, "")
    return {
        client.partition("/")[0]
        for client, letter in zip(SUPPORT["clients"], letters, strict=False)
        if letter in "an"
    }


@dataclass(frozen=True)
class Harmless:
    """Why nobody misses what ``clients`` leave out, as long as it is used ``so``."""

    clients: str
    why: str
    so: Callable[[Use], bool] = lambda use: True


def _has_colour_twice(use: Use) -> bool:
    return use.element == "style" or use.attributes.get("bgcolor") == use.value


def _is_a_cells_padding(use: Use) -> bool:
    around = "mso-padding-alt" in use.inside.get("style", "")
    return use.element in {"td", "style"} or use.value == "0" or (use.element == "a" and around)


def _in_table(use: Use) -> bool:
    return use.element in {"table", "td"}


SHEET = (
    "without the style sheet a mail is light and has its wide margins; everything else stands in the elements"
)
AUTHORS_FONT = "the next font of the list is taken"
HEARD = "a screen reader may call the layout tables tables; their words are the same"

HARMLESS = {
    "html-style": Harmless("gmail outlook gmx web-de", SHEET, lambda use: use.value == "head"),
    "css-at-media": Harmless("gmail outlook yahoo samsung-email thunderbird", SHEET),
    "css-at-media-prefers-color-scheme": Harmless("gmail outlook yahoo thunderbird gmx web-de", SHEET),
    "css-selector-class": Harmless("gmail", SHEET),
    "css-important": Harmless(
        "gmail outlook yahoo gmx web-de",
        SHEET,
        lambda use: use.element == "style" and " !important" in use.value,
    ),
    "css-color-scheme": Harmless("gmail outlook yahoo gmx web-de", "a hint that both schemes are ours"),
    "html-meta-color-scheme": Harmless(
        "gmail outlook apple-mail yahoo samsung-email gmx web-de", "a hint that both schemes are ours"
    ),
    "css-background-color": Harmless(
        "gmx web-de", "the element says it as bgcolor as well", _has_colour_twice
    ),
    "css-border": Harmless(
        "outlook",
        "thin, and on cells, where Outlook draws it",
        lambda use: use.element in {"td", "style"} and not re.search(r"\b(9|\d\d+)px", use.value),
    ),
    "css-border-radius": Harmless(
        "outlook yahoo gmx web-de", "corners are square", lambda use: "/" not in use.value
    ),
    "css-display": Harmless(
        "gmail outlook yahoo gmx web-de",
        "Outlook shows the button's link as wide as its words, in the middle of the coloured cell",
        lambda use: (use.element, use.value) == ("a", "block"),
    ),
    "css-font-size": Harmless(
        "outlook yahoo samsung-email gmx web-de", "pixels work", lambda use: use.value.endswith("px")
    ),
    "css-font-weight": Harmless("outlook yahoo", "600 is bold", lambda use: use.value == "600"),
    "css-sytem-ui": Harmless("gmail outlook yahoo samsung-email thunderbird", AUTHORS_FONT),
    "css-line-height": Harmless("outlook", "lines have a little more or less air"),
    "css-margin": Harmless(
        "gmail outlook yahoo",
        "all but negative and automatic ones work, and those of body",
        lambda use: (
            "-" not in use.value and "auto" not in use.value and (use.element != "body" or use.value == "0")
        ),
    ),
    "css-padding": Harmless("outlook", "it stands on cells, where it works everywhere", _is_a_cells_padding),
    "css-width": Harmless("outlook", "it works on tables and cells", _in_table),
    "css-height": Harmless("outlook yahoo", "the cell says it as an attribute as well", _in_table),
    "css-max-width": Harmless(
        "outlook yahoo",
        "it works on tables; Yahoo's phones are narrower anyhow",
        lambda use: use.element == "table",
    ),
    "css-text-align": Harmless(
        "gmail outlook yahoo", "left and right work", lambda use: use.value in {"left", "right"}
    ),
    "css-text-decoration": Harmless(
        "gmail outlook gmx web-de", "one word works", lambda use: use.value == "none"
    ),
    "css-word-break": Harmless(
        "gmail outlook apple-mail yahoo samsung-email gmx web-de",
        "a long word may break elsewhere, or widen the mail",
    ),
    "css-word-wrap": Harmless("gmail outlook", "beside word-break, for Yahoo"),
    "html-align": Harmless("outlook", "center works", lambda use: use.value == "center"),
    "html-width": Harmless("outlook", "only pictures are measured wrongly", _in_table),
    "html-height": Harmless("outlook", "only pictures are measured wrongly", _in_table),
    "html-body": Harmless("gmail outlook yahoo", "the table inside has the same colour"),
    "html-dir": Harmless(
        "gmail outlook gmx web-de",
        "the div around everything has the direction as a style too; not on links, where Outlook stumbles",
        lambda use: use.element != "a",
    ),
    "css-direction": Harmless("gmail", "in its phone's browser Gmail takes the direction from the words"),
    "html-lang": Harmless(
        "yahoo gmx web-de", "only screen readers miss it", lambda use: use.element in {"html", "div"}
    ),
    "html-role": Harmless("outlook yahoo gmx web-de", HEARD),
    "html-aria-hidden": Harmless(
        "outlook yahoo thunderbird gmx web-de", "the cells of the picture are empty anyhow"
    ),
    "html-doctype": Harmless("outlook yahoo samsung-email thunderbird", "nothing depends on it"),
}

ANCIENT = "as old as HTML; caniemail does not list it"
IGNORED = "for one program; the others do not know it"
UNLISTED = {
    "<html>": ANCIENT, "<head>": ANCIENT, "<title>": ANCIENT, "<meta>": ANCIENT, "<a>": ANCIENT, "<br>": ANCIENT,
    "class=": ANCIENT, "href=": ANCIENT, "bgcolor=": ANCIENT, "border=": ANCIENT, "charset=": ANCIENT,
    "name=": ANCIENT, "content=": ANCIENT, "color": ANCIENT, "font-family": ANCIENT,
    ":root": "only for color-scheme, which is a hint",
    "mso-padding-alt": IGNORED, "mso-line-height-rule": IGNORED, "supported-color-schemes": IGNORED,
    "-webkit-text-size-adjust": IGNORED, "text-size-adjust": IGNORED,
}  # fmt: skip


def problems(html: str) -> set[str]:
    """What a mail uses that some program does not support and that is not known as harmless: nothing in a good one."""
    found = set()
    for use in uses(html):
        missed_by = lacking(use.feature)
        known = HARMLESS.get(use.feature)
        if use.feature not in SUPPORT["features"] and use.feature not in UNLISTED:
            found.add(f"{use.feature}: unknown ({use.element})")
        elif missed_by and known is None:
            found.add(f"{use.feature}: not in {', '.join(sorted(missed_by))} ({use.element})")
        elif known and not known.so(use):
            found.add(f"{use.feature}: not so ({use.element}: {use.value})")
    return found
