"""What our pages say, and what hostile text in them cannot do."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import samples
from messages import pages
from unit.test_messages import FRAGMENTS, Outline, any_language, hostile, poisoned, spoken

NONCE = "c2FtcGxlLW5vbmNl"
CONTEXTS = samples.ALL_PAGES
each_page = pytest.mark.parametrize("kind", CONTEXTS)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(sorted(CONTEXTS)), text=hostile, language=any_language)
@example(kind="survey_page", text="k" + "".join(FRAGMENTS), language="ar")
@example(kind="survey_page_several", text="k" + "".join(FRAGMENTS), language="de")
@example(kind="answered_yes_with_words", text="k" + "".join(FRAGMENTS), language="zh-Hans")
@example(kind="answered_no_with_words", text="k" + "".join(FRAGMENTS), language="ar")
@example(kind="flag_page_raised", text="k" + "".join(FRAGMENTS), language="en")
def test_p9_html_in_ticket_text_is_shown_as_text(kind: str, text: str, language: str) -> None:
    show, context = CONTEXTS[kind]
    context = spoken(context, language)
    if getattr(context, "asks_credit", False):  # how many ways there are to name somebody depends on the name
        context = replace(context, asks_credit=False)
    harmless = Outline(show(poisoned(context, "ك"), NONCE))
    attacked = Outline(show(poisoned(context, f"ك{text}"), NONCE))
    if kind == "notice_try_again":  # here names of fields are data as well
        strip = [tag for tag, _ in harmless.tags], [tag for tag, _ in attacked.tags]
        assert strip[0] == strip[1]
    else:
        assert attacked.tags == harmless.tags
    assert attacked.links == harmless.links


@each_page
def test_p9_a_page_works_under_a_policy_that_allows_nothing(kind: str) -> None:
    show, context = CONTEXTS[kind]
    html = show(context, NONCE)
    assert html.count("<style") == html.count(f'<style nonce="{NONCE}">') == 1
    for tag, attrs in Outline(html).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "svg"}
        for name, _ in attrs:
            assert not name.startswith("on")
            assert name not in {"style", "src", "action", "formaction", "http-equiv", "srcset"}


@each_page
def test_p10_a_page_names_no_third_party(kind: str) -> None:
    show, context = CONTEXTS[kind]
    html = show(context, NONCE)
    ours = {"?a=yes", "?a=no", "?a=", samples.survey_page().trap_link, samples.PREFERENCES_LINK}
    ours |= {samples.cause_page_told().older, *(cause.link for cause in samples.causes_page().causes)}
    ours |= {other.link for other in getattr(context, "others", ())}
    ours |= {getattr(cause, "link", None) for cause in getattr(context, "causes", ())}
    ours |= {f"?month=2026-{month}" for month in (10, 11, 12)}
    assert set(Outline(html).links) <= ours | {samples.flag_denied().ticket_url}
    assert not re.search(r"url\(|@import|@font-face", html)


@each_page
def test_every_field_has_a_label_and_every_page_a_language(kind: str) -> None:
    show, context = CONTEXTS[kind]
    html = show(context, NONCE)
    assert html.startswith("<!DOCTYPE html>")
    assert '<html lang="en" dir="ltr">' in html
    labelled = set(re.findall(r'<label for="([^"]+)"', html))
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for tag, attrs in Outline(html).tags:
        given_attrs = dict(attrs)
        if tag in {"textarea", "select"} or (tag == "input" and given_attrs.get("type") in {"date", "text"}):
            assert given_attrs["id"] in labelled
    assert html.count("<form") == html.count('<form method="post">') == html.count("<button")
    assert "!" not in Outline(html).words


def form(html: str) -> str:
    found = re.findall(r"<form.*?</form>", html, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def fields(html: str) -> list[tuple[str, str | None]]:
    """Names and values of what a form sends."""
    found = [
        (tag, dict(attrs)) for tag, attrs in Outline(html).tags if tag in {"input", "textarea", "select"}
    ]
    values = {name: value for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', html)}
    return [(str(attrs["name"]), values.get(str(attrs["name"]))) for _, attrs in found]


def names(html: str) -> list[str]:
    """Names of what a form sends, each once, in order."""
    return list(dict.fromkeys(name for name, _ in fields(html)))


@pytest.mark.parametrize("chosen", ["yes", "no", None])
def test_p1_the_link_only_preselects(chosen: pages.Answer | None) -> None:
    (asked,) = samples.survey_page().asked
    page = replace(samples.survey_page(), asked=(replace(asked, chosen=chosen),))
    html = form(pages.survey_page(page, NONCE))
    assert re.findall(r'name="answer" value="(\w+)" required checked', html) == ([chosen] if chosen else [])


def test_several_closings_are_asked_in_one_form_and_none_of_them_must_be_answered() -> None:
    html = form(pages.survey_page(samples.survey_page_several(), NONCE))
    assert names(html) == ["answer-1", "kept-1", "answer-2", "seal", "website"]
    assert "required" not in html
    assert re.findall(r'name="(answer-\d)" value="(\w+)" checked', html) == [("answer-1", "yes")]


def test_whether_a_promise_was_kept_is_asked_only_where_there_is_one_and_somebody_stores_it() -> None:
    asking = samples.survey_page()
    assert names(form(pages.survey_page(asking, NONCE))) == ["answer", "kept", "seal", "website"]
    assert "kept" not in names(form(pages.survey_page(replace(asking, asks_kept=False), NONCE)))
    bare = replace(asking, asked=(replace(asking.asked[0], promise=None),))
    assert "kept" not in names(form(pages.survey_page(bare, NONCE)))


def test_traps_are_for_machines_only() -> None:
    html = pages.survey_page(samples.survey_page(), NONCE)
    assert '<input type="hidden" name="seal" value="c2VhbGVk">' in html
    assert '<div class="unseen" aria-hidden="true">' in html
    assert 'name="website" tabindex="-1" autocomplete="off"' in html
    assert '<a class="unseen" href="?a=website" tabindex="-1" aria-hidden="true">' in html
    plain = pages.survey_page(replace(samples.survey_page(), seal=None, trap_link=None), NONCE)
    assert "website" not in plain
    assert 'class="unseen"' not in plain


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://evil.example", "//evil.example", '?a="x', ""]
)
def test_a_trap_leads_nowhere_but_to_its_own_page(link: str) -> None:
    with pytest.raises(ValueError, match="trap"):
        pages.survey_page(replace(samples.survey_page(), trap_link=link), NONCE)


def test_p11_the_survey_page_shows_little_of_the_ticket() -> None:
    html = pages.survey_page(samples.survey_page(), NONCE)
    assert f"<title>{samples.SUBJECT}" not in html
    assert "@" not in re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)


def test_a_late_answer_still_counts_and_the_page_says_so() -> None:
    assert "Your answer still counts." in pages.survey_page(samples.survey_page_late(), NONCE)


def test_a_form_without_an_answer_says_what_is_missing_beside_the_question() -> None:
    html = form(pages.survey_page(samples.survey_page_late(), NONCE))
    assert '<p class="error" role="alert" id="error">Please choose one of the two answers.</p>' in html
    assert '<fieldset aria-describedby="error">' in html


def test_who_is_wrongly_taken_for_a_machine_finds_the_same_form_and_no_blame() -> None:
    html = pages.survey_page(samples.survey_page_once_more(), NONCE)
    assert "Please press once more." in html
    assert re.findall(r'value="(\w+)" required checked', html) == ["yes"]
    assert not re.search(r"(?i)\b(robot|bot|error|wrong|suspicious)\b", Outline(html).words)


def test_consent_covers_exactly_the_text_that_is_quoted() -> None:
    said = "See https://example.org <b>now</b>\nThank you"
    page = samples.answered_yes_with_name()
    page = replace(page, recorded=(replace(page.recorded[0], words=said),))
    html = pages.answered_page(page, NONCE)
    shown = "See example[.]org &lt;b&gt;now&lt;/b&gt;\nThank you"
    assert f'<blockquote dir="auto" id="quote">{shown}</blockquote>' in html
    assert 'name="consent" value="yes" required aria-describedby="readers quote"' in form(html)
    assert "checked" not in form(html)
    assert f"with my name: {samples.CUSTOMER}" in html


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("Dana Kim", {"full": "Dana Kim", "first": "Dana", "initials": "D. K."}),
        ("  Ana  María  Ruiz ", {"full": "Ana María Ruiz", "first": "Ana", "initials": "A. M. R."}),
        ("Dana", {"full": "Dana"}),
        ("山田 太郎", {"full": "山田 太郎", "first": "山田"}),
        ("", {}),
        (None, {}),
    ],
)
def test_a_customer_chooses_a_name_and_sees_it_as_it_would_stand(
    name: str | None, choices: dict[str, str]
) -> None:
    assert dict(pages.credits(name)) == choices
    html = pages.answered_page(replace(samples.answered_yes_with_words(), customer_name=name), NONCE)
    given = re.findall(r'name="credit" value="(\w+)" required> <span[^>]*>([^<]*)<', html)
    assert given == [*choices.items(), ("anonymous", f"a customer of {samples.COMPANY}")]


def test_words_that_are_passed_on_can_be_taken_back() -> None:
    html = pages.answered_page(samples.answered_yes_consented(), NONCE)
    assert names(form(html)) == ["answer", "withdraw"]
    assert f"Only people at {samples.COMPANY} read them" in html
    assert '— <span dir="auto">Anna</span>' in html
    back = pages.answered_page(samples.answered_yes_withdrawn(), NONCE)
    assert "You took your words back." in back
    assert samples.PRAISE.split("\n")[0] not in back


def test_an_answer_can_be_changed_and_no_consent_is_asked_for_a_no() -> None:
    assert 'href="?a=no"' in pages.answered_page(samples.answered_yes(), NONCE)
    denied = pages.answered_page(samples.answered_no_with_words(), NONCE)
    assert 'href="?a=yes"' in denied
    assert "consent" not in denied
    assert "Wednesday, 25 November 2026, 5:30\u202fpm" in denied


def test_after_a_no_the_page_asks_which_outcome_would_do_and_keeps_what_was_written() -> None:
    html = form(pages.answered_page(samples.answered_no(), NONCE))
    assert names(html) == ["answer", "wish", "words"]
    stored = pages.answered_page(samples.answered_no_with_words(), NONCE)
    assert f'<blockquote dir="auto">{samples.WISH}</blockquote>' in stored
    assert f">\n{samples.WISH}</textarea>" in stored
    assert "wish" not in names(pages.answered_page(replace(samples.answered_no(), asks_wish=False), NONCE))


def test_each_of_several_answers_has_its_own_room() -> None:
    html = pages.answered_page(samples.answered_several(), NONCE)
    forms = re.findall(r"<form.*?</form>", html, re.DOTALL)
    assert [names(one) for one in forms] == [["answer-1", "wish-1", "words-1"], ["answer-2", "words-2"]]
    assert 'href="?a="' in html


def test_words_keep_their_first_line_break_in_a_textarea() -> None:
    page = samples.answered_no()
    page = replace(page, recorded=(replace(page.recorded[0], kept_words="first\nsecond"),))
    assert 'aria-describedby="hint">\nfirst\nsecond</textarea>' in pages.answered_page(page, NONCE)


def test_preferences_offer_every_language_by_its_own_name() -> None:
    html = pages.preferences_page(replace(samples.preferences(), language="ar"), NONCE)
    offered = dict(re.findall(r'<option value="([^"]+)" lang="[^"]+"[^>]*>([^<]+)<', html))
    assert {"de": "Deutsch", "pt-BR": "Português", "ja": "日本語", "ar": "العربية"}.items() <= offered.items()
    assert re.findall(r'<option value="([^"]+)" lang="[^"]+" selected', html) == ["ar"]
    assert re.findall(r'name="surveys" value="(\w+)" required( checked)?', html) == [
        ("all", " checked"),
        ("fixes", ""),
        ("none", ""),
    ]


def test_a_page_that_is_not_found_says_it_in_english_too() -> None:
    german = pages.notice_page(replace(samples.notice("not_found"), language="de-CH"), NONCE)
    assert "Dieser Link führt nirgendwohin" in german
    assert 'lang="en" dir="ltr">This link does not work.' in german
    assert pages.notice_page(samples.notice("not_found"), NONCE).count("This link does not work") == 2


@pytest.mark.parametrize(
    ("context", "actions"),
    [
        (samples.flag_page_raised(), ["acknowledge", "ask_team", "update", "agree", "settle"]),
        (samples.flag_page_acknowledged(), ["update", "keep", "withdraw", "agree", "settle"]),
        (replace(samples.flag_page_acknowledged(), may_write=False), ["keep", "withdraw", "agree", "settle"]),
        (samples.flag_page_settled(), ["update"]),
        (samples.flag_page_promised(), ["keep", "withdraw", "agree", "update"]),
    ],
)
def test_a_flag_page_offers_what_is_left_to_do(context: pages.FlagPage, actions: list[str]) -> None:
    assert re.findall(r'name="action" value="(\w+)"', pages.flag_page(context, NONCE)) == actions


def test_whoever_keeps_a_promise_knows_whether_the_customer_is_told() -> None:
    told = "The customer is told in a short mail"
    yourself = "No mail can reach the customer: please tell them yourself."
    html = pages.flag_page(samples.flag_page_acknowledged(), NONCE)
    assert told in html
    assert yourself not in html
    html = pages.flag_page(samples.flag_page_unreachable(), NONCE)
    assert told not in html
    assert yourself in html
    assert "A mail to the customer says so. It could not be delivered." in html


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-GB", "The mail around them is in English."),
        (
            "de-AT",
            "The mail around them is in the customer’s language (de-AT) where we write it, else in English.",
        ),
        ("ko", "The mail around them is in the customer’s language (ko) where we write it, else in English."),
    ],
)
def test_whoever_writes_to_a_customer_is_not_promised_a_language_that_we_do_not_write(
    language: str, said: str
) -> None:
    assert said in pages.flag_page(replace(samples.flag_page_raised(), customers_language=language), NONCE)


def test_one_who_is_left_out_and_several_have_their_own_words() -> None:
    numbers = (("opted_out", 1), ("no_address", 1), ("refused", 1), ("refused", 2), ("else", 1))
    left_out = tuple(pages.Number(name=name, people=people) for name, people in numbers)
    draft = replace(samples.cause_page_draft().tellings[0], left_out=left_out)
    html = pages.cause_page(replace(samples.cause_page_draft(), tellings=(draft,)), NONCE)
    assert re.findall(r"<li>(\d [^<]*)</li>", html) == [
        "1 does not want our mail",
        "1 has no address",
        "1 was refused",
        "2 were refused",
        "1 else",
    ]


def test_p8_a_form_that_failed_keeps_what_was_written() -> None:
    again = form(pages.notice_page(samples.notice_try_again(), NONCE))
    assert '<input type="hidden" name="answer" value="no">' in again
    assert samples.WORDS in again
    flag = replace(
        samples.flag_page_acknowledged(),
        typed=pages.Typed(action="settle", done="Called her", result="agreed"),
        error="Please try again.",
    )
    html = pages.flag_page(flag, NONCE)
    assert ">\nCalled her</textarea>" in html
    assert '<option value="agreed" selected>' in html


def test_a_commitment_can_be_seen_and_moved() -> None:
    html = pages.causes_page(samples.causes_page(), NONCE)
    assert 'name="committed_to" aria-describedby="hint-2" value="2026-12-11"' in html
    assert 'name="cause" value="router_firmware"' in html
