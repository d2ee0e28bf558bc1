"""A helpdesk that only hints, on the deployed stack: asked for the rest, told the outcome, asked what was closed."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from desk import Desk, wait
from helpdesk_stand_in import Case, standing_in
from helpdesk_stand_in import Desk as Helpdesk
from outside import open_page, report, sign
from place import ROOT, client, record
from up import apply, read_outputs

KINDS = ("zendesk", "freshdesk", "jira", "intercom", "hubspot", "helpscout", "zammad", "chatwoot")


def missed(desk: Desk, kind: str) -> str:
    """The ticket of which no webhook told."""
    number = str(int(desk.run, 16) + 1)
    return f"SUP-{number}" if kind == "jira" else number


@pytest.fixture(scope="module")
def helpdesks(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Helpdesk]]:
    """Eight sources of the stack have an API: a stand-in for each, with one closing that no webhook told."""
    usual = ROOT / "infra/local.yaml"
    with ExitStack() as running:
        found = {kind: running.enter_context(standing_in(kind)) for kind in KINDS}
        changed = yaml.safe_load(usual.read_text("utf-8"))
        closed_at = datetime.now(UTC) - timedelta(hours=2)
        for kind, helpdesk in found.items():
            helpdesk.add(Case(id=missed(desk, kind), closed_at=closed_at, email=desk.address(f"of-{kind}")))
            source = changed["sources"].setdefault(kind, {"preset": kind, "secret": "zendesk"})
            source["api"] = {"url": helpdesk.url, "secret": kind, "values": helpdesk.values}
            source["write_back"] = {"mode": "on"}
        # What YAML writes for "on" is a text here.
        file = tmp_path_factory.mktemp("settings") / "with-api.yaml"
        file.write_text(yaml.safe_dump(changed), "utf-8")
        outputs = read_outputs(desk.stack.aws_endpoint)
        tokens = {kind: [helpdesk.secret] for kind, helpdesk in found.items()}
        client("secretsmanager", desk.stack.aws_endpoint).put_secret_value(
            SecretId=outputs["ApiSecretsArn"], SecretString=json.dumps(tokens)
        )
        apply(file, desk.stack.aws_endpoint, desk.stack.table, desk.stack.api)
        time.sleep(31)  # so long functions follow the settings they have
        yield found
    apply(usual, desk.stack.aws_endpoint, desk.stack.table, desk.stack.api)
    time.sleep(31)


def reconcile(desk: Desk) -> None:
    """Ask all helpdesks what they closed, as the schedule does every ten minutes; once a day that begins a pass."""
    function = read_outputs(desk.stack.aws_endpoint)["ReconcileTicketsFunctionName"]
    answer = client("lambda", desk.stack.aws_endpoint).invoke(FunctionName=function, Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert "errorMessage" not in told, told


def follow_up(desk: Desk, ticket: str, source: str = "zendesk") -> dict[str, Any]:
    """The first follow-up of a ticket as it is stored; empty when there is none."""
    found = client("dynamodb", desk.stack.aws_endpoint).get_item(
        TableName=desk.stack.table,
        Key={"pk": {"S": f"TICKET#{source}#{ticket}"}, "sk": {"S": "FOLLOW_UP#0001"}},
        ConsistentRead=True,
    )
    return dict(record(found["Item"])) if "Item" in found else {}


def test_a_hint_is_completed_asked_about_and_its_no_is_told_to_the_helpdesk(
    desk: Desk, helpdesks: dict[str, Helpdesk]
) -> None:
    zendesk, now = helpdesks["zendesk"], datetime.now(UTC)
    customer, ticket = desk.address("of-zendesk"), str(int(desk.run, 16))
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
    survey = desk.wait_for_mail(customer, ticket)
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

    time.sleep(5)
    assert follow_up(desk, ticket)["state"] == "denied"
    assert len(case.notes) == 1


def test_what_no_webhook_told_is_found_asked_about_and_answered_to_each_of_eight_helpdesks(
    desk: Desk, helpdesks: dict[str, Helpdesk]
) -> None:
    cases = {kind: helpdesk.cases[missed(desk, kind)] for kind, helpdesk in helpdesks.items()}
    reconcile(desk)
    for kind, case in cases.items():
        # Zendesk's customer was asked about another ticket as well.
        about = case.id if kind == "zendesk" else ""
        survey = desk.wait_for_mail(desk.address(f"of-{kind}"), about)
        stored = follow_up(desk, case.id, kind)
        assert stored["closure"]["found_by"] == "reconciliation", kind
        assert (stored["closure"]["requester_name"], stored["cause"]) == ("Ana Beispiel", "portal-login"), (
            kind
        )
        open_page(survey.link("s")).press({"answer": "no"}).press({"words": f"It is still cold, {kind}."})
    for kind, case in cases.items():
        wait(lambda case=case: case.status == "open" and len(case.notes) == 1, f"what {kind} is told")  # type: ignore[misc]
        assert f"It is still cold, {kind}." in case.notes[0]
    reconcile(desk)
    time.sleep(5)
    assert all(len(case.notes) == 1 for case in cases.values())
    assert all(follow_up(desk, case.id, kind)["state"] == "denied" for kind, case in cases.items())
