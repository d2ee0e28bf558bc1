"""Whether words that come with a "yes" are more than praise: then a person reads them before anybody is shown them.

Words of thanks go to the team that helped, with the customer's consent. What blames somebody, compares people or takes
back a part of the "yes" is worth hearing too, but not like that. One doubtful word is enough: a quote that waits for a
person does no harm, and a complaint that is passed on as praise does.
"""

from replies import verdict
from replies.languages import all_languages
from replies.normal import normal

DENIED = frozenset({"unsolved", "question"})
"""What the reading of a reply already knows as no praise: "still not working", and whatever asks."""


def is_critical(words: str) -> bool:
    """Whether a person has to read a customer's words before they are passed on as praise.

    Only the languages that know most of the words judge: "fast" is praise in English and "almost" in German.
    """
    text = normal(words)
    judged = verdict.found(words).items()
    return any(
        categories & DENIED or all_languages()[code].criticism.search(text) for code, categories in judged
    )
