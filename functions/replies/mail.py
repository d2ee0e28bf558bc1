"""A mail as it came over the wire: who wrote it, its headers, and its text. Attachments and attached mails stay closed.

Limits come first, because some small mails keep a parser busy for minutes: the header's size, the number of parts, and
how much of a text is looked at. The old API of ``email`` (``compat32``) is used on purpose: it gives headers as they
are, while the newer one parses each of them, which takes quadratic time and recursion on hostile ones.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from functools import cached_property

from replies.html import to_text

LARGEST_HEADER = 65_536
"""Many recipients or gateways make it long; the worst of this size is read in an eighth of a second."""
MOST_PARTS = 50
LONGEST_TEXT = 65_536
"""Characters of a text or HTML part that are looked at."""

_BOUNDARY = re.compile(rb"""boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_PART = re.compile(rb"^content-type\s*:", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_SAFE_CHARSET = re.compile(r"[a-z0-9_.:-]{1,40}")
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
)
"""Python knows these as encodings; as a charset of a mail they are slow, or an attack."""


class Unreadable(Exception):  # noqa: N818 - reads as a sentence
    """The mail is outside of the limits, or no mail at all; the text is the reason."""


@dataclass(frozen=True)
class Mail:
    """One mail: ``text`` is what it says, with quotes and signature."""

    message: Message
    text: str
    has_report: bool = False
    """A delivery report or read receipt is among its parts."""
    has_calendar: bool = False
    """It speaks for a calendar: somebody accepted, declined or invites."""
    has_reaction: bool = False
    """It is a symbol that somebody pressed beside our mail, which Gmail sends as a mail."""

    def header(self, name: str) -> str:
        """The first header of this name as it stands there, unfolded; empty when there is none."""
        return " ".join(str(self.message.get(name, "")).split())

    @cached_property
    def subject(self) -> str:
        """The subject in readable letters."""
        return _decoded(self.header("Subject"))

    @property
    def senders(self) -> list[str]:
        """The addresses in all headers ``From``; one, in an honest mail."""
        try:
            named = getaddresses([str(value) for value in self.message.get_all("From", [])])
        except (RecursionError, ValueError):
            return []
        return [address for _, address in named]


def open_mail(head: bytes) -> Mail:
    """Read a mail from its beginning; raises Unreadable."""
    _check(head)
    try:
        message = message_from_bytes(head)
        kinds = [(part.get_content_type(), part) for part in _parts(message)]
        return Mail(
            message,
            _text(message)[:LONGEST_TEXT],
            has_report=any(kind in _REPORTS for kind, _ in kinds),
            has_calendar=any(kind == "text/calendar" and not _is_attached(part) for kind, part in kinds),
            has_reaction=any(kind == _REACTION for kind, _ in kinds),
        )
    except (RecursionError, LookupError, UnicodeError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable("mime_error") from error


_REACTION = "text/vnd.google.email-reaction+json"
"""https://developers.google.com/workspace/gmail/reactions/format"""
_REPORTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/global-disposition-notification",
        "message/feedback-report",
    }
)


def _check(head: bytes) -> None:
    """Whether the mail is small enough to be parsed at all."""
    end = _HEADER_END.search(head, 0, LARGEST_HEADER + 4)
    if end is None and len(head) > LARGEST_HEADER:
        raise Unreadable("mime_limit")
    parts = sum(1 for _ in _PART.finditer(head))
    boundaries = {quoted or plain for quoted, plain in _BOUNDARY.findall(head)}
    if parts > MOST_PARTS or len(boundaries) > MOST_PARTS:
        raise Unreadable("mime_limit")
    if sum(head.count(b"\n--" + boundary) for boundary in boundaries) > MOST_PARTS:
        raise Unreadable("mime_limit")


def _inner(part: Message) -> list[Message]:
    """The parts of a part. What a mail that is attached says, or a report in it, is not said by whoever attached it."""
    inner = part.get_payload() if part.get_content_maintype() == "multipart" else None
    return [one for one in inner if isinstance(one, Message)] if isinstance(inner, list) else []


def _parts(message: Message) -> Iterator[Message]:
    yield message
    for part in _inner(message):
        yield from _parts(part)


def _text(part: Message) -> str:
    """What a person reads in it, one after the other; of alternatives the plain one, else HTML as text."""
    kind, inner = part.get_content_type(), _inner(part)
    if kind == "multipart/alternative":
        plain_first = sorted(inner, key=lambda one: one.get_content_type() != "text/plain")
        return next((text for text in map(_text, plain_first) if text.strip()), "")
    if inner:
        return "\n".join(text for text in map(_text, inner) if text.strip())
    if _is_attached(part) or part.get_filename():
        return ""
    if kind == "text/html":
        return to_text(_content(part))
    return _content(part) if kind == "text/plain" else ""


def _is_attached(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition", "")).strip().lower()
    return disposition.startswith("attachment")


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return _letters(payload[: 4 * LONGEST_TEXT], str(part.get_content_charset() or ""))[:LONGEST_TEXT]


def _letters(content: bytes, charset: str) -> str:
    """Bytes as text: as the mail says if that is possible, else UTF-8, else Windows' western alphabet."""
    said = charset.strip().lower()
    if _SAFE_CHARSET.fullmatch(said) and said.replace("-", "_") not in _NO_CHARSETS:
        try:
            return content.decode(said, "replace" if said not in {"us-ascii", "ascii"} else "strict")
        except (LookupError, UnicodeError, ValueError, TypeError, AssertionError):
            said = ""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _decoded(header: str) -> str:
    try:
        pieces = decode_header(header[:1000])
    except (ValueError, LookupError, RecursionError):
        return header
    return "".join(
        _letters(piece, charset or "") if isinstance(piece, bytes) else piece for piece, charset in pieces
    )
