"""Which texts are the address of exactly one mailbox that we can write to."""

import re

MAX_ADDRESS = 254
MAX_LOCAL_PART = 64
MAX_DOMAIN = 253

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TOP_LABEL = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_TOP_LABEL}")
_NOBODY = re.compile(
    r"(?:mailer-?daemon|postmaster|(?:no|do-?not)[-_.]?reply(?:[-_.].*)?|bounces?(?:[-=].*)?)(?:\+.*)?",
    re.IGNORECASE,
)


def parse_address(text: str) -> str | None:
    """The address as it goes into a mail, or None when ``text`` is anything else than one plain address.

    Stricter than RFC 5322 on purpose, because the text comes from a ticket: no list, display name, comment,
    quoted local part, address literal, control or direction character can get through. The domain becomes
    lower case and ASCII (IDNA). Where the standard library's IDNA 2003 would change a name into another one
    ("straße" into "strasse") the answer is None: a mail must never reach somebody else's domain. Non-ASCII
    local parts need SMTPUTF8, which SES lacks.
    """
    local_part, at, domain = text.strip(" ").partition("@")
    if not at or len(local_part) > MAX_LOCAL_PART or not _LOCAL_PART.fullmatch(local_part):
        return None
    host = _ascii_domain(domain)
    if host is None or len(local_part) + 1 + len(host) > MAX_ADDRESS:
        return None
    return f"{local_part}@{host}"


def is_nobody(address: str) -> bool:
    """Whether an address is a machine's by its name: nobody reads it, and what it answers is more mail (RFC 2142)."""
    return _NOBODY.fullmatch(address.partition("@")[0]) is not None


def _ascii_domain(text: str) -> str | None:
    domain = text.lower()
    if len(domain) > MAX_DOMAIN:
        return None
    if not domain.isascii():
        try:
            encoded = domain.encode("idna")
            if encoded.decode("idna") != domain:
                return None
        except UnicodeError:
            return None
        domain = encoded.decode("ascii")
    return domain if len(domain) <= MAX_DOMAIN and _DOMAIN.fullmatch(domain) else None
