"""What our pages say, and what hostile text in them cannot do."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import samples
from messages import pages
from unit.test_messages import FRAGMENTS, Outline, hostile, poisoned

NONCE = "c2FtcGxlLW5vbmNl"
CONTEXTS: dict[str, tuple[Callable[[Any, str], str], Any]] = {
    "survey_page": (pages.survey_page, samples.survey_page()),
    "survey_page_late": (pages.survey_page, samples.survey_page_late()),
    "answered_yes": (pages.answered_page, samples.answered_yes()),
    "answered_yes_with_words": (pages.answered_page, samples.answered_yes_with_words()),
    "answered_yes_consented": (pages.answered_page, samples.answered_yes_consented()),
    "answered_no_with_words": (pages.answered_page, samples.answered_no_with_words()),
    "flag_page_raised": (pages.flag_page, samples.flag_page_raised()),
    "flag_page_settled": (pages.flag_page, samples.flag_page_settled()),
    "causes_page": (pages.causes_page, samples.causes_page()),
    "notice_try_again": (pages.notice_page, samples.notice_try_again()),
}
each_page = pytest.mark.parametrize("kind", samples.PAGES)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(sorted(CONTEXTS)), text=hostile)
@example(kind="survey_page", text="k" + "".join(FRAGMENTS))
@example(kind="answered_yes_with_words", text="k" + "".join(FRAGMENTS))
@example(kind="flag_page_raised", text="k" + "".join(FRAGMENTS))
def test_p9_html_in_ticket_text_is_shown_as_text(kind: str, text: str) -> None:
    show, context = CONTEXTS[kind]
    harmless = Outline(show(poisoned(context, "k"), NONCE))
    attacked = Outline(show(poisoned(context, text), NONCE))
    if kind == "notice_try_again":  # here names of fields are data as well
        strip = [tag for tag, _ in harmless.tags], [tag for tag, _ in attacked.tags]
        assert strip[0] == strip[1]
    else:
        assert attacked.tags == harmless.tags
    assert attacked.links == harmless.links


@each_page
def test_p9_a_page_works_under_a_policy_that_allows_nothing(kind: str) -> None:
    html = samples.PAGES[kind](NONCE)
    assert html.count("<style") == html.count(f'<style nonce="{NONCE}">') == 1
    for tag, attrs in Outline(html).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "svg"}
        for name, _ in attrs:
            assert not name.startswith("on")
            assert name not in {"style", "src", "action", "formaction", "http-equiv", "srcset"}


@each_page
def test_p10_a_page_names_no_third_party(kind: str) -> None:
    html = samples.PAGES[kind](NONCE)
    allowed = {samples.flag_denied().ticket_url, "?a=yes", "?a=no"}
    assert set(Outline(html).links) <= allowed
    assert not re.search(r"url\(|@import|@font-face", html)


@each_page
def test_every_field_has_a_label_and_every_page_a_language(kind: str) -> None:
    html = samples.PAGES[kind](NONCE)
    assert html.startswith("<!DOCTYPE html>")
    assert '<html lang="en" dir="ltr">' in html
    labelled = set(re.findall(r'<label for="([^"]+)"', html))
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for tag, attrs in Outline(html).tags:
        given_attrs = dict(attrs)
        if tag in {"textarea", "select"} or (tag == "input" and given_attrs.get("type") == "date"):
            assert given_attrs["id"] in labelled
    assert html.count("<form") == html.count('<form method="post">') == html.count("<button")
    assert "!" not in Outline(html).words


def form(html: str) -> str:
    found = re.findall(r"<form.*?</form>", html, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("chosen", ["yes", "no", None])
def test_p1_the_link_only_preselects(chosen: pages.Answer | None) -> None:
    html = form(pages.survey_page(replace(samples.survey_page(), chosen=chosen), NONCE))
    assert re.findall(r'name="answer" value="(\w+)" required checked', html) == ([chosen] if chosen else [])


def test_p11_the_survey_page_shows_little_of_the_ticket() -> None:
    page = pages.survey_page(replace(samples.survey_page(), subject="x" * 500), NONCE)
    assert "x" * 79 + "…" in page
    assert "x" * 80 not in page
    assert f"<title>{samples.SUBJECT}" not in page


def test_a_late_answer_still_counts_and_the_page_says_so() -> None:
    assert "Your answer still counts." in pages.survey_page(samples.survey_page_late(), NONCE)


def test_consent_covers_exactly_the_text_that_is_quoted() -> None:
    said = "See https://example.org <b>now</b>\nThank you"
    html = pages.answered_page(replace(samples.answered_yes_with_words(), words=said), NONCE)
    shown = "See example[.]org &lt;b&gt;now&lt;/b&gt;\nThank you"
    assert f'<blockquote dir="auto"><label for="consent">{shown}</label></blockquote>' in html
    assert 'type="checkbox" id="consent" name="consent" value="yes"' in form(html)
    assert "checked" not in form(html)
    assert f"with my name: {samples.CUSTOMER}" in html


def test_an_answer_can_be_changed_and_no_consent_is_asked_for_a_no() -> None:
    assert 'href="?a=no"' in pages.answered_page(samples.answered_yes(), NONCE)
    denied = pages.answered_page(samples.answered_no_with_words(), NONCE)
    assert 'href="?a=yes"' in denied
    assert "consent" not in denied
    assert "Wednesday 25 November 2026" in denied


def test_words_keep_their_first_line_break_in_a_textarea() -> None:
    context = replace(samples.answered_no(), kept_words="first\nsecond")
    assert 'aria-describedby="hint">\nfirst\nsecond</textarea>' in pages.answered_page(context, NONCE)


@pytest.mark.parametrize(
    ("context", "actions"),
    [
        (samples.flag_page_raised(), ["acknowledge", "settle"]),
        (samples.flag_page_acknowledged(), ["settle"]),
        (samples.flag_page_settled(), []),
    ],
)
def test_a_flag_page_offers_what_is_left_to_do(context: pages.FlagPage, actions: list[str]) -> None:
    assert re.findall(r'name="action" value="(\w+)"', pages.flag_page(context, NONCE)) == actions


def test_p8_a_form_that_failed_keeps_what_was_written() -> None:
    again = form(pages.notice_page(samples.notice_try_again(), NONCE))
    assert '<input type="hidden" name="answer" value="no">' in again
    assert samples.WORDS in again
    flag = replace(
        samples.flag_page_acknowledged(), settlement="Called her", result="agreed", error="Please try again."
    )
    html = pages.flag_page(flag, NONCE)
    assert ">\nCalled her</textarea>" in html
    assert '<option value="agreed" selected>' in html


def test_a_commitment_can_be_seen_and_moved() -> None:
    html = pages.causes_page(samples.causes_page(), NONCE)
    assert 'name="committed_to" aria-describedby="hint-2" value="2026-12-11"' in html
    assert 'name="cause" value="router_firmware"' in html
