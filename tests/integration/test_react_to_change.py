"""The table's stream: consequences exactly once, however often and in whatever pieces the records come."""

import json

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import PutError

from adapters import causes, table, tickets
from builders import A_DAY, A_MINUTE, AN_HOUR, CUSTOMER, HANNE, RAVI, START, TEAM, closed, customer, sample
from domain.closure import Reopen
from world import World, refusal


def about(world: World, to: str, words: str) -> int:
    """How many mails with these words in the subject somebody got."""
    return sum(words in mail.subject for mail in world.mail.to(to))


def consequences(world: World) -> list[str]:
    """What follows from follow-ups, as it is stored."""
    return [item for item in world.scan() if '"kind": {"S": "follow_up"}' not in item]


def test_the_sample_event_leaves_a_mark_of_the_cause(world: World) -> None:
    world.now = START
    assert world.invoke("react_to_change", sample("react_to_change")) == {"batchItemFailures": []}
    (mark,) = causes.marks("portal-login", START - A_DAY, START + A_DAY)
    assert (mark.ticket_id, mark.number) == ("4711", 1)


def test_a_yes_makes_one_note_after_half_an_hour(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes")
    world.wait(29 * A_MINUTE)
    assert world.mail.to(TEAM) == []
    world.wait(2 * A_MINUTE)
    (note,) = world.mail.to(TEAM)
    assert note.subject == "Confirmed as solved: ticket 4711"
    world.wait(5 * A_DAY)
    assert len(world.mail.to(TEAM)) == 1
    assert about(world, RAVI, "4711") == 0


def test_m19_however_often_the_answer_changes_there_is_one_note(world: World) -> None:
    link = world.asked()
    for answer in ("yes", "no", "yes", "yes", "no", "yes"):
        world.press(link, answer=answer)
        world.settle()
    world.wait(AN_HOUR)
    assert len(world.mail.to(TEAM)) == 1
    for answer in ("no", "yes", "no", "yes"):
        world.press(link, answer=answer)
        world.wait(AN_HOUR)
    assert len(world.mail.to(TEAM)) == 1


def test_m19_a_no_before_the_note_is_sent_stops_it(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes")
    world.wait(10 * A_MINUTE)
    world.press(link, answer="no")
    world.wait(A_DAY / 2)
    assert world.mail.to(TEAM) == []
    assert about(world, RAVI, "Not solved: ticket 4711") == 1


def test_m19_records_that_come_again_make_no_second_note_or_flag(world: World) -> None:
    confirmed, denied = world.asked("1"), world.survey_link("2")
    world.hook(closed("2", requester=customer("bob@customer.example")))
    world.press(confirmed, answer="yes", words="Kim was kind.", consent="yes")
    world.press(denied, answer="no")
    world.wait(AN_HOUR)
    before, mails = consequences(world), len(world.mail.sent)
    pattern = sample("react_to_change")["Records"][0]
    records = [
        {**pattern, **record, "dynamodb": {**record["dynamodb"], "SequenceNumber": str(number)}}
        for number, record in enumerate(world.past_changes)
    ]
    assert records
    for again in (records, records[::-1]):
        world.invoke("react_to_change", {"Records": again})
        world.settle()
    assert len(world.mail.sent) == mails
    assert consequences(world) == before


def test_a_repeated_cause_is_told_exactly_once(world: World) -> None:
    for number, address in enumerate(
        ["a@c.example", "a@c.example", "b@c.example", "c@c.example", "d@c.example"]
    ):
        world.hook(closed(str(number), world.now, requester=customer(address)))
        world.settle()
        assert about(world, RAVI, "keeps coming back") == (number >= 2)
        world.wait(AN_HOUR)
    state = causes.load("portal-login")
    assert (state.tickets, state.customers, state.notices) == (3, 2, 1)
    world.wait(A_DAY / 2)
    assert about(world, RAVI, "keeps coming back") == 1


def test_a_cause_of_one_customer_is_not_repeated(world: World) -> None:
    for number in range(4):
        world.hook(closed(str(number), requester=customer("A@c.example" if number % 2 else "a@c.example")))
    world.settle()
    assert causes.load("portal-login").repeated_at is None


def test_an_unacknowledged_cause_goes_to_the_manager_after_seven_days(world: World) -> None:
    for number in range(3):
        world.hook(closed(str(number), requester=customer(f"c{number}@c.example")))
    world.wait(8 * A_DAY)
    (notice,) = [mail for mail in world.mail.to(HANNE) if "keeps coming back" in mail.subject]
    assert notice.at == START + 7 * A_DAY
    assert "Ravi Menon did not get to this in time" in notice.text


@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems", "Query", "SendMessageBatch"])
@pytest.mark.parametrize("after", [False, True])
def test_a_reaction_cut_off_anywhere_is_completed_and_not_doubled(
    world: World, operation: str, after: bool
) -> None:
    link = world.asked()
    for number in range(2):
        world.hook(closed(str(number), requester=customer(f"c{number}@c.example")))
    world.press(link, answer="no", words="Not at all.")
    slow = ReadTimeoutError(endpoint_url="https://dynamodb")
    world.fail(operation, slow if after else refusal("InternalServerError", 500, operation), after=after)
    world.settle()
    world.failed.clear()
    world.wait(AN_HOUR)
    assert about(world, RAVI, "Not solved: ticket 4711") == 1
    assert about(world, RAVI, "keeps coming back") == 1
    assert len(list(causes.marks("portal-login", START, world.now))) == 3
    world.failed.clear()


def test_a_write_without_an_answer_says_so_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """PynamoDB looks for the answer's code in what had no answer: then nobody would know what went wrong."""

    def slow(*_: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(table.connection(), "_make_api_call", slow)
    for put in (table.put, table.put_missing):
        with pytest.raises(PutError, match="Read timeout"):
            put(table.Row("a", "b", kind="c", version=1, body="{}"))


def test_a_record_that_fails_holds_back_nothing_before_it(world: World) -> None:
    event = sample("react_to_change")
    good, bad = event["Records"][0], json.loads(json.dumps(event["Records"][0]))
    bad["dynamodb"] |= {"SequenceNumber": "112"}
    bad["dynamodb"]["NewImage"]["body"]["S"] = "{"
    result = world.invoke("react_to_change", {"Records": [good, bad]})
    assert result == {"batchItemFailures": [{"itemIdentifier": "112"}]}
    assert len(list(causes.marks("portal-login", START - A_DAY, START + A_DAY))) == 1


def test_only_kinds_with_consequences_come_back_from_the_table(world: World) -> None:
    world.press(world.asked(), answer="yes")
    world.settle()
    kinds = {item["kind"]["S"] for item in world.items.values()}
    assert {"mark", "person", "settings"} <= kinds
    before = world.invocations.count("react_to_change")
    tickets.add_reopen(Reopen(source="acme", ticket_id="1", reopened_at=START), A_DAY)
    world.settle()
    assert world.invocations.count("react_to_change") == before
    assert world.mail.to(CUSTOMER)
