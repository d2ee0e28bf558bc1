"""From a "no" to a customer who is content after all, in a browser against the deployed stack."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from desk import Desk, wait

TEAM = "tier1@acme.example"
RESPONSIBLE = "mia.okafor@acme.example"


def test_a_no_is_worked_on_promised_kept_asked_again_and_recovered(desk: Desk, phone: Page) -> None:
    customer, ticket = desk.address("sauna"), desk.ticket("sauna")
    main = phone.locator("main")

    desk.post(desk.close("sauna", root_cause="appointment-missed"))
    phone.goto(f"{desk.wait_for_mail(customer).link('s')}?a=no")
    phone.get_by_role("button").click()
    expect(main).to_contain_text("Mia Okafor has it on the list now and looks after it by")
    phone.get_by_role("textbox", name="What outcome would you accept?").fill("A warm evening by Friday.")
    phone.get_by_role("textbox", name="What is missing?").fill("Nobody came.")
    phone.get_by_role("button").click()

    flag = desk.wait_for_mail(RESPONSIBLE, ticket).link("f")
    phone.goto(flag)
    expect(main).to_contain_text("A warm evening by Friday.")
    phone.get_by_role("button", name="I will take care of it").click()
    expect(main).to_contain_text("In the hands of Mia Okafor")
    phone.get_by_role("button", name="Ask Tier 1 how they see it").click()
    expect(main).to_contain_text("Tier 1 was asked how they see it")

    phone.goto(desk.wait_for_mail(TEAM, ticket).link("v"))
    expect(main).to_contain_text("Nobody came.")
    phone.get_by_role("textbox").fill("The technician stood before the wrong house.")
    phone.get_by_role("button").click()
    expect(phone.get_by_role("status")).to_contain_text("Mia Okafor has your words now")
    given = desk.wait_for_mail(RESPONSIBLE, "The technician stood before the wrong house.")
    assert given.subject.startswith("The team’s version")

    phone.goto(given.link("f"))
    expect(main).to_contain_text("The technician stood before the wrong house.")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    phone.get_by_role("textbox", name="What did you agree?").fill("A new visit tomorrow.")
    phone.get_by_label("Until when?").fill(tomorrow)
    phone.get_by_role("button", name="Keep it as a promise").click()
    expect(main).to_contain_text("by Mia Okafor.")

    phone.get_by_role("textbox", name="Your words").fill("I booked the visit myself.")
    phone.get_by_role("button", name="Send it to the customer").click()
    expect(main).to_contain_text("I booked the visit myself.")
    news = desk.wait_for_mail(customer, "I booked the visit myself.")
    assert news.subject == f"News about ticket {ticket}"

    phone.get_by_role("combobox").select_option("agreed")
    phone.get_by_role("textbox", name="What was done?").fill("A new visit is agreed.")
    phone.get_by_role("button", name="Settle this flag").click()
    expect(main).to_contain_text("Settled by Mia Okafor")

    phone.get_by_role("textbox", name="Is it kept?").fill("It is warm since ten.")
    phone.get_by_role("button", name="It is kept").click()
    expect(main).to_contain_text("Kept by Mia Okafor")
    assert "It is warm since ten." in desk.wait_for_mail(customer, "We kept our promise").text

    again = desk.wait_for_mail(customer, "solved now?")
    assert "> It is warm since ten." in again.text
    phone.goto(f"{again.link('s')}?a=yes")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Is it solved now?")
    phone.get_by_role("button").click()
    desk.wait_for_state("sauna", "confirmed")
    wait(lambda: len(desk.mails(TEAM, ticket)) == 2, "the note to the team")

    phone.goto(flag)
    expect(main).to_contain_text("the customer says it is solved now.")
    expect(main).to_contain_text("Mia Okafor wrote to the customer")
    figure = main.get_by_text("did not confirm at first")
    expect(figure).to_contain_text("by now that it is solved")
