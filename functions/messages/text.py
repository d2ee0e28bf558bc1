"""Text that other people wrote, made safe to show, and the filling of our templates with it.

Everything a ticket, an agent or a customer says is data: it loses what could steer a display or a mail header
(controls, bidirectional overrides, invisible characters), it is cut to a sensible length, and in mails its
web addresses are broken up, because mail programs turn anything that looks like an address into a link.
``fill`` does this for every field of a context, so that a field added later is safe without more ado.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from domain.address import parse_address
from messages.reader import English, Reader

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MARKS: Final = 4
"""Combining marks kept on one character: enough for living scripts, too few to paint over the neighbours."""

_JOINERS: Final = "\u200c\u200d"
_LINE_ENDS: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_DOTS: Final = "[.\u2024\u3002\ufe52\uff0e\uff61]"
_SCHEME: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}", re.IGNORECASE)
_BARE_SCHEME: Final = re.compile(
    r"\b(about|blob|callto|cid|data|file|javascript|mailto|sip|sms|tel|vbscript|xmpp):(?=\S)", re.IGNORECASE
)
_DOMAIN_DOT: Final = re.compile(
    rf"(?<=\w)(?:[.\u2024\ufe52\uff0e](?=[^\W\d_]{{2}})|{_DOTS}(?=[a-zA-Z]{{2}}))"
)
"""An ideographic full stop ends a sentence unless something like a top-level domain follows it."""
_NUMBERS: Final = re.compile(rf"\b\d{{1,3}}(?:{_DOTS}\d{{1,3}}){{3}}\b")
_WEB_ADDRESS: Final = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:[/?#][\w%./?=&#:@!$()*+,;~-]*)?",
    re.IGNORECASE | re.ASCII,
)
_NOT_IN_SUBJECT: Final = re.compile(r"[^\w .:#/-]+")

_BARS: Final = "▁▂▃▄▅▆▇█"
_STEERING: Final = str.maketrans("<>&@*_~`[]|\\#", "‹›＆＠∗＿∼ˋ［］∣＼＃")
"""What a chat takes for a mention, a link or markup, and a letter that looks like it and is none."""
_OUR_CODES: Final = frozenset({"why", "need", "outcome"})
"""Fields by whose value a template chooses its sentence, such as ``not_asked``."""
_OUR_QUERY: Final = re.compile(r"\?[a-z0-9=&_-]{1,100}", re.ASCII)
_OUR_LINKS: Final = frozenset({"link", "preferences_link"})
_FROM_RIGHT: Final = frozenset({"R", "AL"})

_LIMITS: Final = {
    "ticket_id": 40,
    "subject": 150,
    "solution": 300,
    "promise": 300,
    "verdict": 300,
    "error": 300,
    "seal": 1000,
    "nonce": 200,
}
_LIMIT: Final = 120
_LONGEST_MAIL: Final = 8000
WORDS: Final = frozenset(
    {
        "words",
        "wish",
        "quote",
        "kept",
        "kept_words",
        "kept_wish",
        "done",
        "team_words",
        "settlement",
        "note",
        "wrong",
        "agreed_words",
        "promise_words",
    }
)
"""Fields with a person's own words, which may have several lines, as ``mail_text`` has; all others are one."""


def clean(text: str, limit: int) -> str:
    """One line of at most ``limit`` characters (marks do not count), ending in "…" if it was cut.

    Controls, line ends, bidirectional controls, invisible ones and lone surrogates are gone; the rest is NFC.
    """
    return _cut(" ".join(_kept(_LINE_ENDS.sub(" ", _start(text, limit))).split()), limit)


def clean_words(text: str, limit: int = 2000) -> str:
    """Like ``clean``, for a person's own words: their line breaks stay, at most one empty line in a row."""
    lines = (" ".join(_kept(line).split()) for line in _LINE_ENDS.sub("\n", _start(text, limit)).split("\n"))
    return _cut(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), limit)


def delink(text: str) -> str:
    """``https://evil.com/x`` becomes ``evil[.]com/x``: still readable, but no mail program links it."""
    text = _BARE_SCHEME.sub(r"\1[:]", _SCHEME.sub("", text))
    text = _DOMAIN_DOT.sub("[.]", text)
    return _NUMBERS.sub(lambda found: re.sub(_DOTS, "[.]", found[0]), text)


def for_chat(text: str) -> str:
    """Text that means nothing to any chat: no mention (``<!channel>``, ``@here``), no link, no markup.

    Each chat escapes otherwise, and some not at all; so what could steer one is replaced by its likeness.
    """
    return delink(text).translate(_STEERING)


def subject_id(ticket_id: str) -> str:
    """The ticket id as it may stand in a subject line: letters, digits, ``.:#/-``, at most 40 characters.

    It ends in none of those marks, because in some languages the sentence goes on without a blank.
    """
    return clean(delink(_NOT_IN_SUBJECT.sub(" ", clean(ticket_id, 40))), 40).rstrip(" .:/-") or "–"


def web_address(address: str | None) -> str | None:
    """``address`` when it is a plain http(s) address that may become a link, else None."""
    fits = address is not None and len(address) <= 2000 and _WEB_ADDRESS.fullmatch(address)
    return address if fits else None


def fill(
    template: str, context: "DataclassInstance", *, delinked: bool, chat: bool = False, **more: object
) -> str:
    """``template`` with the fields of ``context``, each made safe, and with ``more`` as it is.

    Args:
        template: file name in ``templates``; with ``.txt`` it is plain text, otherwise escaped as HTML.
        context: a frozen dataclass; dataclasses and tuples inside it are treated alike. One with ``language`` and
            ``default_language`` is for a customer, and gets their language; all others get English.
        delinked: break up web addresses in everything but our own links; for mails.
        chat: the same, and nothing in it steers a chat.

    Raises:
        ValueError: a field of our own links is no http(s) address, or ``trap_link`` no query of ours.
    """
    shown = _shown("", context, for_chat if chat else delink if delinked else _as_it_is)
    templates = _TEXT if template.endswith(".txt.jinja") else _HTML
    return templates.get_template(template).render(vars(shown), reader=_reader(context), **more)


def _reader(context: "DataclassInstance") -> Reader:
    asked = getattr(context, "language", None)
    if asked is None:
        return ENGLISH
    # Here and not above: Babel costs a Lambda that only writes to our own people a third of its other templates' time.
    from messages.language import negotiate

    return negotiate(asked, getattr(context, "default_language", ENGLISH.tag))


def _as_it_is(text: str) -> str:
    return text


def _shown(name: str, value: Any, safe: Callable[[str], str]) -> Any:
    """``value`` of the field ``name``, safe to show."""
    if isinstance(value, str):
        return _shown_text(name, value, safe)
    if isinstance(value, tuple):
        return tuple(_shown(name, item, safe) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        shown = {field.name: _shown(field.name, getattr(value, field.name), safe) for field in fields(value)}
        return replace(value, **shown)
    return value


def _shown_text(name: str, value: str, safe: Callable[[str], str]) -> str | None:
    if name in _OUR_LINKS:
        if web_address(value) is None:
            raise ValueError("a link must be a whole http or https address")
        return value
    if name in {"trap_link", "older"}:
        if not _OUR_QUERY.fullmatch(value):
            raise ValueError(f"{name} must be a query of ours")
        return value
    if name == "ticket_url":
        return web_address(value)
    if name == "customer_email" and (address := _mail_address(value)):
        return address  # somebody has to write to it: as it is, once it is certainly nothing but an address
    if name == "mail_text":
        return clean_words(value, _LONGEST_MAIL)
    text = clean_words(value) if name in WORDS else clean(value, _LIMITS.get(name, _LIMIT))
    # No chat sees the underscore of a word of ours, and changed it would choose no sentence, or another one.
    return delink(text) if safe is for_chat and name in _OUR_CODES else safe(text)


def _mail_address(text: str) -> str | None:
    """The one address that ``text`` is; None also where a mail program could take it for a web address."""
    before_at = set(text.partition("@")[0])
    return None if "." in before_at and before_at & set("/?#") else parse_address(text)


def _start(text: str, limit: int) -> str:
    """As much of ``text`` as can matter: whoever hides more than that between the letters is not writing to us."""
    return text[: 16 * limit].replace("\t", " ")


def _kept(text: str) -> str:
    """``text`` in NFC without what is invisible or steers the display.

    The marks are cut before normalising as well, because normalising takes quadratic time in their number.
    """
    if text.isascii() and text.isprintable():
        return text
    return _visible(unicodedata.normalize("NFC", _visible(text)))


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for at, character in enumerate(text):
        category = unicodedata.category(character)
        if character in _JOINERS:
            # Persian words and composed emoji need their joiners; beside ASCII they only hide something.
            following = text[at + 1 : at + 2]
            joins = bool(kept) and kept[-1] > "\x7f" and following > "\x7f"
            if joins and unicodedata.category(following)[0] in "LS" and kept[-1] not in _JOINERS:
                kept.append(character)
        elif category[0] == "M":
            marks += 1
            if marks <= MARKS:
                kept.append(character)
        elif category[0] != "C":
            marks = 0
            kept.append(character)
    return "".join(kept)


def _cut(text: str, limit: int) -> str:
    starts = [at for at, character in enumerate(text) if not _continues(character)]
    if len(starts) <= limit:
        return text
    return text[: starts[max(limit - 1, 0)]].rstrip().rstrip(_JOINERS) + "…"


def _continues(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character)[0] == "M"


def _excerpt(words: str) -> str:
    """The beginning of somebody's words where many stand in one mail: longer mails are clipped by Gmail."""
    return clean_words(words, 280)


def _bar(percent: int) -> str:
    """A share of a hundred in ten characters."""
    filled = min(10, max(round(percent / 10), 1 if percent else 0))
    return "█" * filled + "░" * (10 - filled)


def _spark(counts: tuple[int, ...]) -> str:
    """A few counts as bars of one character each."""
    top = max(counts, default=0) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in counts)


def _one_line(words: str) -> str:
    """Somebody's words where a line break would look like our next sentence."""
    return clean(words, 280)


def _quoted(words: str) -> str:
    """Somebody's words in a plain text mail: every line marked, so that none can pose as ours."""
    return "\n".join(f"> {line}".rstrip() for line in words.split("\n"))


def _isolated(value: object, reader: Reader, *, html: bool) -> object:
    """A name, an id or a date in a sentence, kept from reordering its neighbours where directions could mix.

    https://www.w3.org/International/questions/qa-bidi-unicode-controls: an element where there is markup, the
    isolating characters FSI and PDI in plain text.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    from_right = any(unicodedata.bidirectional(character) in _FROM_RIGHT for character in value)
    if reader.direction == "ltr" and not from_right:
        return value
    return Markup('<span dir="auto">{}</span>').format(value) if html else f"\u2068{value}\u2069"


def _sentence(context: Context, sentence: str, placeholders: Mapping[str, object]) -> str:
    """A sentence of a catalogue with its placeholders; escaped, so that no catalogue can bring markup."""
    reader, html = context["reader"], bool(context.eval_ctx.autoescape)
    shown = {name: _isolated(value, reader, html=html) for name, value in placeholders.items()}
    return (escape(sentence) if html else sentence) % shown


@pass_context
def _gettext(context: Context, sentence: str, **placeholders: object) -> str:
    return _sentence(context, context["reader"].gettext(sentence), placeholders)


@pass_context
def _ngettext(context: Context, one: str, several: str, number: int, **placeholders: object) -> str:
    return _sentence(context, context["reader"].ngettext(one, several, number), placeholders)


@pass_context
def _isolate(context: Context, value: object) -> object:
    """For a name that no ``trans`` puts in its place, beside figures or another name."""
    return _isolated(value, context["reader"], html=bool(context.eval_ctx.autoescape))


@pass_context
def _day(context: Context, value: date) -> str:
    """A date; and of an instant the day alone."""
    return str(context["reader"].day(value))


@pass_context
def _short_day(context: Context, value: date) -> str:
    return str(context["reader"].short_day(value))


@pass_context
def _moment(context: Context, value: date) -> str:
    """An instant with its time; of a date, which has none, the day."""
    reader = context["reader"]
    return str(reader.moment(value) if isinstance(value, datetime) else reader.day(value))


ENGLISH: Final = English()
_HTML: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    extensions=["jinja2.ext.i18n"],
)
# The i18n extension calls these by name; they read the reader of the message, so that each template is compiled once.
_HTML.newstyle_gettext = True  # type: ignore[attr-defined]
_HTML.policies["ext.i18n.trimmed"] = True
_HTML.globals.update(gettext=_gettext, ngettext=_ngettext)
_HTML.filters.update(
    day=_day,
    short_day=_short_day,
    moment=_moment,
    isolated=_isolate,
    quoted=_quoted,
    delink=delink,
    clean=clean,
    subject_id=subject_id,
    excerpt=_excerpt,
    bar=_bar,
    spark=_spark,
    one_line=_one_line,
)
# A macro's result counts as escaped whenever its caller escapes, whether its own file does or not. So the
# wording that both share is compiled once for each; escaping by file name would let it through unescaped.
_TEXT: Final = _HTML.overlay(autoescape=False)
