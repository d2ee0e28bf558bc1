"""`make erase`: what an operator reads, and that nothing of a customer is left."""

import json
import re
from dataclasses import replace

import pytest

import erase as command
from adapters import flags, people, table, tickets
from builders import A_DAY, A_MINUTE, AN_HOUR, RAVI, closed, customer, received, written
from domain.person import Surveys, person_key
from integration.test_act_on_cause import fixed, question
from world import World

ANA = "c1@c.example"
WORDS = "The meter in the cellar still blinks."
KEY = person_key(ANA)


def items() -> dict[tuple[str, str], str]:
    """Everything in the table, as it can be searched."""
    return {(str(row.pk), str(row.sk)): command._said(row) for row in table.Row.scan()}


def about_ana() -> set[tuple[str, str]]:
    """What is hers or names her."""
    found = (ANA, WORDS.casefold(), KEY)
    return {key for key, said in items().items() if any(one in f"{key} {said}" for one in found)}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr("erase.time.sleep", lambda _: None)


@pytest.fixture
def lived(world: World) -> World:
    """Three customers of a cause, told of its fix; one of them has a flag, a promise and replies as well."""
    fixed(world)
    world.press(question(world, ANA), answer="no", words=WORDS)
    world.wait(A_DAY)
    (survey,) = [mail for mail in world.mail.to(ANA) if "really solved" in mail.subject]
    world.press(survey.link, answer="no", words=WORDS)
    world.settle()
    flag = next(mail for mail in world.mail.to(RAVI) if "Not solved" in mail.subject)
    world.press(flag.link, action="update", words="We are looking.")
    world.press(flag.link, action="agree", words="A call.", until=f"{world.now + 4 * A_DAY:%Y-%m-%d}")
    world.receive(written("Could you call me?"), received(survey.reply_to or "", "mail-1", world.now))
    world.settle()
    # The same ticket, closed for somebody else; and another one, which was confirmed and is praised.
    world.hook(closed("1", world.now, requester=customer("other@c.example")))
    world.settle()
    world.wait(AN_HOUR)
    world.hook(closed("77", world.now, requester=customer("C1@c.example")))
    world.hook(json.dumps({"ticket": {"requester": {"email": ANA}}}).encode())
    world.settle()
    world.wait(8 * A_DAY)
    return world


def test_nothing_is_left_of_a_customer_and_everything_of_the_others(
    lived: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = items()
    hers = about_ana()
    assert {key[1].partition("#")[0] for key in hers} >= {"FOLLOW_UP", "SAID", "MESSAGE", "MARK", "PERSON"}
    mails = len(lived.mail.to(ANA))
    assert command.main([ANA.upper(), "--yes"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"Kept of \S+: 2 closings, \d+ items of the table altogether", told)
    assert "acme 1, closed on 2026-11-30: denied, and its flag is open" in told
    assert "A ticket" not in told
    assert about_ana() == {(f"PERSON#{KEY}", "PERSON")}
    assert people.load(ANA).surveys is Surveys.NONE
    assert people.load(ANA).asked == ()
    left = items()
    assert {key for key in before if key not in left} >= hers - {(f"PERSON#{KEY}", "PERSON")}
    others = {key for key in before if "c0@c.example" in before[key] or "other@c.example" in before[key]}
    assert others
    assert all(left[key] == before[key] for key in others)
    assert [known.number for known in tickets.load("acme", "1").ticket.follow_ups] == [2]
    lived.wait(30 * A_DAY)
    assert len(lived.mail.to(ANA)) == mails, "whatever was on its way finds nothing"
    assert command.main([ANA, "--yes"]) == 0
    assert f"Nothing is kept about {ANA}." in capsys.readouterr().out


def test_who_was_erased_is_not_asked_when_the_helpdesk_tells_of_them_again(lived: World) -> None:
    assert command.main([ANA, "--yes"]) == 0
    mails = len(lived.mail.to(ANA))
    lived.hook(closed("78", lived.now, requester=customer(ANA)))
    lived.wait(2 * A_DAY)
    known = tickets.load("acme", "78").follow_up(1)
    assert known
    assert (known.state, known.reason) == ("not_asked", "opted_out")
    assert len(lived.mail.to(ANA)) == mails


def test_what_only_names_the_address_is_told_and_stays(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press(world.asked(), answer="no", words=f"Please ask {ANA} about it.")
    world.hook(closed("77", world.now, requester=customer(ANA)))
    world.settle()
    assert command.main([ANA, "--yes"]) == 0
    assert (
        "Somebody else's, and names the address: TICKET#acme#4711 FOLLOW_UP#0001" in capsys.readouterr().out
    )
    assert tickets.load("acme", "4711").follow_up(1)


def test_nothing_is_erased_without_being_asked_for(
    lived: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = items()
    assert command.main([ANA]) == 1
    assert "say YES=1" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert command.main([ANA]) == 0
    assert "Nothing was erased." in capsys.readouterr().out
    assert command.main(["nobody"]) == 1
    assert '"nobody" is no mail address.' in capsys.readouterr().err
    assert command.main(["stranger@c.example", "--yes"]) == 0
    assert items() == before


def test_what_is_written_meanwhile_is_erased_too(
    lived: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closing comes between the list and the end, an item changes between its reading and its erasing; what read a
    closing before writes a flag when that is gone.
    """
    look, late = command.look, iter([True])
    flag = tickets.load("acme", "1").flags[1]

    def looked(address: str) -> command.Found:
        found = look(address)
        if next(late, False):
            known = tickets.load("acme", "77").follow_up(1)
            assert known
            tickets.save(known)
            lived.hook(closed("79", lived.now + A_MINUTE, requester=customer(ANA)))
        return found

    def slept(_: float) -> None:
        if "1" not in written_late:
            written_late.append("1")
            table.put(flags.row(replace(flag, version=0)))

    written_late: list[str] = []
    monkeypatch.setattr(command, "look", looked)
    monkeypatch.setattr("erase.time.sleep", slept)
    assert command.main([ANA, "--yes"]) == 0
    assert written_late
    assert set(tickets.load("acme", "1").flags) == {2}, "somebody else's"
    capsys.readouterr()
    assert about_ana() == {(f"PERSON#{KEY}", "PERSON")}
