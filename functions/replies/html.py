"""An HTML mail as text: nothing is fetched, nothing runs, and what the mail programs mark as quoted is left out."""

from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "head", "title", "template", "svg", "object", "noscript"})
_LINES = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_QUOTES = ("gmail_quote", "gmail_attr", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote", "zmail_extra")
_SIGNATURES = ("gmail_signature", "moz-signature", "protonmail_signature", "signature")
_END = frozenset({"divrplyfwdmsg", "appendonsend", "x_divrplyfwdmsg", "x_appendonsend", "stopspelling"})
"""Outlook puts this identifier where the mail that is answered begins."""


def to_text(html: str) -> str:
    """The text of an HTML mail without quoted history and marked signatures."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = "".join(reader.kept).replace("\xa0", " ").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


class _Reader(HTMLParser):
    """Collects text; ``inside`` are the open elements of which nothing is kept, the outermost first."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self.inside: list[str] = []
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.inside:
            if tag not in _VOID and tag == self.inside[0]:
                self.inside.append(tag)
            return
        given = {name: (value or "").lower() for name, value in attrs}
        if given.get("id", "") in _END or _is_outlook_rule(tag, given.get("style", "")):
            self.ended = True
        if tag in _UNSEEN or _is_quote(tag, given):
            self.inside.append(tag)
        elif tag in _LINES:
            self.kept.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self.inside:
            if tag == self.inside[0]:
                self.inside.pop()
        elif tag in _LINES:
            self.kept.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.inside and not self.ended:
            self.kept.append(data.replace("\n", " ").replace("\r", " "))


def _is_quote(tag: str, given: dict[str, str]) -> bool:
    if tag == "blockquote":
        return True
    names = f"{given.get('class', '')} {given.get('id', '')}".split()
    return any(name.removeprefix("x_") in (*_QUOTES, *_SIGNATURES) for name in names)


def _is_outlook_rule(tag: str, style: str) -> bool:
    """The line that desktop Outlook draws above the mail that is answered."""
    plain = style.replace(" ", "")
    return tag == "div" and plain.startswith("border:none;border-top:solid#") and "padding:3.0pt" in plain
