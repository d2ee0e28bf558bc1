"""What people write in each language: phrases as data, one file for each language in ``languages``.

Keys of a file; every value but the first two is a list of phrases, compared in the form of ``replies.normal``:

    spaced          false where words are written without spaces; phrases are then looked for letter by letter
    negation_after  a negation may follow what it denies ("funktioniert nicht")
    yes, no         an answer by itself, when nothing else is said beside it
    solved          says that it is solved, also when more is said after it
    unsolved        says that it is not
    positive        becomes "not solved" by a negation close to it
    negation, complaint, doubt, when   make a yes unclear; a complaint supports a bare "no"; doubt makes everything
                    unclear, and so does a "when" unless it stands behind a no ("no, it fails when I press it")
    asks            begins a sentence that is a question, also where nobody wrote the sign
    thanks, courtesy, greeting   say nothing about the question
    thanks_for      begins what somebody is thanked for; introduces: ends a sentence that says who writes
    closing         begins a line after which only names follow
    sent_from       begins a line that a mail program added
    wrote, from, labels, original    introduce the mail that is answered
    automatic       begins the subject of automatic mail

In a phrase ``(a|b)`` is one of several, ``[a|b]`` one of several or nothing, and ``_`` a space inside of them.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from replies.normal import normal

FOLDER = Path(__file__).parent / "languages"
CRITICISM = Path(__file__).with_name("criticism.toml")
SIGNS = "signs"

TELLING = (
    "unsolved",
    "solved",
    "no",
    "yes",
    "doubt",
    "when",
    "thanks",
    "greeting",
    "courtesy",
    "complaint",
    "negation",
)
"""Categories of phrases that the verdict is made of; where a phrase is in two, the first one counts."""

_WORDS = re.compile(r"\w+(?:'\w+)*'?|\n|[^\w\s]")
_LETTERS = re.compile(r"\n|\S")
_GROUPS = re.compile(r"[(\[][^)\]]*[)\]]|[^\s(\[]+")

Tokens = list[tuple[str, int, int]]
"""Words or signs of a normal text, each with where it begins and ends."""


@dataclass(frozen=True)
class Language:
    """The phrases of one language; ``phrases`` gives the category of a sequence of tokens."""

    spaced: bool
    negation_after: bool
    phrases: dict[tuple[str, ...], str]
    positive: frozenset[str]
    asks: tuple[str, ...]
    thanks_for: frozenset[str]
    introduces: tuple[str, ...]
    longest: dict[str, int]
    """How many tokens the longest phrase has that begins with a token."""
    criticism: re.Pattern[str]
    """Finds in a normal text what makes words of thanks something else (criticism.toml)."""

    def tokens(self, text: str) -> Tokens:
        """The tokens of a normal text in this language."""
        pattern = _WORDS if self.spaced else _LETTERS
        return [(found[0], found.start(), found.end()) for found in pattern.finditer(text)]


@cache
def all_languages() -> dict[str, Language]:
    """All languages by their codes; the signs that everybody uses belong to each of them."""
    files = _files()
    signs = files.pop(SIGNS)
    critical = tomllib.loads(CRITICISM.read_text("utf-8"))
    return {code: _language(file, signs, critical[code]) for code, file in files.items()}


@cache
def beginnings(key: str) -> tuple[str, ...]:
    """The phrases of all languages under one key, such as ``closing``, in normal form; the longest first."""
    found = {text for file in _files().values() for phrase in file.get(key, []) for text in expanded(phrase)}
    return tuple(sorted(found - {""}, key=len, reverse=True))


@cache
def automatic_subject() -> re.Pattern[str]:
    """Matches the beginning of an automatic mail's subject, in normal form."""
    ends = r"(?![a-z])"
    phrases = "|".join(re.escape(phrase) + ends for phrase in beginnings("automatic"))
    return re.compile(rf"[\s\[({{]*(?:{phrases})")


def expanded(phrase: str) -> Iterator[str]:
    """All texts that a phrase stands for, in normal form."""
    choices: list[list[str]] = []
    for group in _GROUPS.findall(normal(phrase)):
        inner = group[1:-1].split("|") if group[0] in "([" and group[-1] in ")]" else [group]
        choices.append([*inner, ""] if group[0] == "[" and group[-1] == "]" else inner)
    for chosen in product(*choices):
        yield " ".join(word.replace("_", " ") for word in chosen if word)


def _language(file: dict[str, list[str]], signs: dict[str, list[str]], critical: list[str]) -> Language:
    spaced = bool(file.get("spaced", True))
    pattern = _WORDS if spaced else _LETTERS
    phrases: dict[tuple[str, ...], str] = {}
    for category in TELLING:
        for phrase in (*file.get(category, []), *signs.get(category, [])):
            for text in expanded(phrase):
                phrases.setdefault(tuple(pattern.findall(text)), category)
    positive = frozenset(text for phrase in file.get("positive", []) for text in expanded(phrase))
    longest: dict[str, int] = {}
    for tokens in phrases:
        longest[tokens[0]] = max(len(tokens), longest.get(tokens[0], 0))
    return Language(
        spaced=spaced,
        negation_after=bool(file.get("negation_after", False)),
        phrases=phrases,
        positive=positive,
        asks=tuple(f"{text} " for phrase in file.get("asks", []) for text in expanded(phrase)),
        thanks_for=frozenset(normal(word) for word in file.get("thanks_for", [])),
        introduces=tuple(normal(word) for word in file.get("introduces", [])),
        longest=longest,
        criticism=_any_of(critical, spaced=spaced),
    )


def _any_of(phrases: list[str], *, spaced: bool) -> re.Pattern[str]:
    texts = sorted({text for phrase in phrases for text in expanded(phrase)}, key=len, reverse=True)
    any_of = "|".join(re.escape(text) for text in texts)
    return re.compile(rf"(?<!\w)(?:{any_of})(?!\w)" if spaced else any_of)


@cache
def _read() -> dict[str, dict[str, list[str]]]:
    return {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.toml"))}


def _files() -> dict[str, dict[str, list[str]]]:
    return dict(_read())
