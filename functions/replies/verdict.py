"""Whether a customer's own words say yes, no, only thanks, or something that a person has to read.

It never guesses. The words are read once in each language, with that language's phrases (``replies.languages``), the
longest first. A language has an opinion only if the first sentence that is more than a greeting or thanks is clear:

* yes: it says so and nothing else ("Ja, danke!"), or it says that something is solved ("The new printer works again");
  nothing that is not understood comes with it, except a name below; and nowhere in the whole text is there a negation,
  a complaint, a doubt, a request or a question, in any language.
* no: it says that the problem is not solved, also by a negation close to such a word ("funktioniert leider nicht"), or
  it is a bare "no"; and nowhere is there anything that sounds like yes, in any language.

Opinions of different languages that contradict each other are none, and one counts only if the language that knows
most of the words shares it ("No problem" is a no only for whoever does not know "problem"). What is left is thanks if
there is nothing but thanks, and else unclear.
"""

from dataclasses import dataclass, replace
from itertools import groupby

from domain.reply import Verdict
from replies.languages import Language, all_languages, beginnings
from replies.normal import normal

LONGEST = 2000
"""Letters that are looked at; a longer text is no yes, because what follows may take it back."""
WRAPPED_AT = 60
"""A line at least so long was broken by a mail program, not by its writer."""
GAP = 2
"""Words that may stand between a negation and what it denies."""
FAR = 4
"""Words that may stand between what seems to go on and the "no more" that ends it."""
GREETING_WORDS = 6
SUBJECT_WORDS = 4
"""Unknown words that may come before "works again": what works."""
ADDRESS_LETTERS = 60
INTRODUCTION_LETTERS = 20
NAME_WORDS = 2
"""Unknown words that may follow "thank you", whom, and stand below a yes: who says it."""
NAME_LETTERS = 4
"""The same where words are written without spaces."""

_SENTENCE_ENDS = frozenset(".!?\n。؟;…")
_QUESTIONS = frozenset("?؟¿")
_AGAINST_YES = frozenset({"no", "unsolved", "negation", "complaint", "doubt", "when", "question"})
_FOR_YES = frozenset({"yes", "solved"})
_TAKES_BACK = frozenset({"unsolved", "complaint", "question", "solved"})
_SAYS_NOTHING = frozenset({"thanks", "courtesy", "greeting", "mark"})


@dataclass(frozen=True)
class _Item:
    """A phrase with its category, a word that no phrase knows (``unknown``), or a ``mark``; where it stands."""

    category: str
    text: tuple[str, ...]
    start: int
    end: int


def of(words: str) -> Verdict:
    """The verdict about a customer's own words."""
    text = normal(_unwrapped(words)[:LONGEST])
    languages = list(all_languages().values())
    read = [(language, _items(text, language)) for language in languages]
    opinions = [(_opinion(text, language, items, languages), _unknown(items)) for language, items in read]
    clear = {opinion for opinion, _ in opinions if opinion}
    least = min(unknown for _, unknown in opinions)
    shared = {opinion for opinion, unknown in opinions if opinion and unknown == least}
    if len(clear) == 1 and shared and not (Verdict.YES in clear and len(words) > LONGEST):
        return shared.pop()
    if any(_is_thanks(items) for _, items in read):
        return Verdict.THANKS
    return Verdict.UNCLEAR


def found(words: str) -> dict[str, set[str]]:
    """What the languages that know most of a customer's words find in them: categories, by the language's code."""
    text = normal(_unwrapped(words)[:LONGEST])
    read = {code: (language, _items(text, language)) for code, language in all_languages().items()}
    least = min(_unknown(items) for _, items in read.values())
    return {
        code: {item.category for item in _negated(items, language)}
        for code, (language, items) in read.items()
        if _unknown(items) == least
    }


def objects(words: str) -> bool:
    """Whether there is anything in a customer's words that speaks against a yes."""
    return any(categories & _AGAINST_YES for categories in found(words).values())


def takes_back(words: str) -> bool:
    """Whether words below a name take back what stands above it. A footer says no only beside what makes a doubt:
    "Please do not print this mail", "If you are not ...".
    """
    return any(
        categories & _TAKES_BACK or (categories & {"no", "negation"} and not categories & {"doubt", "when"})
        for categories in found(words).values()
    )


def _opinion(text: str, language: Language, items: list[_Item], languages: list[Language]) -> Verdict | None:
    if not language.spaced:
        items = [_or_unknown(items, at) for at in range(len(items))]
    rest = _rest(text, items)
    items = _thanked(_negated(items, language))
    letter = _without_greeting(items, language)
    first = _first_sentence(letter, language)
    said = {item.category for item in first}
    everything = {item.category for item in items}
    if said & {"doubt", "question"} or _depends(first) or _asks(first, text, language):
        return None
    if said & _FOR_YES and not everything & _AGAINST_YES:
        clear = "unknown" not in said or _says_solved(first)
        clear = clear and _only_names(_after(letter, first), text, language, languages)
        return Verdict.YES if clear and not _others(rest, language, languages) & _AGAINST_YES else None
    if everything & _FOR_YES:
        return None
    if _is_denied(first, language) or _denies_a_complaint(first):
        return None
    supported = "unknown" not in said or "complaint" in said
    if "unsolved" in said or ("no" in said and supported and "thanks" not in said):
        return None if _others(rest, language, languages) & _FOR_YES else Verdict.NO
    return None


def _depends(sentence: list[_Item]) -> bool:
    """Whether a "when" comes before anything else is said; after it, it tells when the problem shows."""
    said = [item.category for item in sentence]
    return "when" in said and not {"no", "unsolved"} & set(said[: said.index("when")])


def _asks(sentence: list[_Item], text: str, language: Language) -> bool:
    """Whether a sentence begins as a question does: "Is it fixed"."""
    start = next((item.start for item in sentence if item.category != "mark"), len(text))
    return f"{text} ".startswith(language.asks, start)


def _is_denied(sentence: list[_Item], language: Language) -> bool:
    """Whether a negation denies a "not solved": before it ("it is not that it doesn't work", "it hasn't broken again"),
    right behind it, or where a language has a word for "no more", a few words on ("Das Problem tritt seit dem Umbau
    nicht mehr auf").
    """
    for clause in _clauses(sentence):
        said = [sentence[at].category for at in clause]
        at = said.index("unsolved") if "unsolved" in said else None
        if at is None:
            continue
        before = any(_begins_a_denial(sentence[place], language) for place in clause[:at])
        behind = [sentence[place] for place in clause[at + 1 : at + 2 + FAR]]
        no_more = language.spaced and any(i.category == "negation" and len(i.text) > 1 for i in behind)
        if no_more or before or said[at + 1 : at + 2] == ["negation"]:
            return True
    return False


def _begins_a_denial(item: _Item, language: Language) -> bool:
    """Whether an item may deny what follows it: a negation, or a "no" that may be half a sentence ("it hasn't")."""
    is_half = language.spaced and language.phrases.get(item.text[-1:]) != "no"
    return item.category == "negation" or (item.category == "no" and is_half)


def _denies_a_complaint(sentence: list[_Item]) -> bool:
    """Whether a clause says that there is no trouble, or perhaps that there is: "no problems at all"."""
    for clause in _clauses(sentence):
        said = {sentence[at].category for at in clause}
        if "complaint" in said and said & {"no", "negation"} and "unsolved" not in said:
            return True
    return False


def _says_solved(sentence: list[_Item]) -> bool:
    """Whether each clause is a statement of its own: it may say what works, and else nothing that is not understood."""
    clauses = [[sentence[at] for at in clause] for clause in _clauses(sentence)]
    understood = [
        _is_statement(clause)
        if any(item.category in _FOR_YES for item in clause)
        else all(item.category != "unknown" for item in clause)
        for clause in clauses
    ]
    return all(understood) and any(item.category == "solved" for item in sentence)


def _is_statement(clause: list[_Item]) -> bool:
    last = max(at for at, item in enumerate(clause) if item.category in _FOR_YES)
    before = sum(item.category == "unknown" for item in clause[:last])
    return before <= SUBJECT_WORDS and all(item.category != "unknown" for item in clause[last:])


def _only_names(after: list[list[_Item]], text: str, language: Language, languages: list[Language]) -> bool:
    """Whether what follows a yes is understood, but for names: "It works. Today the same thing." is no yes.

    Blame says nothing about whether it is solved; a person reads it beside the yes (replies/criticism.py).
    """
    names = 0
    for sentence in after:
        unknown = _size(sentence, language)
        said = text[sentence[0].start : sentence[-1].end]
        if not unknown or any(_is_thanks(_items(said, other)) for other in languages):
            continue
        if _praises(sentence, language) or language.criticism.search(said):
            continue
        below = text[: sentence[0].start].rstrip(" ").endswith("\n") or said.startswith(beginnings("closing"))
        if not below or sentence[-1].text[0] in _SENTENCE_ENDS - {"\n"}:
            return False
        names += _size(sentence, language)
    return names <= _longest_name(language)


def _praises(sentence: list[_Item], language: Language) -> bool:
    """Whether what is not understood may be the name of who is thanked: "Thank you, Marta!", "Kim was very kind."."""
    is_praise = any(item.category == "thanks" for item in sentence)
    return is_praise and _size(sentence, language) <= _longest_name(language)


def _size(items: list[_Item], language: Language) -> int:
    """How many words are not understood; letters where words are written without spaces."""
    unknown = [item for item in items if item.category == "unknown"]
    return len(unknown) if language.spaced else sum(len("".join(item.text)) for item in unknown)


def _longest_name(language: Language) -> int:
    return NAME_WORDS if language.spaced else NAME_LETTERS


def _after(letter: list[_Item], first: list[_Item]) -> list[list[_Item]]:
    """The sentences that follow the first one."""
    end = first[-1].end
    return [sentence for sentence in _sentences(letter) if sentence[0].start >= end]


def _thanked(items: list[_Item]) -> list[_Item]:
    """The items, with the names of those who are thanked as part of the thanks."""
    named = list(items)
    for clause in _clauses(items):
        thanks = next((n for n, at in enumerate(clause) if items[at].category == "thanks"), None)
        after = (
            [at for at in clause[thanks + 1 :] if items[at].category == "unknown"]
            if thanks is not None
            else []
        )
        if len(after) <= NAME_WORDS:
            for at in after:
                named[at] = replace(items[at], category="courtesy")
    return named


def _items(text: str, language: Language) -> list[_Item]:
    """The text as phrases, from left to right, the longest possible at each place."""
    tokens = language.tokens(text)
    plain = [token for token, _, _ in tokens]
    items: list[_Item] = []
    at = 0
    while at < len(tokens):
        size = next(
            (
                n
                for n in range(language.longest.get(plain[at], 0), 0, -1)
                if tuple(plain[at : at + n]) in language.phrases
            ),
            0,
        )
        found = tuple(plain[at : at + max(size, 1)])
        category = language.phrases[found] if size else _category_of(plain[at])
        items.append(_Item(category, found, tokens[at][1], tokens[at + len(found) - 1][2]))
        at += len(found)
    return items


def _category_of(token: str) -> str:
    if token in _QUESTIONS:
        return "question"
    return "unknown" if any(letter.isalnum() for letter in token) else "mark"


def _or_unknown(items: list[_Item], at: int) -> _Item:
    """Without spaces nothing tells where a word ends: a yes that unknown letters touch may be half of another word."""
    item = items[at]
    if item.category not in _FOR_YES:
        return item
    beside = [items[near].category for near in (at - 1, at + 1) if 0 <= near < len(items)]
    return replace(item, category="unknown") if "unknown" in beside else item


def _negated(items: list[_Item], language: Language) -> list[_Item]:
    """The items, with whatever a negation close to it turns into its contrary.

    In a clause that says "not solved" a short yes is only a part of it: "it is still not working".
    """
    turned = list(items)
    for at, item in enumerate(items):
        if not _denies(item, language):
            continue
        for step in (1, -1) if language.negation_after else (1,):
            denied = _near(items, at, step, language)
            if denied is not None:
                for place in (at, denied):
                    turned[place] = replace(turned[place], category="unsolved")
    for clause in _clauses(turned):
        if any(turned[at].category == "unsolved" for at in clause):
            for at in clause:
                if turned[at].category == "yes":
                    turned[at] = replace(turned[at], category="courtesy")
    return turned


def _denies(item: _Item, language: Language) -> bool:
    """Whether an item turns what stands beside it: a negation, or a phrase that ends with one ("still not")."""
    ends_so = item.category == "unsolved" and language.phrases.get(item.text[-1:]) in {"negation", "no"}
    return item.category == "negation" or (len(item.text) > 1 and (item.category == "no" or ends_so))


def _clauses(items: list[_Item]) -> list[list[int]]:
    """The places of the items of each clause."""
    clauses: list[list[int]] = [[]]
    for at, item in enumerate(items):
        if item.category in {"mark", "question"}:
            clauses.append([])
        else:
            clauses[-1].append(at)
    return clauses


def _near(items: list[_Item], at: int, step: int, language: Language) -> int | None:
    """The place of what a negation denies: at most so many words away, and in the same clause."""
    for distance in range(1, GAP + 2):
        place = at + step * distance
        if not 0 <= place < len(items) or items[place].category in {"mark", "question"}:
            return None
        item = items[place]
        if item.category in _FOR_YES or " ".join(item.text) in language.positive:
            return place
    return None


def _without_greeting(items: list[_Item], language: Language) -> list[_Item]:
    """What follows after "Hello Kim," and the like, also where a line says before or a sentence after it who it is."""
    rest = _without_address(items)
    while rest:
        start = next((n for n, item in enumerate(rest) if item.category != "mark"), len(rest))
        if start == len(rest) or rest[start].category != "greeting":
            return rest
        end = next(
            (n for n in range(start, len(rest)) if rest[n].category in {"mark", "question"}), len(rest)
        )
        spoken = {item.category for item in rest[start + 1 : end]}
        only_names = spoken <= {"unknown", "courtesy", "greeting"} and end - start <= GREETING_WORDS
        rest = _without_introduction(rest[end if only_names else start + 1 :], language)
    return rest


def _without_address(items: list[_Item]) -> list[_Item]:
    """What follows after lines of unknown words above a greeting: whom a letter is for."""
    start = next((n for n, item in enumerate(items) if item.category == "greeting"), 0)
    above = items[:start]
    lines = bool(above) and above[-1].text == ("\n",)
    named = sum(len("".join(item.text)) for item in above if item.category == "unknown") <= ADDRESS_LETTERS
    ended = any(item.text[0] in _SENTENCE_ENDS - {"\n"} for item in above)
    silent = {item.category for item in above} <= {"unknown", "courtesy", "mark"}
    return items[start:] if lines and named and silent and not ended else items


def _without_introduction(items: list[_Item], language: Language) -> list[_Item]:
    """What follows after "This is Sato." where people begin so, and after a name that ends a line ("Hello, Kim:")."""
    start = next((n for n, item in enumerate(items) if item.category != "mark"), 0)
    end = next((n for n in range(start, len(items)) if items[n].text[0] in _SENTENCE_ENDS), len(items))
    said = "".join("".join(item.text) for item in items[start:end])
    known = {item.category for item in items[start:end]} - {"unknown", "courtesy"}
    introduced = said.endswith(language.introduces) and len(said) <= INTRODUCTION_LETTERS
    words = [item for item in items[start:end] if item.category != "mark"]
    named = (
        language.spaced
        and len(words) <= NAME_WORDS
        and items[end : end + 1] != []
        and items[end].text == ("\n",)
    )
    return items[end:] if (introduced or named) and not known - {"mark"} else items


def _first_sentence(items: list[_Item], language: Language) -> list[_Item]:
    """The first sentence that says more than thanks, for whatever; empty when there is none."""
    for sentence in _sentences(items):
        if any(item.category not in _SAYS_NOTHING for item in sentence) and not _is_thanks_for(
            sentence, language
        ):
            return sentence
    return []


def _sentences(items: list[_Item]) -> list[list[_Item]]:
    """The items of each sentence or line, with the sign that ends it."""
    ended = 0
    numbered = []
    for item in items:
        numbered.append((ended, item))
        if len(item.text) == 1 and item.text[0] in _SENTENCE_ENDS:
            ended += 1
    return [[item for _, item in group] for _, group in groupby(numbered, key=lambda pair: pair[0])]


def _is_thanks_for(sentence: list[_Item], language: Language) -> bool:
    """Whether somebody is thanked for something, and that is all: "Thank you for your mail of last week."."""
    said = [item for item in sentence if item.category != "mark"]
    return (
        len(said) > 1
        and said[0].category == "thanks"
        and said[1].text[0] in language.thanks_for
        and {item.category for item in said} <= _SAYS_NOTHING | {"unknown"}
    )


def _rest(text: str, items: list[_Item]) -> str:
    """The words that a language does not know."""
    known = list(text)
    for item in items:
        if item.category != "unknown":
            known[item.start : item.end] = "\n" * (item.end - item.start)
    return "".join(known)


def _others(rest: str, language: Language, languages: list[Language]) -> set[str]:
    """What other languages find in the words that this one does not know: many people write in two."""
    if not rest.strip():
        return set()
    return {item.category for other in languages if other is not language for item in _items(rest, other)}


def _unknown(items: list[_Item]) -> int:
    """How many letters are in words that a language does not know."""
    return sum(len("".join(item.text)) for item in items if item.category == "unknown")


def _is_thanks(items: list[_Item]) -> bool:
    categories = {item.category for item in items}
    return "thanks" in categories and categories <= _SAYS_NOTHING


def _unwrapped(words: str) -> str:
    """The words with lines joined that a mail program broke."""
    joined: list[str] = []
    previous = ""
    for line in words.split("\n"):
        wrapped = len(previous.rstrip()) >= WRAPPED_AT and previous.rstrip()[-1:] not in _SENTENCE_ENDS
        if wrapped and line.strip() and joined:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
        previous = line
    return "\n".join(joined)
