"""Logs and metrics never hold what somebody wrote, an address, a name or a link. Rows N6 and V4 of the faults."""

import pytest
from botocore.exceptions import ReadTimeoutError

from adapters import settings_store, table
from builders import A_DAY, closed, customer, reopened
from world import LINK_KEY, World


@pytest.fixture
def canaries() -> dict[str, str]:
    """Words that stand nowhere else."""
    names = ("address", "name", "subject", "resolver", "promise", "words", "done", "note", "cause", "team")
    return {name: f"zq{name}canary" for name in names}


def test_n6_no_log_line_or_metric_holds_what_somebody_wrote(
    world: World,
    canaries: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    who = customer(f"{canaries['address']}@customer.example") | {"name": canaries["name"]}
    ticket = {
        "subject": canaries["subject"],
        "requester": who,
        "assignee": {"name": canaries["resolver"], "email": f"{canaries['resolver']}@acme.example"},
        "promise": canaries["promise"],
    }
    link = world.asked("1", **ticket)
    world.hook(b'{"type": "ticket.solved", "data": {"id": "' + canaries["subject"].encode() + b'"')
    world.asked(
        "2",
        **ticket
        | {"requester": customer("b@c.example"), "group": canaries["team"], "root_cause": canaries["cause"]},
    )
    for operation in ("GetItem", "Query", "PutItem", "TransactWriteItems", "GetSecretValue"):
        for answer in ("yes", "no"):
            settings_store.forget()
            world.fail(operation, ReadTimeoutError(endpoint_url="https://dynamodb"))
            world.press(link, answer=answer, words=f"{canaries['words']} {operation}", consent="yes")
            world.open(f"{link}?a=yes")
            world.faults.clear()
    world.settle()
    for plan in ("rejected", "throttled", "broken", "timeout before it was accepted"):
        world.mail.plan = [plan]
        world.hook(closed(f"{plan[:5]}", world.now, **ticket))
        world.press(world.survey_link(plan[:5]), answer="no", words=f"{canaries['words']} {plan}")
        world.settle()
    flag = next(mail.link for mail in world.mail.sent if "Not solved" in mail.subject)
    world.press(flag, action="update", words=canaries["words"])
    world.press(flag, action="agree", words=canaries["promise"], until="2026-12-24")
    world.press(flag, action="ask_team")
    world.settle()
    for team in [mail.link for mail in world.mail.sent if "How do you see it" in mail.subject]:
        world.press(team, words=canaries["words"])
    world.press(flag, action="settle", done=canaries["done"])
    world.press(flag, action="settle", result="solved", done=canaries["done"])
    for kind in ("Bounce", "Complaint"):
        world.mail.report(world.mail.sent[0], kind, world.now)
    world.hook(reopened("2", world.now))
    for wrong in (f"/s/{canaries['words']}", f"/f/{canaries['words']}", f"/hooks/{canaries['team']}"):
        world.open(wrong)
        world.press(wrong, answer="yes", words=canaries["words"])
    world.wait(2 * A_DAY)
    bad = dict(next(item for key, item in world.items.items() if key == ("TICKET#acme#1", "FOLLOW_UP#0001")))
    said = table.unpack(bad["body"]["S"]).replace(b'"number":1', b'"number":"x"')
    bad["body"] = {"S": table.pack(said)}
    pattern = {"eventName": "INSERT", "dynamodb": {"Keys": {}, "NewImage": bad, "SequenceNumber": "1"}}
    with pytest.raises(Exception, match="All records failed") as failed:
        world.invoke("react_to_change", {"Records": [pattern]})

    written = world.log.getvalue() + "".join(capsys.readouterr()) + caplog.text + str(failed.value)
    assert "sent or not: unknown" in written
    assert "could not be taken in" in written
    assert [name for name, canary in canaries.items() if canary in written] == []
    tokens = [
        mail.link.rpartition("/")[2] for mail in world.mail.sent if "/s/" in mail.text or "/f/" in mail.text
    ]
    assert [token for token in tokens if token in written or token.rpartition(".")[2] in written] == []
    assert LINK_KEY not in written
    assert "@" not in "".join(line for line in world.log.getvalue().splitlines() if '"exception"' not in line)
    world.failed.clear()
