"""What a customer wrote themselves: without the mail that is answered, without signature, without what programs add."""

import re
from itertools import takewhile

from replies import languages, verdict
from replies.normal import normal

MOST_LINES = 2000
LONGEST_ATTRIBUTION = 300
HEADER_LINES = 6
SHORT_LINE = 80
SIGNATURE_LINES = 6
SIGNATURE_MARK = "-- "
"""What programs put above a signature (RFC 3676, 4.3)."""
LONGEST_AFTERTHOUGHT = 300
NAME_WORDS = 6
"""Words in a line of a signature, such as a name with what somebody does."""

_QUOTED = re.compile(r"\s*(?:>|\|\s)")
_ATTRIBUTION = re.compile(r".{0,200}\d.{0,200}<[^<>@\s]{1,80}@[^<>\s]{1,200}>.{0,80}:$")
"""A date, an address in angle brackets and a colon at the end, in whatever language."""
_RULE = re.compile(r"\s*(?:_{10,}|-{20,}|={20,}|\*{20,})\s*")
_SIGNATURE = re.compile(r"\s*(?:--|—|–|__|\*\*)\s*")
_POSTSCRIPT = re.compile(
    r"(?:(?:(?:p\.?\s?){1,3}[sd]|n\.?\s?b|update|edit|nachtrag|nachsatz|aggiunta|dopisek|tillägg|addendum)\b"
    rf"|又及|附言|追伸|追記|{normal('ملاحظة')}|{normal('ملحوظة')})[\s.:,-]*\w"
)
_TOLD_WHEN = re.compile(r"@|\d[:h]\s?\d\d")
_ADDRESS = re.compile(r"[@/]|\w\.\w{2,}$")
_LABEL = re.compile(r"[\s*>_]*([^:]{1,30}?)[\s*]*:\*?")


def of(text: str) -> str:
    """The customer's own words in a mail's text, in their lines; empty when there are none."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MOST_LINES]
    plain = [normal(line).strip() for line in lines]
    kept: list[str] = []
    at = 0
    while at < len(lines):
        quote = _attribution(plain, at)
        if quote:
            if not _answers_below(plain, at + quote):
                break
            at += quote
            continue
        if _ends(lines, plain, at):
            kept += _taken_back(lines, plain, at) or _postscript(lines, plain, at + 1)
            break
        if not _QUOTED.match(lines[at]):
            kept.append(lines[at].rstrip())
        at += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _postscript(lines: list[str], plain: list[str], start: int) -> list[str]:
    """What somebody still thought of below their name ("P.S. ..."), up to the mail that they answer."""
    kept: list[str] = []
    for at in range(start, len(lines)):
        if _attribution(plain, at) or _is_header(plain, at) or _QUOTED.match(lines[at]):
            break
        if kept and _ends(lines, plain, at):
            break
        if kept or _POSTSCRIPT.match(plain[at]):
            kept.append(lines[at].rstrip())
    return ["", *kept] if kept else []


def _taken_back(lines: list[str], plain: list[str], at: int) -> list[str]:
    """What stands below a farewell if it takes back what stands above, as whoever saw it fail just then writes on."""
    if not _is_farewell(lines, plain, at):
        return []
    below = list(takewhile(lambda line: not _RULE.fullmatch(line), _below(lines, plain, at + 1)))
    return ["", *below] if verdict.takes_back(_afterthought(below)) else []


def _attribution(plain: list[str], at: int) -> int:
    """How many lines say whose mail is quoted below ("On Monday ... wrote:"), beginning here; 0 for none."""
    if not plain[at] or plain[at].startswith(">"):
        return 0
    for size in (1, 2, 3):
        said = " ".join(line for line in plain[at : at + size] if line)
        if len(said) > LONGEST_ATTRIBUTION or at + size > len(plain) or not plain[at + size - 1]:
            return 0
        quotes = _answers_below(plain, at + size) or _TOLD_WHEN.search(said)
        if said.endswith(":") and (_ATTRIBUTION.fullmatch(said) or (quotes and _somebody_wrote(said))):
            return size
    return 0


def _somebody_wrote(said: str) -> bool:
    wrote = any(f" {word}" in said or said.endswith(f"{word}:") for word in languages.beginnings("wrote"))
    return wrote and bool(re.search(r"\d", said))


def _answers_below(plain: list[str], at: int) -> bool:
    """Whether the quote is marked line by line: then what is not marked below it is the customer's again."""
    following = next((line for line in plain[at:] if line), "")
    return bool(_QUOTED.match(following))


def _ends(lines: list[str], plain: list[str], at: int) -> bool:
    """Whether from this line on nothing is the customer's own."""
    line = plain[at]
    if _SIGNATURE.fullmatch(line) or _RULE.fullmatch(line):
        return lines[at] == SIGNATURE_MARK or not _goes_on(lines, plain, at + 1)
    return _is_original(line) or _is_farewell(lines, plain, at) or _is_header(plain, at)


def _is_original(line: str) -> bool:
    """Whether a line says that below it stands the mail that is answered."""
    bare = line.replace("&nbsp;", " ").strip("-_*=> \t")
    if bare in languages.beginnings("original"):
        return True
    return line.startswith("---") and line.endswith("---") and _somebody_wrote(f"{bare}:")


def _is_farewell(lines: list[str], plain: list[str], at: int) -> bool:
    """Whether somebody ends here ("Best regards", or only their name), or a program did ("Sent from my iPhone")."""
    line = plain[at]
    if len(line) <= SHORT_LINE and line.startswith(languages.beginnings("sent_from")):
        return not verdict.objects(line)
    return _is_closing(lines[at], line) or _is_signature(lines, plain, at)


def _goes_on(lines: list[str], plain: list[str], start: int) -> bool:
    """Whether below a line that only divides somebody takes back what stands above: short, no names, no notice."""
    return verdict.objects(_afterthought(_below(lines, plain, start)))


def _below(lines: list[str], plain: list[str], start: int) -> list[str]:
    """The lines from here to the mail that is answered."""
    below = takewhile(
        lambda near: not plain[near] or not _is_answered(plain, near),
        range(start, len(plain)),
    )
    return [lines[near].strip() for near in below]


def _is_answered(plain: list[str], at: int) -> bool:
    """Whether the mail that is answered begins here."""
    quoted = bool(_QUOTED.match(plain[at])) or _attribution(plain, at) > 0
    return quoted or _is_header(plain, at) or _is_original(plain[at])


def _afterthought(below: list[str]) -> str:
    """What somebody may have written below their name: something short that is not only names; else nothing."""
    said = [line for line in below if line]
    is_short = sum(map(len, said)) <= LONGEST_AFTERTHOUGHT
    return "\n".join(said) if is_short and not all(map(_is_name, said)) else ""


def _is_closing(line: str, plain: str) -> bool:
    """Whether a line is "Best regards", with at most a name or thanks behind it, unlike "Take care of room 12"."""
    if len(plain) > SHORT_LINE or not plain.startswith(languages.beginnings("closing")):
        return False
    for phrase in languages.beginnings("closing"):
        if plain.startswith(phrase):
            rest = plain[len(phrase) :]
            if not rest.strip(" ,.!-"):
                return True
            words = rest.split()
            if len(words) <= 4 and rest[0] in " ,.!-" and len(phrase) > 4:
                is_name = _is_name(" ".join(line.split()[-len(words) :])) or _is_a_word(rest.strip(" ,.!-"))
                return is_name and not verdict.objects(plain)
    return False


def _is_a_word(said: str) -> bool:
    """Whether somebody says only one word, and perhaps thanks."""
    return any(
        len(said.removesuffix(thanks).split()) <= 1 for thanks in ("", *languages.beginnings("thanks"))
    )


def _is_signature(lines: list[str], plain: list[str], at: int) -> bool:
    """Whether a name begins here, with what people write below it: each word that is not short begins with a capital.

    Below a line of thanks ("Many thanks,") or an empty one, and nothing of it may speak against a yes.
    """
    above = next((line for line in reversed(plain[:at]) if line), "")
    is_thanks = above.endswith(",") and above[:-1].strip() in languages.beginnings("thanks")
    if not plain[at] or not above or not (is_thanks or not plain[at - 1]):
        return False
    below = takewhile(
        lambda near: not _QUOTED.match(plain[near]) and not _attribution(plain, near),
        range(at, min(at + SIGNATURE_LINES, len(plain))),
    )
    signed = [lines[near].strip() for near in below if plain[near]]
    return bool(signed) and all(map(_is_name, signed)) and not verdict.objects("\n".join(signed))


def _is_name(line: str) -> bool:
    """Whether a line may be of a signature: a name, a company, a telephone number, an address."""
    words = [word.strip("()|,.:;·*_") for word in line.split()]
    small = [word for word in words if len(word) > 1 and word.isalpha() and word.islower()]
    is_sentence = line[-1] in ".:" and bool(small) and "." not in words[-1]
    return (
        len(words) <= NAME_WORDS
        and line[-1] not in "!?…"
        and not is_sentence
        and all(
            not word[0].isalpha() or word[0].isupper() or _ADDRESS.search(word)
            for word in words
            if len(word) > 3
        )
    )


def _is_header(plain: list[str], at: int) -> bool:
    """Whether the header of the mail that is answered stands here, as Outlook puts it: From, Sent, To, Subject."""
    first = _label(plain[at])
    if first is None:
        return False
    labels = [_label(line) for line in plain[at : at + HEADER_LINES]]
    found = sum(label is not None for label in labels)
    return found >= (2 if first == "from" else 3)


def _label(line: str) -> str | None:
    found = _LABEL.match(line)
    if not found:
        return None
    name = found[1].strip()
    if name in languages.beginnings("from"):
        return "from"
    return "other" if name in languages.beginnings("labels") else None
