"""Whether words that come with a "yes" are more than praise: then a person reads them before anybody is shown them.

Words of thanks go to the team that helped, with the customer's consent. What blames somebody, compares people or takes
back a part of the "yes" is worth hearing too, but not like that. One doubtful word is enough: a quote that waits for a
person does no harm, and a complaint that is passed on as praise does.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from replies import verdict
from replies.languages import all_languages, expanded
from replies.normal import normal

FILE = Path(__file__).with_name("criticism.toml")
DENIED = frozenset({"unsolved", "question"})
"""What the reading of a reply already knows as no praise: "still not working", and whatever asks."""


def is_critical(words: str) -> bool:
    """Whether a person has to read a customer's words before they are passed on as praise.

    Only the languages that know most of the words judge: "fast" is praise in English and "almost" in German.
    """
    text = normal(words)
    judged = verdict.found(words).items()
    return any(categories & DENIED or _phrases(code).search(text) for code, categories in judged)


@cache
def _phrases(code: str) -> re.Pattern[str]:
    texts = sorted({text for phrase in _file()[code] for text in expanded(phrase)}, key=len, reverse=True)
    any_of = "|".join(re.escape(text) for text in texts)
    return re.compile(rf"(?<!\w)(?:{any_of})(?!\w)" if all_languages()[code].spaced else any_of)


@cache
def _file() -> dict[str, list[str]]:
    return tomllib.loads(FILE.read_text("utf-8"))
