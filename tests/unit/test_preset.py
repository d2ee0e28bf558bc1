"""Which presets are taken, and what one says of its helpdesk; all that ship are in test_helpdesks.py."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.closure import Closure, Reopen
from helpdesks import mapping
from helpdesks.mapping import Ignored, Unusable
from helpdesks.preset import PRESETS, BadPreset, Preset, load, shipped
from helpdesks.verify import SecretRule, SignatureRule

NOW = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
CLOSED = datetime(2026, 3, 2, 9, 15, 42, tzinfo=UTC)
CHATWOOT = """
[verify]
kind = "signature"
header = "X-Chatwoot-Signature"
algorithm = "sha256"
encoding = "hex"
prefix = "sha256="
signed = "{timestamp}.{body}"
timestamp_header = "X-Chatwoot-Timestamp"

[body]
root = "object"

[[shapes]]
name = "status"
when = "body.event == 'conversation_status_changed'"
status = "body.status"
time = "body.updated_at"
time_format = "s"

[shapes.statuses]
solved = ["resolved"]
reopened = ["open"]

[shapes.fields]
ticket_id = "body.id"
requester_name = "join(' ', [body.first, body.last])"
"""
"""A helpdesk that does not ship: it needs a file and no code."""


def made(tmp_path: Path, text: str) -> Preset:
    file = tmp_path / "made.toml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def read(preset: Preset, content: object) -> Closure | Reopen | Ignored:
    return mapping.read(preset, {}, json.dumps(content).encode(), NOW, timedelta(days=30), source="acme")


def requester_of(report: Closure | Reopen | Ignored) -> str | None:
    assert isinstance(report, Closure)
    return report.requester_name


def test_every_shipped_preset_loads_once() -> None:
    names = sorted(file.stem for file in PRESETS.glob("*.toml"))
    assert {"standard-webhooks", "zendesk"} < set(names)
    for name in names:
        assert shipped(name) is shipped(name)
        assert shipped(name).name == name


def test_another_helpdesk_is_one_more_file(tmp_path: Path) -> None:
    preset = made(tmp_path, CHATWOOT)
    assert isinstance(preset.verify, SignatureRule)
    body = {
        "event": "conversation_status_changed",
        "status": "resolved",
        "id": 7,
        "updated_at": CLOSED.timestamp(),
    }

    def told(**changes: Any) -> Closure | Reopen | Ignored:
        return read(preset, body | changes)

    assert told() == Closure(source="acme", ticket_id="7", closed_at=CLOSED, kind="solved")
    assert requester_of(told(first="Ana", last="B")) == "Ana B"
    assert told(status="open") == Reopen(source="acme", ticket_id="7", reopened_at=CLOSED)
    assert told(updated_at="1772442942") == told()
    not_seconds: list[object] = [1e300, -1e300, True, "1_772442942", "soon", "١٧٧٢٤٤٢٩٤٢", "1e9", {}]
    for wrong in not_seconds:
        with pytest.raises(Unusable, match="closed_at is not a time with zone"):
            told(updated_at=wrong)


def test_a_condition_that_gives_what_it_found_is_true_when_it_found_something(tmp_path: Path) -> None:
    condition = "when = \"body.changes[?field=='status']\""
    preset = made(
        tmp_path, CHATWOOT.replace("when = \"body.event == 'conversation_status_changed'\"", condition)
    )
    body = {"status": "open", "id": 7, "updated_at": CLOSED.timestamp(), "changes": [{"field": "status"}]}
    assert read(preset, body) == Reopen(source="acme", ticket_id="7", reopened_at=CLOSED)
    with pytest.raises(Unusable, match="matches no shape"):
        read(preset, body | {"changes": []})


def test_a_preset_may_take_a_list_of_one(tmp_path: Path) -> None:
    text = (
        CHATWOOT.replace('root = "object"', 'root = "list"')
        .replace("body.", "body[0].")
        .replace('"s"', '"ms"')
    )
    preset = made(tmp_path, text)
    item = {"event": "conversation_status_changed", "status": "open", "id": "7", "updated_at": 1772442942000}

    assert read(preset, [item]) == Reopen(source="acme", ticket_id="7", reopened_at=CLOSED)
    for content, reason in (
        ([], "exactly one event"),
        ([item, item], "exactly one event"),
        (item, "not a JSON list"),
    ):
        with pytest.raises(Unusable, match=reason):
            read(preset, content)


def test_a_preset_may_compare_a_shared_secret(tmp_path: Path) -> None:
    verify = '[verify]\nkind = "secret"\nheader = "Authorization"\nprefix = "Bearer "\n'
    preset = made(tmp_path, verify + CHATWOOT[CHATWOOT.index("\n[body]") :])
    assert preset.verify == SecretRule(header="Authorization", prefix="Bearer ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "signature"', 'kind = "magic"', "verify.kind is not one of signature, secret"),
        ('algorithm = "sha256"', 'algorithm = "md5"', "verify.algorithm is not one of sha1, sha256"),
        ('algorithm = "sha256"\n', "", "verify.algorithm is missing"),
        ('prefix = "sha256="', "prefix = 7", "verify.prefix is not a text"),
        ('prefix = "sha256="', 'prefiks = "sha256="', "verify.prefiks is not a known key"),
        ("{timestamp}.{body}", "{body}", "verify.signed contradicts the headers"),
        ("{timestamp}.{body}", "{url}{timestamp}{body}", "verify.signed contradicts the headers"),
        ('root = "object"', 'root = "xml"', "body.root is not one of object, list"),
        ('root = "object"', 'root = "object"\nother = 1', "body.other is not a known key"),
        ("[body]", "[bodies]", "body is missing"),
        ("[[shapes]]", "[shapes]", "shapes is not a list of tables"),
        ('name = "status"\n', "", "shapes[0].name is missing"),
        ('status = "body.status"', 'status = "body..status"', "shapes[0].status is not a JMESPath"),
        ('time_format = "s"', 'time_format = "days"', "shapes[0].time_format is not one of iso, utc, s, ms"),
        ('time_format = "s"', 'time_required = "yes"', "shapes[0].time_required is not true or false"),
        ('solved = ["resolved"]', 'solved = "resolved"', "shapes[0].statuses.solved is not a list of texts"),
        ('solved = ["resolved"]', "solved = [1]", "shapes[0].statuses.solved is not a list of texts"),
        (
            'solved = ["resolved"]',
            'solved = ["Open"]',
            "shapes[0].statuses.reopened holds 'open' a second time",
        ),
        ('solved = ["resolved"]', 'spam = ["resolved"]', "shapes[0].statuses.spam is not a known key"),
        ('ticket_id = "body.id"', 'ticket = "body.id"', "shapes[0].fields.ticket_id is missing"),
        ("requester_name", "requester_nam", "shapes[0].fields.requester_nam is not a known key"),
        ("[body]", '[salvage]\nshape = "x"\n[body]', "salvage.shape is not the name of a shape"),
        (
            "[body]",
            '[salvage]\nshape = "status"\nticket_id = "("\n[body]',
            "salvage.ticket_id is not a regular expr",
        ),
        (
            "[body]",
            '[salvage]\nshape = "status"\nticket_id = "7"\n[body]',
            "salvage.ticket_id has not exactly one group",
        ),
        ("[body]", "[languages]\nDeutsch = 1\n[body]", "languages.deutsch is not a text"),
        ("[body]", "[answers]\nsuccess = 410\n[body]", "answers.success is not one of 200, 201, 202, 204"),
        ("[body]", "[answers]\nfailure = 429\n[body]", "answers.failure is not one of 500, 502"),
        ("[body]", '[answers]\ncontent_type = "text/html"\n[body]', "answers.content_type is not one of"),
        ("[body]", '[greeting]\nkind = "shout"\n[body]', "greeting.kind is not one of get, glpi"),
        ("[body]", '[greeting]\nkind = "echo"\n[body]', "greeting.header is missing"),
        ("[body]", '[alternatives]\ntoken = "x"\n[body]', "alternatives.token is not a table"),
        ("[body]", '[alternatives.a]\nkind = "secret"\n[body]', "alternatives.a.kind is not clear"),
        (
            "[body]",
            '[alternatives.a]\nkind = "secret"\nheader = "X-Secret"\n[body]\nheaders = ["x-secret"]',
            "body.headers holds a header with a secret, which must not be kept",
        ),
        ("[body]", '[body]\nheaders = ["x secret"]', "body.headers is not a list of names of headers"),
        ("[body]", '[body]\nformat = "csv"', "body.format is not one of json, form, xml"),
        (
            'root = "object"',
            'format = "form"\n[salvage]\nshape = "status"\nticket_id = "(7)"\nstatus = "(7)"\n',
            "salvage is for bodies of one JSON object",
        ),
        (
            'time_format = "s"',
            'needs_details = 7\ntime_format = "s"',
            "shapes[0].needs_details is not true or false",
        ),
        ("[body]", "[body", "Expected"),
    ],
)
def test_a_wrong_preset_is_refused_with_its_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in CHATWOOT
    with pytest.raises(BadPreset) as caught:
        made(tmp_path, CHATWOOT.replace(old, new))
    assert str(caught.value).startswith("made.toml: ")
    assert message.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    "expression", ["body.list[::0]", "sum(body.list)", "join(`1`, body.list)", "body.a < `{}`"]
)
def test_an_expression_that_fails_is_a_missing_value(tmp_path: Path, expression: str) -> None:
    preset = made(tmp_path, CHATWOOT.replace("join(' ', [body.first, body.last])", expression))
    body = {"event": "conversation_status_changed", "status": "resolved", "id": 7, "list": [1, "a", None]}
    assert requester_of(read(preset, body | {"updated_at": 1772442942})) is None


@pytest.mark.parametrize(
    "name", ["", "../zendesk", "zendesk.toml", "/etc/passwd", "Zendesk", "nothing", "a\x00b"]
)
def test_only_presets_that_ship_can_be_named(name: str) -> None:
    with pytest.raises(BadPreset):
        shipped(name)
