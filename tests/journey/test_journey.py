"""What people do, from the helpdesk's webhook to the outcome, in a browser against the deployed stack."""

import time
import urllib.request
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from desk import Desk, wait

TEAM = "tier1@acme.example"
RESPONSIBLE = "mia.okafor@acme.example"
OWNER = "ravi.menon@acme.example"


def answer(phone: Page, link: str, choice: str) -> None:
    """Open the mail's button and press the page's one."""
    phone.goto(f"{link}?a={choice}")
    expect(phone.get_by_role("radio", checked=True)).to_have_value(choice)
    phone.get_by_role("button").click()


def test_yes_with_consented_words_becomes_one_appreciation_note(desk: Desk, phone: Page) -> None:
    assert desk.post(desk.close("car")) == (202, "accepted")
    survey = desk.wait_for_mail(desk.address("car"))
    assert "The car does not start" in survey.text
    answer(phone, survey.link("s"), "yes")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("solved")
    phone.get_by_role("textbox").fill("Kim stayed until it <b>ran</b>.")
    phone.get_by_role("button").click()
    expect(phone.locator("blockquote")).to_contain_text("Kim stayed until it <b>ran</b>.")
    phone.get_by_role("radio", name="Car", exact=True).check()
    phone.get_by_role("checkbox").check()
    phone.get_by_role("button").click()
    note = desk.wait_for_mail(TEAM, desk.ticket("car"))
    assert "Kim stayed until it <b>ran</b>." in note.text
    assert "> Car\n" in note.text
    assert "Kim Ren solved it" in note.text
    for _ in range(3):
        phone.goto(f"{survey.link('s')}?a=yes")
        phone.get_by_role("button").click()
    desk.wait_for_state("car", "confirmed")
    time.sleep(5)
    assert len(desk.mails(TEAM, desk.ticket("car"))) == 1


def test_no_is_flagged_acknowledged_and_settled(desk: Desk, phone: Page) -> None:
    desk.post(desk.close("boat"))
    answer(phone, desk.wait_for_mail(desk.address("boat")).link("s"), "no")
    phone.get_by_role("textbox", name="What outcome would you accept?").fill("A car that starts.")
    phone.get_by_role("textbox", name="What is missing?").fill("It still does not start.")
    phone.get_by_role("button").click()
    flag = desk.wait_for_mail(RESPONSIBLE, desk.ticket("boat"))
    assert flag.subject.startswith("Not solved")
    phone.goto(flag.link("f"))
    expect(phone.locator("main")).to_contain_text("It still does not start.")
    expect(phone.locator("main")).to_contain_text("A car that starts.")
    expect(phone.locator("main")).to_contain_text(desk.address("boat"))
    phone.get_by_role("button", name="I will take care of it").click()
    wait(lambda: "acknowledged_at" in desk.items("boat")["FLAG#0001"], "the acknowledgement")
    phone.get_by_role("textbox", name="What was done?").fill("Called; a new battery is on its way.")
    phone.get_by_role("combobox").select_option("agreed")
    phone.get_by_role("button").last.click()
    settled = desk.items("boat")["FLAG#0001"]
    assert (settled["result"], settled["done"]) == ("agreed", "Called; a new battery is on its way.")
    expect(phone.locator("main")).to_contain_text("Called; a new battery is on its way.")
    assert desk.mails(TEAM, desk.ticket("boat")) == []


def test_a_reply_by_mail_counts_like_a_press_and_an_unclear_one_is_flagged(desk: Desk, phone: Page) -> None:
    for name in ("train", "ferry", "taxi"):
        desk.post(desk.close(name))
    desk.reply(desk.wait_for_mail(desk.address("train")), "Ja, funktioniert wieder. Danke!")
    desk.reply(desk.wait_for_mail(desk.address("ferry")), "No, still broken since Monday.")
    desk.reply(desk.wait_for_mail(desk.address("taxi")), "It works, but the seat is still missing.")
    answer = desk.wait_for_state("train", "confirmed")["answers"][-1]
    assert (answer["solved"], answer["words"]) == (True, "Ja, funktioniert wieder. Danke!")
    desk.wait_for_state("ferry", "denied")
    assert "> No, still broken since Monday." in desk.wait_for_mail(RESPONSIBLE, desk.ticket("ferry")).text
    flag = desk.wait_for_mail(RESPONSIBLE, desk.ticket("taxi"))
    assert flag.subject.startswith("A reply to read")
    phone.goto(flag.link("f"))
    expect(phone.locator("blockquote")).to_have_text("It works, but the seat is still missing.")
    assert desk.wait_for_state("taxi", "asked")["replies"][0]["words"]


def test_silence_gets_one_reminder_with_the_same_link_and_then_a_flag(desk: Desk, phone: Page) -> None:
    desk.post(desk.close("bike"))
    asked = time.monotonic()
    survey = desk.wait_for_mail(desk.address("bike"))
    reminder = desk.wait_for_mail(desk.address("bike"), number=2)
    assert reminder.subject.startswith("Reminder")
    assert reminder.link("s") == survey.link("s")
    desk.wait_for_state("bike", "silent")
    assert desk.wait_for_mail(RESPONSIBLE, desk.ticket("bike")).subject.startswith("No answer")
    assert time.monotonic() - asked > 30
    assert len(desk.mails(desk.address("bike"))) == 2
    answer(phone, survey.link("s"), "yes")
    desk.wait_for_state("bike", "confirmed")
    wait(lambda: desk.items("bike")["FLAG#0001"].get("result") == "confirmed", "the flag to be taken back")


def test_reopened_before_the_ask_is_not_asked_and_the_next_closing_is_a_new_follow_up(desk: Desk) -> None:
    desk.post(desk.close("tram"))
    assert desk.post(desk.reopen("tram")) == (202, "reopened")
    desk.wait_for_state("tram", "reopened")
    time.sleep(6)
    assert desk.mails(desk.address("tram")) == []
    assert desk.post(desk.close("tram")) == (202, "accepted")
    assert desk.wait_for_state("tram", "asked", number=2)["number"] == 2
    assert len(desk.mails(desk.address("tram"))) == 1


def test_duplicate_webhooks_change_nothing_and_forged_ones_are_refused(desk: Desk) -> None:
    body = desk.close("plane")
    assert desk.post(body) == (202, "accepted")
    assert [desk.post(body) for _ in range(3)] == [(202, "duplicate")] * 3
    forged = desk.post(desk.close("rocket"), key="whsec_" + "A" * 44)
    assert forged == (401, "unauthorized")
    desk.wait_for_mail(desk.address("plane"))
    time.sleep(5)
    assert len(desk.mails(desk.address("plane"))) == 1
    assert desk.items("rocket") == {}


def test_repeated_cause_is_told_at_once_then_digested_and_acknowledged(desk: Desk, phone: Page) -> None:
    before = len(desk.mails(OWNER, "portal"))
    for name in ("key", "lock", "door"):
        desk.post(desk.close(name, root_cause="portal-login"))
    answer(phone, desk.wait_for_mail(desk.address("key")).link("s"), "no")
    phone.get_by_role("textbox", name="What is missing?").fill("The portal forgets my key.")
    phone.get_by_role("button").click()
    wait(lambda: len(desk.mails(OWNER, "portal")) > before, "the notice to the owner")
    digest = desk.wait_for_mail(OWNER, "The portal forgets my key.")
    assert "Customers could not sign in to the portal" in digest.html
    assert "<svg" not in digest.html
    phone.goto(digest.link("c"))
    form = phone.locator("form").filter(has=phone.locator("input[value='portal-login']"))
    by = (datetime.now(UTC) + timedelta(days=14)).date().isoformat()
    form.locator("input[type=date]").fill(by)
    form.get_by_role("button").click()
    form = phone.locator("form").filter(has=phone.locator("input[value='portal-login']"))
    expect(form.locator("input[type=date]")).to_have_value(by)


def test_undeliverable_address_is_flagged(desk: Desk) -> None:
    address = f"suppressionlist+{desk.run}@simulator.amazonses.com"
    desk.post(desk.close("ship", requester={"name": "Nobody", "email": address}))
    follow_up = desk.wait_for_state("ship", "not_asked")
    assert follow_up["reason"] == "bounced"
    flag = desk.wait_for_mail(RESPONSIBLE, desk.ticket("ship"))
    assert flag.subject.startswith("Could not be delivered")


def test_opening_links_changes_nothing(desk: Desk) -> None:
    desk.post(desk.close("cart"))
    survey = desk.wait_for_mail(desk.address("cart"))
    desk.wait_for_state("cart", "asked")
    wait(lambda: "delivered_at" in desk.items("cart")["FOLLOW_UP#0001"]["survey"], "the delivery")
    before = desk.items("cart")
    for choice in ("yes", "no"):
        for method in ("GET", "HEAD"):
            request = urllib.request.Request(f"{survey.link('s')}?a={choice}", method=method)
            with urllib.request.urlopen(request) as shown:
                assert shown.status == 200
    assert desk.items("cart") == before


def test_pages_fit_a_phone_and_need_no_script(desk: Desk, phone: Page) -> None:
    desk.post(desk.close("sled"))
    phone.goto(desk.wait_for_mail(desk.address("sled")).link("s"))
    assert phone.locator("script").count() == 0
    width = phone.locator("html").bounding_box()
    assert width is not None
    assert width["width"] <= 320


def test_a_customer_who_stops_is_asked_no_more_and_may_come_back(desk: Desk, phone: Page) -> None:
    ana = {"name": "Ana Beispiel", "email": desk.address("ana")}
    desk.post(desk.close("ship", requester=ana))
    preferences = desk.wait_for_mail(desk.address("ana")).link("u")
    phone.goto(f"{preferences}?surveys=none")
    expect(phone.get_by_role("radio", checked=True)).to_have_value("none")
    phone.get_by_role("button").click()
    expect(phone.get_by_role("status")).to_contain_text("Saved")
    desk.post(desk.close("raft", requester=ana))
    assert desk.wait_for_state("raft", "not_asked")["reason"] == "opted_out"
    assert desk.mails(desk.address("ana"), desk.ticket("raft")) == []
    phone.get_by_role("radio").first.check()
    phone.get_by_role("button").click()
    expect(phone.get_by_role("radio", checked=True)).to_have_value("all")
    desk.post(desk.close("ferry", requester=ana))
    desk.wait_for_mail(desk.address("ana"), desk.ticket("ferry"))
    one_click = urllib.request.Request(
        preferences, b"List-Unsubscribe=One-Click", {"content-type": "application/x-www-form-urlencoded"}
    )
    with urllib.request.urlopen(one_click) as answered:
        assert answered.status == 200
    desk.post(desk.close("canoe", requester=ana))
    assert desk.wait_for_state("canoe", "not_asked")["reason"] == "opted_out"


def test_a_machine_that_opens_and_submits_everything_changes_nothing(desk: Desk, phone: Page) -> None:
    """It touches what people never see; afterwards the customer is heard as if nothing had been."""
    desk.post(desk.close("kite"))
    link = desk.wait_for_mail(desk.address("kite")).link("s")
    desk.wait_for_state("kite", "asked")
    for choice in ("yes", "no", "website"):
        phone.goto(f"{link}?a={choice}")
        phone.locator("[name=website]").wait_for(state="attached")
        with phone.expect_navigation():
            phone.evaluate("""() => {
                document.querySelector('[name=website]').value = 'https://example.com'
                document.querySelector('[name=answer]').checked = true
                document.forms[0].submit()
            }""")
    assert desk.items("kite")["FOLLOW_UP#0001"]["state"] == "asked"
    assert "answers" not in desk.items("kite")["FOLLOW_UP#0001"]
    assert {rule for seen in desk.items("kite")["FOLLOW_UP#0001"]["suspects"] for rule in seen["rules"]} == {
        "hidden_field",
        "hidden_link",
    }
    answer(phone, link, "no")
    desk.wait_for_state("kite", "denied")


def fixed(desk: Desk, phone: Page, cause: str, owner: str, customers: tuple[str, str]) -> str:
    """Three tickets of two customers, and their owner's way to a fix that both are told of; the link of the page."""
    first, second = customers
    # Only mails about this cause link to its page; a digest may say as well that something keeps coming back.
    before = len(desk.mails(owner, f"/{cause}"))
    for ticket, who in ((f"{first}1", first), (f"{first}2", first), (f"{second}1", second)):
        requester = {"name": who.title(), "email": desk.address(who)}
        assert desk.post(desk.close(ticket, root_cause=cause, requester=requester)) == (202, "accepted")
    notice = desk.wait_for_mail(owner, f"/{cause}", number=before + 1)
    assert "keeps coming back" in notice.subject
    link = notice.link("c")
    phone.goto(link)
    form = phone.locator("form").filter(has=phone.locator("input[value=acknowledge]"))
    form.locator("input[type=date]").fill((datetime.now(UTC) + timedelta(days=14)).date().isoformat())
    form.get_by_role("textbox", name="What is being done").fill("A new supplier is being tried.")
    form.get_by_role("button").click()
    expect(phone.locator("main")).to_contain_text("A new supplier is being tried.")
    form = phone.locator("form").filter(has=phone.locator("input[value=declare]"))
    form.get_by_role("textbox", name="What was wrong").fill("A seal <b>leaked</b>.")
    form.get_by_role("textbox", name="What was changed").fill("It has a new seal.")
    form.get_by_role("button").click()
    expect(phone.locator("main")).to_contain_text("2 people get one mail each")
    expect(phone.locator("main")).to_contain_text("A seal <b>leaked</b>.")
    for who in customers:
        assert desk.mails(desk.address(who), "It has a new seal.") == []
    phone.get_by_role("button", name="Send it to 2 people").click()
    expect(phone.locator("main")).to_contain_text("2 people when it was confirmed")
    for who in customers:
        mail = desk.wait_for_mail(desk.address(who), "It has a new seal.")
        assert mail.subject == "We removed the cause of your problem"
    return link


def say_whether_gone(desk: Desk, phone: Page, who: str, choice: str, words: str) -> None:
    """Open the button of the mail about the fix and press the page's one."""
    question = desk.wait_for_mail(desk.address(who), "It has a new seal.").link("g")
    phone.goto(f"{question}?a={choice}")
    expect(phone.get_by_role("radio", checked=True)).to_have_value(choice)
    phone.get_by_role("textbox").fill(words)
    phone.get_by_role("button").click()
    expect(phone.get_by_role("status")).to_contain_text("recorded")


def test_a_fix_is_told_once_to_everybody_and_holds_when_they_say_that_it_is_gone(
    desk: Desk, phone: Page
) -> None:
    people = ("oboe", "harp")
    link = fixed(desk, phone, "config_error", OWNER, people)
    for who in people:
        say_whether_gone(desk, phone, who, "yes", "")
    told = desk.wait_for_mail(OWNER, "Your fix holds")
    assert "2 of the customers who were asked say that it is gone" in told.text
    phone.goto(link)
    expect(phone.locator("main")).to_contain_text("It holds.")
    expect(phone.locator("main")).to_contain_text("2 people told")
    for who in people:
        assert len(desk.mails(desk.address(who), "It has a new seal.")) == 1


def test_a_fix_that_customers_contradict_opens_its_cause_again_and_they_hear_of_it(
    desk: Desk, phone: Page
) -> None:
    people = ("drum", "tuba")
    link = fixed(desk, phone, "appointment-missed", RESPONSIBLE, people)
    for who in people:
        say_whether_gone(desk, phone, who, "no", f"The {who} still leaks.")
    told = desk.wait_for_mail(RESPONSIBLE, "It is not gone")
    assert "> The drum still leaks." in told.text
    for who in people:
        assert "You were right" in desk.wait_for_mail(desk.address(who), "we are on it again").text
    phone.goto(link)
    expect(phone.locator("main")).to_contain_text("the cause is open again")
    expect(phone.locator("main")).to_contain_text("Still has it:")
    expect(phone.get_by_role("button", name="Acknowledge")).to_be_visible()


def test_a_press_that_looked_like_a_machines_is_counted_by_a_person(desk: Desk, phone: Page) -> None:
    """Two customers press in a way that only machines do, and say no more."""
    for name in ("moped", "scooter"):
        desk.post(desk.close(name))
    for name in ("moped", "scooter"):
        phone.goto(desk.wait_for_mail(desk.address(name)).link("s") + "?a=yes")
        with phone.expect_navigation():
            phone.evaluate("""() => {
                document.querySelector('[name=website]').value = 'https://example.com'
                document.forms[0].submit()
            }""")
        expect(phone.get_by_role("status")).to_contain_text("Please press once more")
    for name in ("moped", "scooter"):
        flag = desk.wait_for_mail(RESPONSIBLE, desk.ticket(name))
        assert flag.subject.startswith("No answer")
        assert "it filled in a field that people do not see" in flag.text
        phone.goto(flag.link("f"))
        expect(phone.locator("main")).to_contain_text("it filled in a field that people do not see")
        if name == "moped":
            phone.get_by_role("checkbox").check()
            phone.get_by_role("button", name="Count this answer").click()
            expect(phone.locator("main")).to_contain_text("Counted as the customer’s answer, says Mia Okafor")
        else:
            phone.get_by_role("button", name="It was a machine").click()
            expect(phone.locator("main")).to_contain_text("It was a machine, says Mia Okafor")
    counted = desk.wait_for_state("moped", "confirmed")
    assert [seen["decided_by"] for seen in counted["suspects"]] == ["mia"]
    wait(lambda: desk.items("moped")["FLAG#0001"].get("result") == "confirmed", "the flag to be taken back")
    assert "The moped does not start" in desk.wait_for_mail(TEAM, desk.ticket("moped")).text
    dismissed = desk.items("scooter")
    assert dismissed["FOLLOW_UP#0001"]["state"] == "silent"
    assert "answers" not in dismissed["FOLLOW_UP#0001"]
    assert "settled_at" not in dismissed["FLAG#0001"]
