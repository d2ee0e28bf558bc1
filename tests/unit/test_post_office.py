"""The local stand-in for SES reports what SES would, under the tag that our sender uses."""

import json
from datetime import UTC, datetime

import pytest

import post_office
from adapters.mailer import read_tag

MAIL = post_office.Mail(
    id="0101-abc@email.amazonses.com",
    sender="followthrough@acme.example",
    to=("jane@customer.example",),
    subject="Is ticket 7 really solved?",
    text="Yes: https://acme.example/s/x?a=yes",
    html="<p>Hello</p>",
    sent_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("jane@customer.example", ["Delivery"]),
        ("bounce@customer.example", ["Delivery"]),
        ("success+1@simulator.amazonses.com", ["Delivery"]),
        ("bounce@simulator.amazonses.com", ["Bounce"]),
        ("Bounce+Ticket-7@Simulator.AmazonSES.com", ["Bounce"]),
        ("suppressionlist@simulator.amazonses.com", ["Bounce"]),
        ("complaint+7@simulator.amazonses.com", ["Delivery", "Complaint"]),
    ],
)
def test_the_address_decides_what_is_reported(address: str, expected: list[str]) -> None:
    mail = post_office.Mail(**{**vars(MAIL), "to": (address,)})
    reported = list(post_office.events(mail, "tag"))
    assert [event["eventType"] for event in reported] == ["Send", *expected]
    for event in reported:
        assert event["mail"]["tags"] == {"message": ["tag"]}
        assert event["mail"]["messageId"] == mail.id
        assert event["eventType"].lower() in event
    assert json.dumps(reported)


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"survey": {"provider_id": MAIL.id}, "reminder": None}, "survey"),
        ({"survey": {"provider_id": "other"}, "reminder": {"provider_id": MAIL.id}}, "reminder"),
        ({"delivery": {"provider_id": MAIL.id}}, "message"),
    ],
)
def test_the_record_that_knows_the_mail_gives_its_tag(body: dict[str, object], part: str) -> None:
    item = {"pk": {"S": "TICKET#acme#7"}, "sk": {"S": "FOLLOW_UP#0001"}, "body": {"S": json.dumps(body)}}
    stranger = {"pk": {"S": "x"}, "sk": {"S": "y"}, "body": {"S": '{"survey": {"provider_id": "other"}}'}}
    tag = post_office.find_tag([stranger, item], MAIL.id)
    assert tag is not None
    assert read_tag(tag) == ("TICKET#acme#7", "FOLLOW_UP#0001", part)
    assert post_office.find_tag([stranger], MAIL.id) is None


def test_the_mailbox_shows_what_was_sent_as_text() -> None:
    hostile = '"><script>alert(1)</script>'
    mail = post_office.Mail(**{**vars(MAIL), "subject": hostile, "to": (hostile,), "text": hostile})
    for page in (
        post_office.LIST.render(title="Mails", mails=[mail]),
        post_office.MAIL.render(title=mail.subject, mail=mail),
    ):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
