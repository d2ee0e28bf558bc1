"""Mails are shown right by the programs that customers use, by the data of caniemail.com. What is missing is known."""

from dataclasses import replace

import pytest

import samples
from mail_programs import HARMLESS, SUPPORT, UNLISTED, lacking, problems, uses
from messages import compose
from messages.language import languages

MAILS = [
    (kind, language.tag)
    for kind, (_, context) in samples.ALL_MAILS.items()
    for language in (languages() if hasattr(context, "language") else languages()[:1])
]


def written(kind: str, language: str) -> str:
    """The HTML of one kind of mail; those to our own people are in English whatever ``language`` is."""
    write, context = samples.ALL_MAILS[kind]
    return write(replace(context, language=language) if hasattr(context, "language") else context).html


@pytest.mark.parametrize(("kind", "language"), MAILS)
def test_every_mail_uses_only_what_mail_programs_show(kind: str, language: str) -> None:
    assert problems(written(kind, language)) == set()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('style="margin:0', 'style="display:flex;margin:0', "css-display-flex"),
        ('style="margin:0', 'style="display:inline-grid;margin:0', "css-display-grid"),
        ('style="margin:0', 'style="position:absolute;margin:0', "css-position"),
        ('style="margin:0', 'style="gap:8px;margin:0', "css-gap"),
        ('style="margin:0', 'style="margin:-4px', "css-margin"),
        ('style="margin:0', 'style="margin:0 auto', "css-margin"),
        ('<p class="ink" style="margin:0', '<p class="ink" style="padding:4px', "css-padding"),
        ('<p class="ink" style="margin:0', '<p class="ink" style="border:1px solid', "css-border"),
        ("border-radius:8px", "border-radius:8px / 4px", "css-border-radius"),
        ("background-color:#0b6e5f", "background-color:#0b6e60", "css-background-color"),
        ("background-color:#0b6e5f", "background-color:#0b6e5f !important", "css-important"),
        ("background-color:#0b6e5f", "background:url(https://x.example/a.png)", "css-background-image"),
        ("font-size:16px", "font-size:1rem", "css-unit-rem"),
        ("font-size:16px", "font-size:clamp(1px, 2px, 3px)", "css-function-clamp"),
        ("font-size:16px", "font-size:var(--size)", "css-variables"),
        ("color:#1d2a27", "color:oklch(60% 0.1 200)", "oklch()"),
        ("font-weight:600", "font-weight:550", "css-font-weight"),
        ("line-height:24px", "unheard-of:24px", "unheard-of"),
        (".ink {", ".ink:hover {", "css-pseudo-class-hover"),
        (".ink {", ".ink::before {", "css-pseudo-element-before"),
        (".ink {", ".card > .ink {", "css-selector-child"),
        (".ink {", ".card ~ .ink {", "css-selector-general-sibling"),
        (".ink {", "[dir] {", "css-selector-attribute"),
        (".ink {", ".card.ink {", "css-selector-chaining"),
        (".ink {", "* {", "css-selector-universal"),
        ("@media (max-width: 480px)", "@media (hover: hover)", "css-at-media-hover"),
        ("@media (max-width: 480px)", "@media (aspect-ratio: 1)", "@media (aspect-ratio)"),
        ("@media (max-width: 480px)", "@supports (display: grid)", "css-at-supports"),
        ("</style>", "@import 'x.css';</style>", "css-at-import"),
        ("</style>", "@font-face { font-family: x; }</style>", "css-at-font-face"),
        ("</style>", "/* a word */</style>", "css-comments"),
        ("</h1>", "</h1><style>p { color: red; }</style>", "html-style"),
        ("</h1>", "</h1><svg></svg>", "html-svg"),
        ("</h1>", "</h1><video></video>", "html-video"),
        ("</h1>", "</h1><form><input type=text></form>", "html-form"),
        ("</h1>", "</h1><input type=radio>", "html-input-radio"),
        ("</h1>", "</h1><section></section>", "html-semantics"),
        ("</h1>", "</h1><blink></blink>", "<blink>"),
        ("</h1>", '</h1><a href="#down">down</a>', "html-anchor-links"),
        ("</h1>", '</h1><p onclick="x">', "onclick="),
        ("</h1>", '</h1><a dir="ltr" href="https://x.example">x</a>', "html-dir"),
        ('align="center"', 'align="left"', "html-align"),
        ("<!--[if mso]>", "<!--[if mso]><dialog></dialog>", "html-dialog"),
    ],
)
def test_whoever_adds_what_a_mail_program_does_not_know_is_told(old: str, new: str, found: str) -> None:
    html = compose.survey(samples.survey()).html
    assert old in html
    assert found in {
        problem.partition(":")[0] if problem[0] != ":" else problem
        for problem in problems(html.replace(old, new))
    }


def test_what_is_harmless_is_used_and_is_said_of_the_programs_that_lack_it() -> None:
    used = {use.feature for mail in MAILS for use in uses(written(*mail))}
    assert set(HARMLESS) <= used
    assert set(UNLISTED) <= used
    assert not set(UNLISTED) & set(SUPPORT["features"])
    assert {name: set(known.clients.split()) for name, known in HARMLESS.items()} == {
        name: lacking(name) for name in HARMLESS
    }


def test_the_programs_are_those_that_customers_use() -> None:
    families = {client.partition("/")[0] for client in SUPPORT["clients"]}
    assert families == {
        "gmail", "outlook", "apple-mail", "yahoo", "samsung-email", "thunderbird", "gmx", "web-de",
    }  # fmt: skip
    assert all(len(letters) == len(SUPPORT["clients"]) for letters in SUPPORT["features"].values())
    assert set("".join(SUPPORT["features"].values())) == set("yanu")
