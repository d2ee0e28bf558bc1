"""An HTML mail as text: nothing is fetched, nothing runs, and what the mail programs mark as quoted is left out.

Tags are found by one expression that never looks past the next "<", so that the time grows with the length alone. The
parser of the standard library takes minutes for 64 KB of broken tags (CVE-2025-6069 and its relatives).
"""

import re
from html import unescape

_TAG = re.compile(r"<(?:(!--)|(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})([^<>]*)>|[!?/][^<>]*>)")
_ATTRIBUTE = re.compile(r"""\b(class|id|style)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "svg", "object", "noscript"})
_LINES = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_QUOTES = frozenset(
    {"gmail_quote", "gmail_attr", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote", "zmail_extra"}
    | {"gmail_signature", "moz-signature", "protonmail_signature", "signature"}
)
_END = frozenset({"divrplyfwdmsg", "appendonsend", "stopspelling"})
"""Outlook puts such an identifier where the mail that is answered begins."""


def to_text(html: str) -> str:
    """The text of an HTML mail without quoted history and marked signatures."""
    kept: list[str] = []
    hidden, depth = "", 0  # the outermost element of which nothing is kept, and how often it is open
    for text, ends, tag, attributes in _pieces(html):
        if not hidden:
            kept.append(unescape(text).replace("\n", " ").replace("\r", " "))
        if not tag:
            continue
        if hidden == "head" and tag == "body":
            # HTML may leave out the end of a head.
            hidden = ""
        if hidden:
            depth += (tag == hidden) * (-1 if ends else 1)
            hidden = hidden if depth else ""
            continue
        if not ends:
            given = _attributes(attributes)
            if given.get("id", "").removeprefix("x_") in _END or _is_outlook_rule(tag, given):
                break
            if tag in _UNSEEN or _is_quote(tag, given):
                hidden, depth = tag, 1
        if tag in _LINES:
            kept.append("\n")
    lines = "".join(kept).replace("\xa0", " ").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def _pieces(html: str) -> list[tuple[str, bool, str, str]]:
    """Each text with the tag after it: whether that one ends an element, its name and its attributes."""
    pieces: list[tuple[str, bool, str, str]] = []
    at = 0
    while found := _TAG.search(html, at):
        pieces.append((html[at : found.start()], bool(found[2]), (found[3] or "").lower(), found[4] or ""))
        at = found.end()
        if found[1]:
            end = html.find("-->", at)
            if end < 0:
                return pieces
            at = end + 3
    return [*pieces, (html[at:], False, "", "")]


def _attributes(text: str) -> dict[str, str]:
    return {
        found[1].lower(): (found[2] or found[3] or found[4] or "").lower()
        for found in _ATTRIBUTE.finditer(text)
    }


def _is_quote(tag: str, given: dict[str, str]) -> bool:
    names = f"{given.get('class', '')} {given.get('id', '')}".split()
    return tag == "blockquote" or any(name.removeprefix("x_") in _QUOTES for name in names)


def _is_outlook_rule(tag: str, given: dict[str, str]) -> bool:
    """The line that desktop Outlook draws above the mail that is answered."""
    style = given.get("style", "").replace(" ", "")
    return tag == "div" and style.startswith("border:none;border-top:solid#") and "padding:3.0pt" in style
