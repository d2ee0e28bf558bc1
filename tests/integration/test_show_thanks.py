"""GET and HEAD /t/{token}: a team's page of thanks; and the mails that lead to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters import thanks, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    MIA,
    RAVI,
    START,
    TEAM,
    customer,
    reopened,
    sample,
    settings,
)
from world import World

PRAISE = "Kim stayed on the phone until it worked."
BLAME = "It works now, but the first technician was rude."


def confirm(world: World, ticket_id: str, words: str = "", **changed: object) -> str:
    """A closure that its customer confirms; gives the survey's link."""
    link = world.asked(ticket_id, requester=customer(f"c{ticket_id}@c.example"), **changed)
    form = {"words": words, "consent": "yes", "credit": "first"} if words else {}
    assert world.press(link, answer="yes", **form).status == 200
    if words:
        assert world.press(link, answer="yes", **form).status == 200
    return link


def gathering(world: World, notes: str = "weekly") -> None:
    """The team of ``closed`` wants its notes in one mail."""
    known = settings()
    team = replace(known.teams["web-portal"], notes=notes)  # type: ignore[arg-type]
    world.apply(replace(known, teams={**known.teams, "web-portal": team}))


def test_the_sample_event_shows_what_customers_confirmed(world: World) -> None:
    confirm(world, "1", PRAISE)
    confirm(world, "2")
    world.wait(AN_HOUR)
    note = next(mail for mail in world.mail.to(TEAM) if "thank you" in mail.subject)
    event = sample("show_thanks")
    event["pathParameters"] = {"token": world.token(note.link)}
    page = world.answered(world.invoke("show_thanks", event))
    assert page.status == 200
    assert "2 customers have confirmed that your work really solved their problems." in page.body
    assert "Kim Ren" in page.body and PRAISE in page.body and ">Ana<" in page.body
    assert CUSTOMER not in page.body


def test_head_and_get_change_nothing(world: World) -> None:
    confirm(world, "1", PRAISE)
    world.wait(AN_HOUR)
    (note,) = world.mail.to(TEAM)
    before = world.scan()
    for method in ("GET", "HEAD") * 5:
        for month in ("", "?month=2026-10", "?month=2026-13", "?month=<script>"):
            assert world.http(method, note.link + month).status == 200
    assert world.http("GET", note.link[:-3] + "xyz").status == 404
    world.wait(A_MINUTE)
    assert world.scan() == before


def test_what_is_no_longer_true_is_no_longer_thanked_for(world: World) -> None:
    first, second = confirm(world, "1", PRAISE), confirm(world, "2", "Very kind people.")
    world.wait(AN_HOUR)
    link = world.mail.to(TEAM)[0].link
    assert PRAISE in world.open(link).body
    world.press(first, answer="no")
    world.press(second, answer="yes", withdraw="yes")
    shown = world.open(link).body
    assert PRAISE not in shown and "Very kind people." not in shown
    assert "1 customer has confirmed that your work really solved their problem." in shown


def test_a_team_that_gathers_gets_one_mail_a_week_with_everything_in_it(world: World) -> None:
    gathering(world)
    for number, words in enumerate((PRAISE, "", "")):
        confirm(world, str(number), words)
    assert world.mail.to(TEAM) == []
    world.wait_until(START + timedelta(days=5))
    (mail,) = world.mail.to(TEAM)
    assert mail.subject == "Confirmed by customers: 3 solutions"
    assert "3 customers have confirmed" in mail.text and PRAISE in mail.text
    world.wait(timedelta(days=14))
    assert len([mail for mail in world.mail.to(TEAM) if "Confirmed by" in mail.subject]) == 1


def test_a_lost_change_or_a_doubled_step_neither_loses_nor_repeats_a_gathered_note(world: World) -> None:
    gathering(world, "daily")
    world.lose_changes = True
    confirm(world, "1", PRAISE)
    world.lose_changes = False
    world.wait(timedelta(days=9))
    mails = [mail for mail in world.mail.to(TEAM) if "Confirmed by" in mail.subject]
    assert len(mails) == 1 and PRAISE in mails[0].text
    world.invoke(
        "take_next_step",
        {"Records": [record for record in sample("take_next_step")["Records"]]},
    )
    world.failed.clear()
    world.wait(A_DAY)
    assert len([mail for mail in world.mail.to(TEAM) if "Confirmed by" in mail.subject]) == 1


def test_a_team_that_gathers_no_more_gets_what_was_gathered_and_nothing_twice(world: World) -> None:
    gathering(world)
    confirm(world, "1", PRAISE)
    world.wait(AN_HOUR)
    gathering(world, "at_once")
    world.wait(AN_HOUR)
    (gathered,) = world.mail.to(TEAM)
    assert gathered.subject.startswith("Confirmed by") and PRAISE in gathered.text
    confirm(world, "2", "Second to none.")
    world.wait(timedelta(days=9))
    assert [
        sum(words in mail.text for mail in world.mail.to(TEAM)) for words in (PRAISE, "Second to none.")
    ] == [1, 1]


def test_words_that_come_after_the_last_gathering_are_sent_at_once(world: World) -> None:
    gathering(world)
    link = confirm(world, "1")
    world.wait(timedelta(days=6))
    gathering(world, "at_once")
    words = {"words": PRAISE, "consent": "yes"}
    for _ in range(2):
        world.press(link, answer="yes", **words)
    world.wait(AN_HOUR)
    assert [PRAISE in mail.text for mail in world.mail.to(TEAM)] == [False, True]
    assert world.failed == []


def test_of_many_only_those_that_are_shown_are_looked_at_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(world, "0", PRAISE)
    for number in range(1, 4):
        confirm(world, str(number))
    world.wait(AN_HOUR)
    world.hook(reopened("0", world.now))
    monkeypatch.setattr(thanks, "MOST_SHOWN", 1)
    looked: list[str] = []
    load = tickets.load

    def noted(source: str, ticket_id: str) -> tickets.Records:
        looked.append(ticket_id)
        return load(source, ticket_id)

    monkeypatch.setattr(tickets, "load", noted)
    month = (START - timedelta(days=31), world.now + A_DAY)
    found = thanks.confirmed("web-portal", *month)
    assert len(looked) == 2 and looked[0] == "0", "those with words first"
    assert len(found) == 3


def test_each_month_ends_with_a_look_back(world: World) -> None:
    confirm(world, "1", PRAISE)
    confirm(world, "2")
    world.wait(timedelta(days=40))
    (mail,) = [mail for mail in world.mail.to(TEAM) if mail.subject == "Thank you for December 2026"]
    assert "2 customers have confirmed" in mail.text
    assert "Kim Ren: 2 solutions" in mail.text and PRAISE in mail.text
    assert world.open(f"{mail.link}?month=2026-12").body.count(PRAISE) == 1
    assert world.mail.to("billing@acme.example") == []


def test_a_look_back_is_on_the_whole_month_and_nothing_else(world: World) -> None:
    """The first morning belongs to the month that begins, before the hour of the look back too."""
    world.wait_until(datetime(2027, 1, 27, 9, tzinfo=UTC))
    link = world.asked("1")
    world.wait_until(datetime(2027, 2, 1, 7, tzinfo=UTC))
    assert world.press(link, answer="yes").status == 200
    world.wait_until(datetime(2027, 3, 2, tzinfo=UTC))
    looked_back = [mail.subject for mail in world.mail.to(TEAM) if "Thank you for" in mail.subject]
    assert looked_back == ["Thank you for February 2027"]


def test_everybody_with_a_part_is_named_and_other_teams_get_a_note_too(world: World) -> None:
    helped = [{"name": "Bo <b>Jensen</b>", "part": "brought a new token"}, {"team": "Billing"}, 7, None]
    confirm(world, "1", contributors=helped)
    world.wait(AN_HOUR)
    (note,) = world.mail.to(TEAM)
    assert "Kim Ren solved it, together with Bo <b>Jensen</b> (brought a new token) and Billing." in note.text
    assert "<b>Jensen" not in note.html
    (other,) = world.mail.to("billing@acme.example")
    assert "Kim Ren (Web Portal) solved it, together with" in other.text


@pytest.mark.parametrize("notes", ["at_once", "weekly"])
def test_words_that_are_not_only_praise_reach_a_person_and_no_team(world: World, notes: str) -> None:
    gathering(world, notes)
    confirm(world, "1", BLAME)
    world.wait(timedelta(days=8))
    assert not any(BLAME in mail.text for mail in world.mail.to(TEAM))
    (flag,) = [mail for mail in world.mail.to(RAVI) if "something to hear" in mail.subject]
    assert BLAME in flag.text
    assert "Pass the words on to the team" in world.open(flag.link).body
    assert "Pass the words on" not in world.press(flag.link, action="pass_on").body
    assert world.press(flag.link, action="pass_on").status == 200
    told = len([mail for mail in world.mail.to(MIA) if "something to hear" in mail.subject])
    world.wait(timedelta(days=8))
    assert sum(BLAME in mail.text for mail in world.mail.to(TEAM)) == 1
    assert len([mail for mail in world.mail.to(MIA) if "something to hear" in mail.subject]) == told


def test_words_whose_consent_was_withdrawn_cannot_be_passed_on(world: World) -> None:
    link = confirm(world, "1", BLAME)
    world.wait(AN_HOUR)
    (flag,) = [mail for mail in world.mail.to(RAVI) if "something to hear" in mail.subject]
    world.press(link, answer="yes", withdraw="yes")
    assert world.press(flag.link, action="pass_on").status == 409
    world.wait(A_DAY)
    assert not any(BLAME in mail.text for mail in world.mail.to(TEAM))
