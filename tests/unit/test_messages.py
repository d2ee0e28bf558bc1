"""What our mails say, and what hostile text in them cannot do."""

import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import samples
from domain.address import parse_address
from domain.closure import MAX_NAME, MAX_PROMISE, MAX_SOLUTION, MAX_SUBJECT, MAX_TEXT
from domain.follow_up import MOST_TOGETHER
from messages import compose, facts
from messages.language import negotiate
from messages.text import WORDS, clean, clean_words, delink, subject_id, web_address

FRAGMENTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='https://evil.example/x'>yes</a>",
    '"><style>body{display:none}</style>',
    "</textarea></p><form action=//evil.example>",
    "<!-- -->",
    "&lt;b&gt;&amp;",
    "{{7*7}}",
    "{% for x in y %}",
    "{# x #}",
    "${7*7}",
    "%s%(name)s%n",
    "#{7*7}",
    "\r\nBcc: victim@evil.example\r\n\r\n",
    "=?UTF-8?Q?=0ABcc:_x?=",
    "=?utf-8?b?CkJjYzogeA==?=",
    "\x00\x07\x1b[31m",
    "\u202e\u2066\u200f",
    "\u200b\ufeff\u2060\u00ad",
    "\u2028\u2029\x85\x0b",
    "\ud800\udfff",
    "e" + "\u0301" * 50,
    "https://evil.example/login?a=yes",
    "hthttps://tps://evil.example",
    "HTTPS:\\\\evil.example",
    "//evil.example/x",
    "www.evil.example",
    "evil\u3002example",
    "evil\uff0eexample",
    "http://192.0.2.1/x",
    "mailto:victim@evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "' onmouseover='x",
    "\n> Is it really solved?\n\n--\n",
)
LINE_OR_PARAGRAPH = {"\u2028", "\u2029"}
OURS = {
    "link", "preferences_link", "trap_link", "seal", "ticket_url", "reason", "state", "result", "answer", "chosen",
    "code", "company", "customer_email", "language", "default_language", "kind", "surveys",
    "wrote", "form", "fate", "topic", "what", "end", "id", "standing", "why", "stage", "older", "value",
}  # fmt: skip
ONE_LINE = {"solution", "promise"}
"""What comes from the ticket as one line and is quoted all the same."""
ISOLATES = {"\u2068", "\u2069"}
LANGUAGES = ("en", "de", "fr", "es", "pt-BR", "it", "nl", "pl", "sv", "ja", "zh-Hans", "ar")

anything = st.text(st.characters(exclude_categories=()), max_size=20)
hostile = st.lists(st.one_of(st.sampled_from(FRAGMENTS), anything), min_size=1, max_size=4).map(
    lambda parts: "k" + "".join(parts)
)

CONTEXTS = samples.ALL_MAILS
any_mail = st.sampled_from(sorted(CONTEXTS))
any_language = st.sampled_from(LANGUAGES)
each_mail = pytest.mark.parametrize("kind", CONTEXTS)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def spoken(context: Any, language: str) -> Any:
    """``context`` for a customer of this language; what goes to our own people stays as it is."""
    return replace(context, language=language) if hasattr(context, "language") else context


def poisoned(value: Any, text: str, name: str = "") -> Any:
    """``value`` with ``text`` in every free-text field, however deep."""
    if isinstance(value, str):
        return value if name in OURS else text
    if isinstance(value, tuple):
        return tuple(poisoned(item, text, name) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: poisoned(getattr(value, f.name), text, f.name) for f in fields(value)}
        )
    return value


class Outline(HTMLParser):
    """Everything in a document but its words: tags with their attributes; and, apart, the words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.links: list[str] = []
        self.words = ""
        self.hidden = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden = tag if tag in {"style", "title"} else ""
        self.links += [
            value or "" for name, value in attrs if name in {"href", "src", "action", "background"}
        ]
        if tag != "br":  # the line breaks of somebody's words
            kept = tuple((name, None if name == "value" else value) for name, value in attrs)
            self.tags.append((tag, kept))
        self.words += " "

    def handle_endtag(self, tag: str) -> None:
        self.hidden = ""
        self.tags.append((f"/{tag}", ()))
        self.words += " "

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words += data

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!", ((data, None),)))

    def handle_decl(self, decl: str) -> None:
        self.tags.append(("!", ((decl, None),)))


def own_links(context: Any) -> set[str]:
    link, preferences = getattr(context, "link", None), getattr(context, "preferences_link", None)
    numbers = ["", *range(1, len(getattr(context, "closures", ())) + 1)]
    numbers.append(getattr(getattr(context, "closure", None), "place", ""))
    found = {link, getattr(context, "ticket_url", None), preferences}
    found |= {f"{link}?a={number}{answer}" for number in numbers for answer in ("yes", "no") if link}
    return {known for known in (*found, f"{preferences}?surveys=none" if preferences else None) if known}


def assert_no_link_but_ours(text: str, context: Any) -> None:
    for link in (
        *sorted(own_links(context), key=len, reverse=True),
        getattr(context, "customer_email", None),
    ):
        text = text.replace(link, "") if link else text
    assert "://" not in text
    assert not re.search(r"\w[.\uff0e][^\W\d_]{2}", text), "something looks like a domain"
    if getattr(context, "language", "en") not in {"ja", "zh-Hans"}:  # whose own sentences end like that
        assert not re.search(r"\w[\u3002\uff61][a-zA-Z]{2}", text), "something looks like a domain"
    assert not re.search(r"(?i)\b(javascript|data|mailto|vbscript):\S", text)


@settings(max_examples=150, deadline=None)
@given(kind=any_mail, text=hostile, language=any_language)
@example(kind="flag_denied", text="k" + "".join(FRAGMENTS), language="en")
@example(kind="digest", text="k" + "".join(FRAGMENTS), language="en")
@example(kind="survey", text="k" + "".join(FRAGMENTS), language="ar")
@example(kind="survey_several", text="k" + "".join(FRAGMENTS), language="ja")
def test_m13_html_in_ticket_text_is_shown_as_text(kind: str, text: str, language: str) -> None:
    write, context = CONTEXTS[kind]
    context = spoken(context, language)
    harmless, attacked = (
        Outline(write(poisoned(context, "ك")).html),
        Outline(write(poisoned(context, f"ك{text}")).html),
    )
    assert attacked.tags == harmless.tags
    assert set(attacked.links) <= own_links(context)


@settings(max_examples=150, deadline=None)
@given(kind=any_mail, text=hostile, language=any_language)
def test_m13_no_address_of_theirs_can_pass_for_a_link_of_ours(kind: str, text: str, language: str) -> None:
    write, context = CONTEXTS[kind]
    context = spoken(context, language)
    mail = write(poisoned(context, text))
    assert_no_link_but_ours(mail.text, context)
    assert_no_link_but_ours(Outline(mail.html).words, context)
    assert_no_link_but_ours(mail.subject, context)


@settings(max_examples=150, deadline=None)
@given(kind=any_mail, text=hostile, language=any_language)
def test_m11_no_text_breaks_out_of_the_subject(kind: str, text: str, language: str) -> None:
    write, context = CONTEXTS[kind]
    subject = write(poisoned(spoken(context, language), text)).subject
    assert subject.isprintable()
    assert len(subject) <= 150
    assert "=?" not in subject
    # Not in encoded words: the standard library puts one within another now and then, which says nothing of ours.
    message = EmailMessage(policy=policy.SMTPUTF8)
    message["Subject"] = subject
    message.set_content("x")
    parsed = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert parsed.keys() == ["Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    # The standard library adds or drops blanks when it folds.
    assert "".join(parsed["Subject"].split()) == "".join(subject.split())


@pytest.mark.parametrize("kind", CONTEXTS)
def test_m11_subjects_are_our_words_and_the_ticket_id(kind: str) -> None:
    write, context = CONTEXTS[kind]
    for language in LANGUAGES:
        ours = poisoned(spoken(context, language), "Zebra")
        if hasattr(ours, "ticket_id"):
            ours = replace(ours, ticket_id="48211")
        if hasattr(ours, "closures"):
            ours = replace(ours, closures=tuple(replace(c, ticket_id="48211") for c in ours.closures))
        if hasattr(ours, "closure"):
            ours = replace(ours, closure=replace(ours.closure, ticket_id="48211"))
        assert "Zebra" not in write(ours).subject


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_m11_a_subject_of_any_size_stays_short(size: int) -> None:
    case = replace(samples.survey().closures[0], ticket_id="9" * size, subject="x" * size)
    mail = compose.survey(replace(samples.survey(), closures=(case,)))
    assert len(mail.subject) <= 150
    assert len(mail.html) < 20_000


@settings(max_examples=150, deadline=None)
@given(kind=any_mail, text=hostile, language=any_language)
def test_m11_no_control_and_no_invisible_character_reaches_a_mail(
    kind: str, text: str, language: str
) -> None:
    write, context = CONTEXTS[kind]
    mail = write(poisoned(spoken(context, language), text))
    for part in (mail.text, mail.html):
        part.encode()
        odd = {c for c in part if unicodedata.category(c)[0] == "C" or c in LINE_OR_PARAGRAPH}
        assert odd <= {"\n", "\u200c", "\u200d"} | (ISOLATES if part is mail.text else set())
    # Each isolation of ours is closed again, and nothing of theirs opens or closes one.
    assert not ISOLATES & set(re.sub("\u2068[^\u2068\u2069]*\u2069", "", mail.text))


@each_mail
@pytest.mark.parametrize(
    "template", ["{{7*7}}", "{% raw %}", "${7*7}", "%s %d", "{0} {name}", "{{link}}", "{# a #}"]
)
def test_m14_template_syntax_is_printed_as_it_is(kind: str, template: str) -> None:
    write, context = CONTEXTS[kind]
    mail = write(poisoned(context, template))
    assert "49" not in mail.subject
    if kind not in {"digest_empty", "reminder_several"}:
        assert template in mail.text
        assert template in Outline(mail.html).words


def test_m14_only_files_of_ours_are_compiled() -> None:
    case = replace(samples.survey().closures[0], subject="{% include 'digest.txt.jinja' %}")
    mail = compose.survey(replace(samples.survey(), closures=(case,)))
    assert "{% include 'digest[.]txt[.]jinja' %}" in mail.text


@each_mail
@each_language
def test_m13_both_parts_mean_the_same(kind: str, language: str) -> None:
    write, context = CONTEXTS[kind]
    if language != "en" and not hasattr(context, "language"):
        return
    mail = write(spoken(context, language))
    html = Outline(mail.html)
    in_html, in_text = words(html.words + " ".join(html.links)), words(mail.text)
    assert in_text <= in_html
    assert in_html - in_text <= words(FALLBACK[language])
    # The HTML also has the page's address without an answer, for where buttons do not work.
    asks = isinstance(context, compose.Survey | compose.Again) or getattr(context, "kind", None) == "fix"
    bare = {context.link} if asks else set()
    assert set(re.findall(r"https?://\S+", mail.text)) == set(html.links) - bare


FALLBACK = {
    language: " ".join(
        negotiate(language, "en").gettext(f"If the {what} not work, open this address:")
        for what in ("buttons do", "button does")
    )
    for language in LANGUAGES
}
"""What only the HTML says, because a text has no buttons."""


def words(text: str) -> set[str]:
    """The words of a text, each once."""
    return set(re.findall(r"\w+", text))


def marked(value: Any, marks: Iterator[int], name: str = "") -> Any:
    """``value`` with a word of its own in every free text, and a year of its own in every date."""
    if isinstance(value, str):
        return value if name in OURS else f"fact{next(marks)}z"
    if isinstance(value, date):
        return value.replace(year=2100 + next(marks), month=3, day=3)
    if isinstance(value, tuple):
        return tuple(marked(item, marks, name) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: marked(getattr(value, f.name), marks, f.name) for f in fields(value)}
        )
    return value


@each_mail
@each_language
def test_m13_each_fact_stands_in_both_parts(kind: str, language: str) -> None:
    write, context = CONTEXTS[kind]
    if language != "en" and not hasattr(context, "language"):
        return
    mail = write(marked(spoken(context, language), count(1)))
    fact = re.compile(r"fact\d+z|(?<!\d)2[1-9]\d\d(?!\d)")
    in_text, in_html = set(fact.findall(mail.text)), set(fact.findall(Outline(mail.html).words))
    assert in_text == in_html
    assert len(in_text) >= 2


@pytest.mark.parametrize("letter", ["x", '"', "&", "語", "ك", "😀", "e\u0301"])
@each_language
def test_ten_closings_with_the_longest_texts_fit_into_one_mail(letter: str, language: str) -> None:
    """Gmail clips a mail at 102 KB, and hides how to stop with the rest."""
    case = compose.Closed(
        ticket_id="9" * 64,
        closed_on=date(2026, 11, 19),
        subject=letter * MAX_SUBJECT,
        solution=letter * MAX_SOLUTION,
        resolver_name=letter * MAX_NAME,
        team_name=letter * MAX_TEXT,
        promise=letter * MAX_PROMISE,
        promised_by=letter * MAX_NAME,
        promised_until=datetime(2026, 11, 19, 17, tzinfo=UTC),
        promise_missed=True,
        again=True,
    )
    closures = tuple(replace(case, place=place) for place in range(1, MOST_TOGETHER + 1))
    mail = compose.survey(
        replace(samples.survey(), closures=closures, customer_name=letter * MAX_NAME, language=language)
    )
    assert len(mail.html.encode()) < 100_000
    assert mail.html.endswith("</html>")


@pytest.mark.parametrize("letter", ["x", "ü", "語", "ك"])
def test_ten_of_the_longest_texts_of_a_customer_fit_into_the_mail_about_a_flag(letter: str) -> None:
    flag = replace(samples.flag_denied(), words=(letter * 2000,) * facts.SAID, wish=letter * 2000)
    mail = compose.flag_raised(flag)
    assert len(mail.html.encode()) < 100_000
    assert mail.html.count(letter * 2000) == facts.SAID + 1


@each_mail
def test_m13_a_mail_loads_nothing_and_fits_every_mail_program(kind: str) -> None:
    write, context = CONTEXTS[kind]
    mail = write(context)
    assert len(mail.html.encode()) < 100_000
    assert not re.search(
        r"(?i)<(img|svg|script|link|iframe|object|form|video|audio)\b|url\(|@import|display:\s*(flex|grid)",
        mail.html,
    )
    assert all(tag != "html" or dict(attrs)["lang"] == "en" for tag, attrs in Outline(mail.html).tags)
    sizes = [int(size) for size in re.findall(r"font-size:(\d+)px", mail.html)]
    spacers = {1, 8, 12}
    assert min(size for size in sizes if size not in spacers) >= 16
    assert "!" not in mail.subject + mail.text


def test_r2_the_longest_digest_still_fits() -> None:
    long = '"' * 500
    usual = samples.digest()
    line = replace(usual.lines[0], name=long, words=('"' * 2500,) * 5, trend=(1,) * 500)
    mail = compose.digest(
        replace(
            usual,
            lines=(line,) * 300,
            needs=(replace(usual.needs[0], name=long),) * 300,
            better=(replace(usual.better[0], name=long),) * 300,
            thanks=(replace(usual.thanks[0], name=long, quote='"' * 2500),) * 300,
            rest=compose.Total(causes=292, tickets=1204, denied=12, silent=30),
        )
    )
    assert len(mail.html.encode()) < 100_000
    for part in (mail.text, mail.html):
        assert "292 more root causes: 1204 tickets, 12 not solved, 30 without an answer" in part
        assert "295 more wait for you" in part


def test_r2_an_empty_digest_says_so() -> None:
    mail = compose.digest(samples.digest_empty())
    assert "There is nothing for you to do." in mail.text
    assert samples.CAUSES_LINK not in mail.text


def test_survey_repeats_the_case_and_asks_one_question() -> None:
    mail = compose.survey(samples.survey())
    for part in (mail.text, Outline(mail.html).words):
        for said in (
            samples.SUBJECT,
            samples.SOLUTION,
            samples.RESOLVER,
            samples.PROMISE,
            "Friday, 20 November 2026",
            "Friday, 4 December 2026",
            "You get this mail",
        ):
            assert said in part
        assert part.count("?") - part.count("?a=") - part.count("?surveys=") == 1
    assert f'href="{samples.SURVEY_LINK}?a=yes"' in mail.html
    assert f'href="{samples.SURVEY_LINK}?a=no"' in mail.html
    assert f'href="{samples.PREFERENCES_LINK}?surveys=none"' in mail.html


def test_what_is_not_known_leaves_no_gap() -> None:
    mail = compose.survey(samples.survey_bare())
    assert mail.text.startswith(
        "Hello,\n\nWe closed your ticket 48211 on Monday, 30 November 2026.\n\nThank you"
    )
    assert "reply" not in mail.text
    assert "Stop asking me" not in mail.text
    assert "None" not in mail.text + mail.html


def test_reminder_has_the_same_link_and_says_that_it_is_the_only_one() -> None:
    first, again = compose.survey(samples.survey()), compose.survey(samples.reminder())
    assert len(again.text) < len(first.text)
    assert "This is the only reminder." in again.text
    assert f"{samples.SURVEY_LINK}?a=no" in again.text


def test_what_went_wrong_before_is_said_with_an_apology() -> None:
    mail = compose.survey(samples.survey_again())
    assert "closed before. We are sorry" in mail.text
    assert "We did not keep this promise in time, and we are sorry." in mail.text
    assert "sorry" not in compose.survey(samples.survey()).text


@pytest.mark.parametrize("make", [samples.survey_several, samples.reminder_several])
def test_several_closings_have_a_line_and_two_buttons_each_on_one_page(
    make: Callable[[], compose.Survey],
) -> None:
    mail = compose.survey(make())
    assert mail.subject.endswith("2 tickets of yours really solved?")
    for number, case in enumerate(make().closures, 1):
        for part in (mail.text, Outline(mail.html).words):
            assert f"“{case.subject}” (ticket {case.ticket_id})" in part
        for answer in ("yes", "no"):
            assert mail.html.count(f'href="{samples.SURVEY_LINK}?a={number}{answer}"') == 1
            assert mail.text.count(f"{samples.SURVEY_LINK}?a={number}{answer}\n") == 1


def test_notes_differ_by_the_customers_words() -> None:
    note, appreciation = (
        compose.success_note(samples.success_note()),
        compose.success_note(samples.appreciation_note()),
    )
    assert note.subject != appreciation.subject
    assert samples.PRAISE.split("\n")[0] in appreciation.text
    assert samples.CUSTOMER in appreciation.text
    assert samples.CUSTOMER not in note.text
    assert samples.RESOLVER in note.text


@pytest.mark.parametrize(
    ("known", "thanks"),
    [
        ({}, "Thank you."),
        ({"resolver_name": "Bo Jensen"}, "Bo Jensen solved it. Thank you."),
        ({"helped": samples.HELPED[:1]}, "Bo Jensen (brought the new router) had a part in it. Thank you."),
        (
            {"resolver_name": "Ines Prado", "helped": samples.HELPED[:1]},
            "Ines Prado solved it, together with Bo Jensen (brought the new router). Thank you.",
        ),
        (
            {"team_name": "Field service"},
            "Everybody in Field service who lent a hand has a part in it. Thank you.",
        ),
    ],
)
def test_a_note_in_place_of_a_team_does_not_say_that_its_reader_solved_it(
    known: dict[str, Any], thanks: str
) -> None:
    mail = compose.success_note(replace(samples.note_without_a_team(), **known))
    assert f"\n{thanks}\n" in mail.text
    assert f">{thanks}</p>" in mail.html
    for part in (mail.text, mail.html):
        assert "our team" not in part.lower()
        assert "You get this mail because no team that we know is named for this ticket" in part
    assert (
        "Your team solved it. Thank you."
        in compose.success_note(replace(samples.success_note(), team_name=None, resolver_name=None)).text
    )


def test_an_owner_without_a_manager_is_not_sent_to_themselves() -> None:
    broken = samples.cause_news("promise_broken")
    with_owner, tell = "Please see with Jonas Weber that they hear", "Please tell them now how it stands."
    to_manager = compose.cause_news(broken).text
    to_owner = compose.cause_news(replace(broken, to_name=broken.owner_name)).text
    assert (with_owner in to_manager, tell in to_manager) == (True, False)
    assert (with_owner in to_owner, tell in to_owner) == (False, True)


@pytest.mark.parametrize(("gone", "says"), [(1, "says"), (2, "say")])
def test_one_customer_says_and_several_say(gone: int, says: str) -> None:
    mail = compose.cause_news(replace(samples.cause_news("opens_again"), gone=gone))
    assert f"{gone} of the customers who were asked {says} that it is gone, 2 still have it." in mail.text


@pytest.mark.parametrize("reason", get_args(compose.FlagReason))
def test_every_reason_of_a_flag_has_its_words(reason: compose.FlagReason) -> None:
    mail = compose.flag_raised(replace(samples.flag_denied(), reason=reason))
    assert mail.subject.endswith(": ticket 48211")
    assert samples.FLAG_LINK in mail.text


def test_an_escalated_flag_says_from_whom_it_comes() -> None:
    mail = compose.flag_raised(samples.flag_silent())
    assert "passed on to you" in mail.subject
    assert "Jonas Weber did not get to this in time" in mail.text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "https://a@evil.example/",
        'https://x/"onclick=',
        "data:,x",
        "//x",
        "https://",
        "",
    ],
)
def test_m13_a_ticket_address_becomes_a_link_only_when_it_is_one(address: str) -> None:
    assert web_address(address) is None
    mail = compose.flag_raised(replace(samples.flag_denied(), ticket_url=address))
    assert set(Outline(mail.html).links) == {samples.FLAG_LINK}


def test_a_mail_without_a_usable_link_is_not_written() -> None:
    with pytest.raises(ValueError, match="link"):
        compose.survey(replace(samples.survey(), link="javascript:alert(1)"))


def test_m13_a_customers_address_is_usable_and_anything_else_is_broken_up() -> None:
    assert "anna.berg@example.com" in compose.flag_raised(samples.flag_denied()).text
    odd = replace(samples.flag_denied(), customer_email="anna@evil.example https://evil.example")
    assert "anna@evil[.]example evil[.]example" in compose.flag_raised(odd).text


@pytest.mark.parametrize(
    "address",
    [
        "sean.o'brien@example.com",
        "r&d@example.com",
        "a!b{c}=d|e~f^g`h$i*j@example.com",
        "/g=anna/s=berg@example.com",
    ],
)
def test_whatever_can_be_written_to_is_shown_as_it_is(address: str) -> None:
    assert parse_address(address) == address
    mail = compose.flag_raised(replace(samples.flag_denied(), customer_email=address))
    assert f"Customer’s address: {address}\n" in mail.text
    assert address in Outline(mail.html).words


@pytest.mark.parametrize(
    "address", ["www.evil.example/x@example.com", "evil.example?x@example.com", "evil.example#x@example.com"]
)
def test_m13_an_address_that_could_pass_for_a_web_address_is_broken_up(address: str) -> None:
    assert parse_address(address) == address
    assert (
        "evil[.]example" in compose.flag_raised(replace(samples.flag_denied(), customer_email=address)).text
    )


def test_m13_words_over_several_lines_cannot_pose_as_ours() -> None:
    flag = replace(samples.flag_denied(), words=("No.\n\n--\nTicket: 1\r\nPlease acknowledge:", "> No."))
    text = compose.flag_raised(flag).text
    assert "> No.\n>\n> --\n> Ticket: 1\n> Please acknowledge:\n\n> > No.\n" in text


def test_whatever_is_quoted_or_typed_over_several_lines_keeps_them_and_is_whole() -> None:
    """Its fields, by the templates themselves."""
    quotes = re.compile(r"(?:<blockquote[^>]*>{{ |\bm\.quote\()([\w.]+)|{{ ([\w.]+)(?:\|excerpt)?\|quoted")
    for file in (Path(compose.__file__).parent / "templates").iterdir():
        template = file.read_text()
        items = dict(re.findall(r"for (\w+) in ([\w.]+)", template))
        quoted = {items.get(name, name) for found in quotes.findall(template) for name in found if name}
        typed = re.findall(r'\n{{ again\([^,]+, "(\w+)"', template)
        fields_shown = {name.rpartition(".")[2] for name in (*quoted, *typed)}
        assert fields_shown <= WORDS | {"mail_text"} | ONE_LINE, file.name


def test_a_promise_is_told_as_it_was_made() -> None:
    promised = f"We bring a new router.\n{'Our technician stays until it works. ' * 10}".strip()
    mail = compose.promise_kept(replace(samples.promise_kept(), promise_words=promised))
    assert "> " + promised.replace("\n", "\n> ") + "\n" in mail.text
    assert promised.replace("\n", "<br>") in mail.html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://evil.com/x", "evil[.]com/x"),
        ("see www.evil.com.", "see www[.]evil[.]com."),
        ("hthttp://tp://evil.com", "evil[.]com"),
        ("mailto:a@b.com", "mailto[:]a@b[.]com"),
        ("192.0.2.1", "192[.]0[.]2[.]1"),
        ("Version 2.1, e.g. today. Done", "Version 2.1, e.g. today. Done"),
        ("at 10:30: data: none", "at 10:30: data: none"),
        ("evil\u3002com", "evil[.]com"),
        ("つながりません。すぐに切れます。", "つながりません。すぐに切れます。"),
    ],
)
def test_m13_addresses_are_broken_up_and_the_rest_stays(text: str, expected: str) -> None:
    assert delink(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\tc\x00d\u2028e", "a b cd e"),
        ("x\u202ey\u200bz\ud800", "xyz"),
        ("e\u0301", "é"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("pass\u200dword", "password"),
        ("x" * 12, "xxxxxxxxx…"),
    ],
)
def test_m11_one_line_keeps_what_people_write(text: str, expected: str) -> None:
    assert clean(text, 10) == expected


@settings(deadline=None)
@given(text=st.one_of(hostile, anything), limit=st.integers(1, 60))
def test_m11_cleaning_keeps_its_promises(text: str, limit: int) -> None:
    line, words = clean(text, limit), clean_words(text, limit)
    assert "\n" not in line
    for shown in (line, words):
        assert sum(unicodedata.category(c)[0] != "M" and c not in "\u200c\u200d" for c in shown) <= limit
        assert not re.search(r"\n{3}", shown)
        shown.encode()
    assert clean(line, limit) == line
    assert delink(delink(text)) == delink(text)


def test_p12_a_million_marks_or_characters_are_cut_soon() -> None:
    started = time.perf_counter()
    assert len(clean_words("e" + "\u0301\u0323" * 500_000)) <= 6
    assert len(clean_words("x\n" * 500_000)) == 2000
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("ticket_id", "shown"),
    [
        ("48211", "48211"),
        ("PROJ-7", "PROJ-7"),
        ("#2026.11.0042", "#2026.11.0042"),
        ("=?UTF-8?Q?=0A?=", "UTF-8 Q 0A"),
        ("win.evil.com", "win[.]evil[.]com"),
        ("\x00", "–"),
        ("evil.", "evil"),
    ],
)
def test_m11_ticket_ids_in_subjects(ticket_id: str, shown: str) -> None:
    assert subject_id(ticket_id) == shown
