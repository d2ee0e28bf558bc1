"""POST /v/{token}: the team's own words stand beside the customer's, and whoever asked is told."""

from typing import Any

import pytest

from adapters import links, tickets
from adapters.notices import ONCE_MORE
from builders import A_MINUTE, A_SECOND, CUSTOMER, RAVI, TEAM, sample, settings
from domain.flag import Flag, What
from integration.test_show_version import asked_team
from world import World

WORDS = "We reset the password on Monday and saw the customer sign in."


def flag() -> Flag:
    """The flag of the one ticket."""
    return tickets.load("acme", "4711").flags[1]


def test_the_sample_event_brings_the_teams_words_beside_the_customers(world: World) -> None:
    link = asked_team(world)
    event = sample("record_version")
    event["pathParameters"] = {"token": world.token(link)}
    page = world.answered(world.invoke("record_version", world.sealed(event, link)))
    assert page.status == 200
    assert "Ravi Menon has your words now" in page.body
    world.settle()
    told = world.mail.to(RAVI)[-1]
    assert told.subject == "The team’s version: ticket 4711"
    assert f"> {WORDS}" in told.text
    shown = world.open(told.link).body
    assert shown.index("Nobody called.") < shown.index(WORDS)
    assert "Web Portal wrote how they see it" in shown


def test_r8_asked_or_written_twice_is_told_once_and_who_and_when_is_kept(world: World) -> None:
    link = asked_team(world)
    world.press(world.mail.to(RAVI)[0].link, action="ask_team")
    for _ in range(3):
        assert world.press(link, words=WORDS).status == 200
        world.now += A_MINUTE
        world.settle()
    assert len(world.mail.to(TEAM)) == 1
    assert len(world.mail.to(RAVI)) == 2
    assert [(deed.what, deed.by) for deed in flag().deeds] == [
        (What.RAISED, None),
        (What.TEAM_ASKED, "ravi"),
        (What.TEAM_WROTE, "team:web-portal"),
    ]


def test_other_words_replace_them_and_are_told_again(world: World) -> None:
    link = asked_team(world)
    world.press(link, words=WORDS)
    world.press(link, words="We see now that the password expired at once.")
    world.settle()
    assert flag().team_words == "We see now that the password expired at once."
    assert len(world.mail.to(RAVI)) == 3
    assert sum(deed.what is What.TEAM_WROTE for deed in flag().deeds) == 2


def test_nothing_written_is_said_and_what_is_settled_takes_no_more_words(world: World) -> None:
    link = asked_team(world)
    before = world.scan()
    assert world.press(link, words=" ").status == 400
    assert world.scan() == before
    world.press(world.mail.to(RAVI)[0].link, action="settle", result="not_possible", done="Explained.")
    page = world.press(link, words=WORDS)
    assert page.status == 409
    assert WORDS in page.body
    assert flag().team_words is None


def test_while_the_table_is_down_the_words_stay_in_the_form(world: World) -> None:
    link = asked_team(world)
    world.fail("TransactWriteItems")
    page = world.press(link, words=WORDS)
    assert page.status == 503
    assert WORDS in page.body


def test_without_a_team_there_is_nobody_to_ask(world: World) -> None:
    world.press(world.asked(group=None), answer="no", words="No.")
    world.wait(A_MINUTE)
    mail = next(mail for mail in world.mail.sent if "Not solved" in mail.subject)
    assert "how they see it" not in world.open(mail.link).body
    assert world.press(mail.link, action="ask_team").status == 409


def test_a_team_is_not_asked_about_words_beside_a_yes_and_does_not_read_them(world: World) -> None:
    critical = "It works, but Kim was rude."
    world.press(world.asked(), answer="yes", words=critical)
    world.wait(A_MINUTE)
    flag_link = world.mail.to(RAVI)[0].link
    assert "how they see it" not in world.open(flag_link).body
    assert world.press(flag_link, action="ask_team").status == 409


def test_a_team_that_was_asked_reads_no_words_of_a_later_yes(world: World) -> None:
    link = asked_team(world)
    assert "The customer did not confirm" in world.open(link).body
    world.press(world.mail.to(CUSTOMER)[0].link, answer="yes", words="It works now, but Kim was rude.")
    world.settle()
    page = world.open(link).body
    assert "rude" not in page
    assert "The customer did not confirm" not in page


def test_a_scanner_in_the_teams_mailbox_writes_nothing_and_a_person_presses_once_more(world: World) -> None:
    link = asked_team(world)
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))
    world.now = world.mail.to(TEAM)[0].at + 3 * A_SECOND
    before = world.scan()
    answer = world.press(link, words="spam")
    assert (answer.status, ONCE_MORE in answer.body) == (200, True)
    assert "spam</textarea>" in answer.body, "nothing that was written is lost"
    assert ONCE_MORE in world.press(link, words="spam", seal="").body
    assert world.scan() == before
    world.now += 3 * A_SECOND
    world.press(link, words=WORDS, seal=world.seal(answer) or "")
    assert flag().team_words == WORDS


def test_how_long_we_take_makes_no_person_of_a_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link = asked_team(world)
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=0 * A_SECOND))
    before = world.scan()
    page = world.open(link)
    read = links.read_version

    def slow(*given: Any) -> Any:
        world.now += A_MINUTE
        return read(*given)

    monkeypatch.setattr(links, "read_version", slow)
    assert ONCE_MORE in world.press(link, words="spam", seal=world.seal(page) or "").body
    assert world.scan() == before
