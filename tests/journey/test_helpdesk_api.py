"""A helpdesk that only hints, on the deployed stack: asked for the rest, told the outcome, asked what was closed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from desk import Desk, wait
from helpdesk_stand_in import Case, standing_in
from helpdesk_stand_in import Desk as Helpdesk
from outside import open_page, report, sign
from place import ROOT, client, record
from up import apply, read_outputs


@pytest.fixture
def zendesk(desk: Desk, tmp_path: Path) -> Iterator[Helpdesk]:
    """The source ``zendesk`` of the stack has an API: a stand-in on this machine."""
    usual = ROOT / "infra/local.yaml"
    with standing_in("zendesk") as helpdesk:
        changed = yaml.safe_load(usual.read_text("utf-8"))
        changed["sources"]["zendesk"] |= {
            "api": {"url": helpdesk.url, "secret": "zendesk", "values": helpdesk.values},
            "write_back": {"mode": "on"},
        }
        # What YAML writes for "on" is a text here.
        file = tmp_path / "with-api.yaml"
        file.write_text(yaml.safe_dump(changed), "utf-8")
        outputs = read_outputs(desk.stack.aws_endpoint)
        client("secretsmanager", desk.stack.aws_endpoint).put_secret_value(
            SecretId=outputs["ApiSecretsArn"], SecretString=json.dumps({"zendesk": [helpdesk.secret]})
        )
        apply(file, desk.stack.aws_endpoint, desk.stack.table, desk.stack.api)
        time.sleep(31)  # so long functions follow the settings they have
        yield helpdesk
    apply(usual, desk.stack.aws_endpoint, desk.stack.table, desk.stack.api)
    time.sleep(31)


def follow_up(desk: Desk, ticket: str) -> dict[str, Any]:
    """The first follow-up of a ticket as it is stored; empty when there is none."""
    found = client("dynamodb", desk.stack.aws_endpoint).get_item(
        TableName=desk.stack.table,
        Key={"pk": {"S": f"TICKET#zendesk#{ticket}"}, "sk": {"S": "FOLLOW_UP#0001"}},
        ConsistentRead=True,
    )
    return dict(record(found["Item"])) if "Item" in found else {}


def test_a_hint_is_completed_asked_about_and_its_no_is_told_to_the_helpdesk(
    desk: Desk, zendesk: Helpdesk
) -> None:
    customer, ticket, missed = desk.address("boiler"), str(int(desk.run, 16)), str(int(desk.run, 16) + 1)
    now = datetime.now(UTC)
    case = zendesk.add(Case(id=ticket, closed_at=now, email=customer))
    body = json.dumps(
        {
            "type": "zen:event-type:ticket.status_changed",
            "time": now.isoformat(),
            "event": {"current": "SOLVED", "previous": "OPEN"},
            "detail": {"id": ticket, "subject": "Boiler", "requester_id": "900"},
        }
    ).encode()
    hook = desk.stack.hooks["zendesk"]
    assert report(hook, sign("zendesk", hook.secret, body, now), body) == (202, "waiting")

    # The customer's address was in no webhook.
    survey = desk.wait_for_mail(customer)
    assert follow_up(desk, ticket)["closure"]["requester_name"] == "Ana Beispiel"
    open_page(survey.link("s")).press({"answer": "no"}).press({"words": "It is still cold."})
    wait(lambda: case.status == "open" and len(case.notes) == 1, "the note and the open ticket")
    assert "It is still cold." in case.notes[0]
    assert case.tags == ["followthrough_denied"]

    # Our own reopening comes back as a webhook: the flag stays, and nothing is told twice.
    echo = json.dumps(
        {
            "type": "zen:event-type:ticket.status_changed",
            "time": datetime.now(UTC).isoformat(),
            "event": {"current": "OPEN", "previous": "SOLVED"},
            "detail": {"id": ticket},
        }
    ).encode()
    assert report(hook, sign("zendesk", hook.secret, echo, datetime.now(UTC)), echo) == (202, "reopened")

    # And one that no webhook told.
    zendesk.add(Case(id=missed, closed_at=now - timedelta(hours=2), email=customer))
    function = read_outputs(desk.stack.aws_endpoint)["ReconcileTicketsFunctionName"]
    answer = client("lambda", desk.stack.aws_endpoint).invoke(FunctionName=function, Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert "errorMessage" not in told, told
    wait(lambda: follow_up(desk, missed).get("state") in {"scheduled", "asked"}, "what no webhook told")
    assert follow_up(desk, missed)["closure"]["found_by"] == "reconciliation"

    time.sleep(5)
    assert follow_up(desk, ticket)["state"] == "denied"
    assert len(case.notes) == 1
