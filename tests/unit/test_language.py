"""One language for each customer, all of it: catalogues, plurals, dates, directions; and what is broken is noticed."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

import catalogues
import preview
import samples
from messages import compose, language, pages
from unit.test_messages import LANGUAGES, Outline

NONCE = "c2FtcGxlLW5vbmNl"
THURSDAY = date(2026, 11, 19)
AFTERNOON = datetime(2026, 11, 19, 17, 30, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def locales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of all catalogues, which the messages are written from."""
    folder = tmp_path / "locales"
    shutil.copytree(catalogues.LOCALES, folder)
    monkeypatch.setattr(language, "LOCALES", folder)
    _forget()
    yield folder
    _forget()


def _forget() -> None:
    for known in (language.negotiate, language._names_in, language._load):
        known.cache_clear()


def rewrite(folder: Path, name: str, change: Callable[[Catalog], None], *, compiled: bool = True) -> None:
    """Change a catalogue as somebody with an editor would."""
    catalogue = catalogues.read(name, folder)
    change(catalogue)
    place = folder / name / "LC_MESSAGES"
    with (place / "messages.po").open("wb") as file:
        write_po(file, catalogue)
    if compiled:
        (place / "messages.mo").write_bytes(catalogues.compiled(catalogues.read(name, folder)))


def put(english: str, translation: str | tuple[str, ...]) -> Callable[[Catalog], None]:
    """A change that gives a sentence another translation."""

    def change(catalogue: Catalog) -> None:
        message = catalogue[english]
        assert message is not None
        message.string = translation

    return change


# --- the catalogues --------------------------------------------------------------------------------------------------


def test_every_sentence_is_there_in_every_language_and_compiled() -> None:
    assert catalogues.names() == sorted(tag.replace("-", "_") for tag in LANGUAGES)
    assert list(catalogues.problems()) == []


@pytest.mark.parametrize(
    ("english", "translation", "problem"),
    [
        ("Is it really solved?", "", "has no translation"),
        ("Is it really solved?", "Is it really solved?", "is left in English"),
        ("Is it really solved?", "Ist es <b>gelöst</b>?", "has markup"),
        ("Is it really solved?", "Zu 100 % gelöst?", "single %"),
        ("Hello %(name)s,", "Guten Tag,", "has lost its placeholder %(name)s"),
        ("Hello %(name)s,", "Guten Tag %(nmae)s,", "has a placeholder %(nmae)s that nobody fills"),
        ("Hello %(name)s,", "Guten Tag %(name),", "has lost its placeholder %(name)s"),
        (
            "We closed %(count)s ticket of yours.",
            ("Wir haben %(count)s geschlossen.", ""),
            "has no translation",
        ),
    ],
)
def test_what_is_missing_or_broken_is_named(
    locales: Path, english: str, translation: str | tuple[str, ...], problem: str
) -> None:
    rewrite(locales, "de", put(english, translation))
    found = list(catalogues.problems(locales))
    assert found
    assert all(known.startswith(f"de: “{english}”") for known in found)
    assert any(problem in known for known in found)


def test_a_fuzzy_translation_does_not_ship(locales: Path) -> None:
    rewrite(locales, "de", lambda catalogue: catalogue["Save"].flags.add("fuzzy"))
    (problem,) = catalogues.problems(locales)
    assert problem.startswith("de: “Save” is marked as fuzzy")
    assert "Speichern" not in pages.preferences_page(replace(samples.preferences(), language="de"), NONCE)


def test_a_catalogue_that_was_edited_but_not_compiled_is_noticed(locales: Path) -> None:
    rewrite(locales, "de", put("Save", "Sichern"), compiled=False)
    (problem,) = catalogues.problems(locales)
    assert problem == "de: the compiled catalogue is older than its sentences; run make messages."


def test_a_catalogue_without_a_new_sentence_is_noticed(locales: Path) -> None:
    rewrite(locales, "de", lambda catalogue: catalogue.delete("Save"))
    (problem,) = catalogues.problems(locales)
    assert problem == "de: “Save” is not in the catalogue; run make messages."


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_number_has_its_plural_form(tag: str) -> None:
    for count in range(2, 13):
        closures = samples.survey().closures * count
        subject = compose.survey(replace(samples.survey(), language=tag, closures=closures)).subject
        assert str(count) in subject or (tag, count) == ("ar", 2), "the Arabic dual says it in a word"


def test_slavic_and_arabic_plurals_are_right() -> None:
    def subject(tag: str, count: int) -> str:
        closures = samples.survey().closures * count
        return compose.survey(replace(samples.survey(), language=tag, closures=closures)).subject

    assert subject("pl", 3) == "Czy 3 Państwa zgłoszenia są naprawdę rozwiązane?"
    assert subject("pl", 5) == "Czy 5 Państwa zgłoszeń jest naprawdę rozwiązanych?"
    assert subject("pl", 22) == "Czy 22 Państwa zgłoszenia są naprawdę rozwiązane?"
    assert subject("ar", 2) == "هل حُلَّت تذكرتان لكم فعلًا؟"
    assert subject("ar", 3) == "هل حُلَّت 3 تذاكر لكم فعلًا؟"
    assert subject("ar", 11) == "هل حُلَّت 11 تذكرة لكم فعلًا؟"


# --- one language, all of it -----------------------------------------------------------------------------------------


def _english_sentences(name: str) -> list[re.Pattern[str]]:
    """What must not be read in this language: English sentences, unless one reads like a translation."""
    own = [form for message in catalogues.read(name) for form in _forms(message.string)]
    found = []
    for message in catalogues.sentences():
        for form in _forms(message.id):
            parts = [re.escape(part) for part in re.split(r"%\(\w+\)s", form)]
            pattern = re.compile(r"(?<!\w)" + ".+?".join(parts) + r"(?!\w)")
            if form and not any(pattern.search(translation) for translation in own):
                found.append(pattern)
    return found


def _forms(texts: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts or ())


@pytest.mark.parametrize("tag", [tag for tag in LANGUAGES if tag != "en"])
def test_no_english_sentence_stands_in_a_message_of_another_language(tag: str) -> None:
    patterns = _english_sentences(tag.replace("-", "_"))
    assert len(patterns) > 100
    for shown in preview.for_customers(language.negotiate(tag, "")):
        html = shown.html
        if shown.name == "page_notice_not_found":  # which says it in English too
            html = re.sub(r'<p class="soft" lang="en".*?</p>', "", html)
        words = " ".join(Outline(html).words.split()) + " ".join((shown.text or "").split())
        found = [pattern.pattern for pattern in patterns if pattern.search(words)]
        assert found == [], shown.name


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ("fr", r"%\(name\)s s’en est|%\(name\)s est"),
        ("it", r"%\(name\)s se ne è|%\(name\)s è"),
        ("ar", r"(عمل عليه|تولاه|يتولاه|يتولاها|يتولى|يكتب إليكم) %\(name\)s|ويكتب|^تولّى العمل عليها: %"),
        ("pt_BR", r"\bem %\(day\)s"),
        ("ja", "チケット"),
    ],
)
def test_a_sentence_is_true_of_women_and_men_and_calls_a_ticket_by_one_word(tag: str, wrong: str) -> None:
    """And a day has its article, or needs none."""
    for sentence in catalogues.read(tag):
        for form in catalogues._forms(sentence.string or ""):
            assert not sentence.id or not re.search(wrong, form), form


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_message_says_its_language_and_direction(tag: str) -> None:
    direction = "rtl" if tag == "ar" else "ltr"
    shown = list(preview.for_customers(language.negotiate(tag, "")))
    assert len(shown) == len(samples.CUSTOMER_MAILS) + len(samples.CUSTOMER_PAGES)
    for known in shown:
        assert f'<html lang="{tag}" dir="{direction}">' in known.html
        if known.text:  # webmail drops <html>
            assert f'<div lang="{tag}" dir="{direction}" style="direction:{direction};">' in known.html


def test_names_and_ids_are_isolated_where_directions_could_mix() -> None:
    arabic = compose.survey(replace(samples.survey(), language="ar"))
    assert f'<span dir="auto">{samples.CUSTOMER}</span>' in arabic.html
    assert f"\u2068{samples.CUSTOMER}\u2069" in arabic.text
    assert "border-right:4px" in arabic.html
    assert re.search(r'<span dir="ltr"><a [^>]*word-break:break-all;[^>]*>https://', arabic.html)
    english = compose.survey(replace(samples.survey(), customer_name="ليلى"))
    assert 'Hello <span dir="auto">ليلى</span>,' in english.html
    assert "Hello \u2068ليلى\u2069," in english.text
    assert "\u2068" not in compose.survey(samples.survey()).text


def test_names_of_our_own_people_do_not_turn_figures_around() -> None:
    name = "محمد علي"
    text, html = f"\u2068{name}\u2069", f'<span dir="auto">{name}</span>'
    week = samples.digest()
    line = replace(week.lines[0], name=name)
    week = replace(
        week, to_name=name, lines=(line, *week.lines[1:]), thanks=(compose.Thanks(name=name, solved=5),)
    )
    mail, note = compose.digest(week), compose.digest_note(week)
    assert f"\n{text}: 5 tickets confirmed as solved." in mail.text
    assert f">{html}: 5 tickets confirmed as solved.<" in mail.html
    assert f" {text}: 76 %" in mail.text
    assert f"\n1. {text}\n" in mail.text
    assert note.lines[0].startswith(f"{text}: ")
    assert any(f" {text}: 76 %" in said for said in note.lines)
    assert f"Thanks to {text}: 5 tickets" in "\n".join(note.lines)
    month = compose.thanks_month(replace(samples.thanks_month(), people=((name, 14),)))
    assert f"\n- {text}: 14 solutions\n" in month.text
    helped = (compose.Helped(name=name, part="3 visits"), compose.Helped(team_name=name))
    solved = replace(samples.success_note(), resolver_name=name, helped=helped)
    assert (
        f"{text} solved it, together with {text} (3 visits) and {text}." in compose.success_note(solved).text
    )
    assert f"{html} solved it, together with {html} (3 visits)" in compose.success_note(solved).html
    assert "\u2068" not in compose.digest(samples.digest()).text


# --- which language --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de", "de"), ("de-AT", "de"), ("de_CH", "de"), ("DE-de", "de"), ("en-US", "en"), ("en_GB", "en"),
        ("pt", "pt-BR"), ("pt-BR", "pt-BR"), ("pt-PT", "pt-BR"), ("es-419", "es"), ("es-MX", "es"),
        ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-Hans-SG", "zh-Hans"), ("zh-TW", "fr"), ("zh-Hant", "fr"),
        ("ar-EG", "ar"), ("nl-BE", "nl"), ("sv-FI", "sv"), ("ja-JP", "ja"),
        ("fi", "fr"), ("tlh", "fr"), ("", "fr"), ("x" * 500, "fr"), ("de\r\nBcc: x", "fr"), ("../../etc", "fr"),
        ("<script>", "fr"), ("\ud800", "fr"), ("root", "fr"),
    ],
)  # fmt: skip
def test_a_customer_gets_the_nearest_language_or_the_companys(asked: str, given: str) -> None:
    assert language.negotiate(asked, "fr").tag == given


@pytest.mark.parametrize("default", ["", "tlh", "C:\\"])
def test_a_default_that_is_no_language_of_ours_is_english(default: str) -> None:
    assert language.negotiate("tlh", default).tag == "en"


@pytest.mark.parametrize(
    ("asked", "day", "moment"),
    [
        ("en", "Thursday, 19 November 2026", "Thursday, 19 November 2026, 5:30\u202fpm"),
        ("en-US", "Thursday, November 19, 2026", "Thursday, November 19, 2026, 5:30\u202fPM"),
        ("en-GB", "Thursday, 19 November 2026", "Thursday, 19 November 2026, 17:30"),
        ("de", "Donnerstag, 19. November 2026", "Donnerstag, 19. November 2026, 17:30"),
        ("fr", "jeudi 19 novembre 2026", "jeudi 19 novembre 2026, 17:30"),
        ("es", "jueves, 19 de noviembre de 2026", "jueves, 19 de noviembre de 2026, 17:30"),
        ("pt-BR", "quinta-feira, 19 de novembro de 2026", "quinta-feira, 19 de novembro de 2026 17:30"),
        ("pl", "czwartek, 19 listopada 2026", "czwartek, 19 listopada 2026, 17:30"),
        ("ja", "2026年11月19日木曜日", "2026年11月19日木曜日 17:30"),
        ("zh-CN", "2026年11月19日星期四", "2026年11月19日星期四 17:30"),
        ("ar", "الخميس، 19 نوفمبر 2026", "الخميس، 19 نوفمبر 2026، 5:30\u202fم"),
    ],
)
def test_days_and_times_look_as_readers_expect(asked: str, day: str, moment: str) -> None:
    chosen = language.negotiate(asked, "en")
    assert chosen.day(THURSDAY) == day
    assert " ".join(chosen.moment(AFTERNOON).split()) == " ".join(moment.split())


def test_a_time_is_shown_on_the_clock_of_its_own_zone() -> None:
    tokyo = AFTERNOON.astimezone(ZoneInfo("Asia/Tokyo"))
    assert language.negotiate("de", "en").moment(tokyo) == "Freitag, 20. November 2026, 01:30"


def test_an_austrian_reads_the_german_catalogue_and_their_own_month() -> None:
    assert language.negotiate("de-AT", "en").day(date(2027, 1, 7)) == "Donnerstag, 7. Jänner 2027"


# --- what a company can change ---------------------------------------------------------------------------------------


def test_a_company_can_change_an_english_sentence_too(locales: Path) -> None:
    rewrite(locales, "en", put("Is it really solved?", "Is all well now & then?"))
    assert list(catalogues.problems(locales)) == []
    mail = compose.survey(samples.survey())
    assert "Is all well now & then?" in mail.text
    assert "Is all well now &amp; then?" in mail.html
    assert "Are they really solved?" in compose.survey(samples.survey_several()).text


def test_one_more_language_is_one_more_catalogue(locales: Path) -> None:
    swedish = catalogues.read("sv", locales)
    place = locales / "fi/LC_MESSAGES"
    place.mkdir(parents=True)
    finnish = Catalog(locale="fi", fuzzy=False)
    for message in swedish:
        if message.id:
            forms = tuple(f"FI {form}" for form in _forms(message.string))
            finnish.add(message.id, forms if isinstance(message.id, tuple) else forms[0])
    with (place / "messages.po").open("wb") as file:
        write_po(file, finnish)
    (place / "messages.mo").write_bytes(catalogues.compiled(catalogues.read("fi", locales)))
    _forget()
    assert list(catalogues.problems(locales)) == []
    mail = compose.survey(replace(samples.survey(), language="fi-FI"))
    assert '<html lang="fi" dir="ltr">' in mail.html
    assert "torstai" in mail.text
    assert mail.subject.startswith("FI Är ärende 48211")
    assert ">Suomi</option>" in pages.preferences_page(samples.preferences(), NONCE)


def test_the_preview_replaces_nothing_that_it_did_not_make(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("somebody's own")
    assert preview.main(["--folder", str(tmp_path), "--no-screenshots"]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
    (tmp_path / preview.MARK).touch()
    assert preview.main(["--folder", str(tmp_path), "--no-screenshots", "--language", "de"]) == 0
    assert (tmp_path / preview.MARK).exists() and "own" not in (tmp_path / "index.html").read_text()[:30]


def test_the_preview_refuses_a_broken_catalogue_and_says_why(
    locales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(locales, "de", put("Hello %(name)s,", "Guten Tag,"))
    whole = catalogues.problems
    monkeypatch.setattr(catalogues, "problems", lambda: whole(locales))
    assert preview.main(["--folder", str(tmp_path / "shown"), "--no-screenshots"]) == 1
    assert (
        "de: “Hello %(name)s,” has lost its placeholder %(name)s in “Guten Tag,”." in capsys.readouterr().err
    )
    assert not (tmp_path / "shown").exists()


def test_the_preview_writes_every_mail_and_page_of_a_language(tmp_path: Path) -> None:
    folder = tmp_path / "shown"
    assert preview.main(["--language", "ar", "--folder", str(folder), "--no-screenshots"]) == 0
    index = (folder / "index.html").read_text("utf-8")
    for name in samples.CUSTOMER_MAILS:
        assert f'href="ar/mail_{name}.html"' in index
        assert f'href="ar/mail_{name}.txt"' in index
    for name in samples.CUSTOMER_PAGES:
        assert (folder / f"ar/page_{name}.html").exists()
    assert preview.main(["--language", "tlh", "--folder", str(folder)]) == 1


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_only_who_writes_to_customers_loads_babel() -> None:
    program = """
import sys
import samples
from messages import compose, pages
compose.flag_raised(samples.flag_denied()), compose.digest(samples.digest())
pages.flag_page(samples.flag_page_raised(), "n"), pages.notice_page(samples.notice("gone"), "n")
before = "babel" in sys.modules
compose.survey(samples.survey())
print(before, "babel" in sys.modules, "babel.messages" in sys.modules)
"""
    root = catalogues.MESSAGES.parent
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{root}:{root.parent / 'infra'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["False", "True", "False"]
