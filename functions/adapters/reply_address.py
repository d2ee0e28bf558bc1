"""Signed addresses for replies by mail: a mail to one of them is about one closure, whoever sends it.

    reply+<id>.<number>.<signature>@<reply domain>       to a mail that asks whether it is solved
    reply+<id>.<number>n.<signature>@<reply domain>      to any other mail, such as news: "yes" is no answer there

Mail servers may change the case of what stands before the @ and allow 64 characters there, so a ticket id is written
as it is when it is all lower case (``l4711``), all upper case (``uinc0010023``), and else in base32 (``b...``). The
signature is HMAC-SHA256 with a key derived from the links' keys for this purpose alone, cut to 80 bits; it covers what
kind of mail it is, and the source, which needs no room: of the few sources there are, the one whose signature fits is
meant.
"""

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Iterable
from datetime import datetime

from adapters import secret_store
from adapters.links import BadLink, TicketLink

PREFIX = "reply+"
LONGEST_LOCAL_PART = 64
SIGNATURE_BYTES = 10

_PLAIN = re.compile(r"[a-z0-9-]+", re.ASCII)
_LOCAL_PART = re.compile(r"reply\+([lub])([a-z0-9-]+)\.([0-9]{1,6})(n?)\.([a-z2-7]{16})", re.ASCII)


def write(link: TicketLink, domain: str, now: datetime, *, asks: bool = True) -> str | None:
    """The address for replies about a closure; None when its ticket id is too long for one.

    ``asks``: the mail that it stands in asks whether the problem is solved.
    """
    key, kind = secret_store.link_keys(now)[-1], "" if asks else "n"
    signature = _base32(_signature(key, link.source, link.ticket_id, f"{link.number}{kind}"))
    local_part = f"{PREFIX}{_encoded(link.ticket_id)}.{link.number}{kind}.{signature}"
    return f"{local_part}@{domain}" if len(local_part) <= LONGEST_LOCAL_PART else None


def read(address: str, domain: str, sources: Iterable[str], now: datetime) -> tuple[TicketLink, bool]:
    """The closure that a reply address stands for, and whether the mail replied to asks whether it is solved.

    Raises BadLink when it is not one that we made.
    """
    local_part, _, host = address.strip().lower().rpartition("@")
    found = _LOCAL_PART.fullmatch(local_part) if len(local_part) <= LONGEST_LOCAL_PART else None
    if found is None or host != domain.lower():
        raise BadLink
    form, written, number, kind, signature = found.groups()
    ticket_id, given = _decoded(form, written), _unbase32(signature)
    keys = secret_store.link_keys(now)
    for source in sources:
        for key in keys:
            if hmac.compare_digest(_signature(key, source, ticket_id, f"{int(number)}{kind}"), given):
                return TicketLink(source, ticket_id, int(number)), not kind
    raise BadLink


def _signature(key: str, source: str, ticket_id: str, number: str) -> bytes:
    own_key = hmac.digest(key.encode(), b"followthrough.reply", "sha256")
    said = b"\0".join((source.encode(), ticket_id.encode(), number.encode()))
    return hmac.digest(own_key, said, "sha256")[:SIGNATURE_BYTES]


def _encoded(ticket_id: str) -> str:
    if _PLAIN.fullmatch(ticket_id):
        return f"l{ticket_id}"
    if _PLAIN.fullmatch(ticket_id.lower()) and ticket_id == ticket_id.upper():
        return f"u{ticket_id.lower()}"
    return f"b{_base32(ticket_id.encode())}"


def _decoded(form: str, written: str) -> str:
    if form == "l":
        return written
    if form == "u":
        return written.upper()
    try:
        return _unbase32(written).decode()
    except UnicodeDecodeError as error:
        raise BadLink from error


def _base32(content: bytes) -> str:
    return b32encode(content).decode().lower().rstrip("=")


def _unbase32(text: str) -> bytes:
    try:
        return b32decode(text.upper() + "=" * (-len(text) % 8))
    except ValueError as error:
        raise BadLink from error
