"""Settings in the table: stored by the command, read by Lambdas; and the hook secrets beside them."""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
import yaml
from moto import mock_aws

os.environ.setdefault("TABLE", "followthrough-test")
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

import apply_settings
import set_secret
import settings_file
from adapters import owners, settings_store, table
from domain.errors import Changed
from domain.hours import next_digest
from domain.settings import Settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TABLE = os.environ["TABLE"]
URL = "https://followthrough.acme.example"
ROOT = Path(__file__).parent.parent.parent
LOCAL = ROOT / "infra" / "local.yaml"
SECRET_ID = "followthrough-hooks"


def table_of_the_template() -> dict[str, Any]:
    """What the template says about keys, index and billing of the table."""
    template = yaml.compose((ROOT / "template.yaml").read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    tables = [
        node
        for node in _pairs(_pairs(template)["Resources"]).values()
        if _pairs(node)["Type"].value == "AWS::DynamoDB::Table"
    ]
    wanted = {"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}
    properties = _pairs(_pairs(tables[0])["Properties"])
    return {name: yaml.safe_load(yaml.serialize(node)) for name, node in properties.items() if name in wanted}


def _pairs(node: yaml.Node | None) -> dict[str, yaml.Node]:
    assert isinstance(node, yaml.MappingNode)
    return {key.value: value for key, value in node.value}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty table with the keys of every item, and nothing kept from the test before."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("dynamodb").create_table(TableName=TABLE, **table_of_the_template())
        settings_store.forget()
        yield
        settings_store.forget()


def local_settings(**policy: Any) -> Settings:
    """The settings of infra/local.yaml, with some durations changed."""
    settings, _ = settings_file.check(LOCAL.read_bytes(), settings_file.presets())
    assert settings is not None
    return replace(settings, policy=replace(settings.policy, **policy))


def stored() -> settings_store.Stored:
    """What is in the table, which must be something."""
    found = settings_store.read()
    assert found is not None
    return found


def test_settings_come_back_as_they_were_stored() -> None:
    bare = replace(local_settings(), teams={}, causes={})
    for number, settings in enumerate((local_settings(), bare), start=1):
        settings_store.store(settings, NOW, settings_store.read())
        assert stored().settings == settings
        assert stored().version == number
        assert stored().applied_at == NOW


def test_nothing_stored_is_said() -> None:
    assert settings_store.read() is None
    with pytest.raises(settings_store.NoSettings, match="make settings"):
        settings_store.settings(NOW)


def test_a_process_follows_a_change_within_30_seconds() -> None:
    settings_store.store(local_settings(), NOW, None)
    assert settings_store.settings(NOW).policy.reminder_after == timedelta(seconds=15)
    before = stored()
    changed = replace(before, settings=local_settings(reminder_after=timedelta(seconds=20)), version=2)
    # Written by another process: this one keeps what it has read.
    table.put(
        table.Row(*settings_store.KEY, kind="settings", version=2, body=msgspec.json.encode(changed).decode())
    )
    assert settings_store.settings(NOW + timedelta(seconds=29)).policy.reminder_after == timedelta(seconds=15)
    assert settings_store.settings(NOW + timedelta(seconds=30)).policy.reminder_after == timedelta(seconds=20)


def test_settings_are_read_once_while_they_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_store.store(local_settings(), NOW, None)
    first = settings_store.settings(NOW)
    monkeypatch.setattr(table, "get", lambda *_: pytest.fail("read again"))
    assert settings_store.settings(NOW + timedelta(seconds=10)) is first


def test_the_same_content_is_not_written_again() -> None:
    first = settings_store.store(local_settings(), NOW, None)
    again = settings_store.store(local_settings(), NOW + timedelta(days=1), settings_store.read())
    assert (again.version, again.applied_at) == (1, NOW)
    assert again.digest == first.digest


def test_two_people_at_once_do_not_overwrite_each_other() -> None:
    settings_store.store(local_settings(), NOW, None)
    before = stored()
    settings_store.store(local_settings(note_after=timedelta(seconds=1)), NOW, before)
    with pytest.raises(Changed):
        settings_store.store(local_settings(note_after=timedelta(seconds=2)), NOW, before)
    with pytest.raises(Changed):
        settings_store.store(local_settings(note_after=timedelta(seconds=3)), NOW, None)
    assert stored().settings.policy.note_after == timedelta(seconds=1)


def test_settings_of_an_older_version_are_read_with_the_defaults_of_new_keys() -> None:
    settings_store.store(local_settings(), NOW, None)
    row = table.get(*settings_store.KEY)
    assert row is not None
    body = json.loads(row.body)
    del body["settings"]["policy"]["note_after"]
    body["settings"]["policy"]["a_key_of_a_newer_version"] = 1
    row.body, row.version = json.dumps(body), 2
    table.put(row)
    assert stored().settings.policy.note_after == timedelta(minutes=30)


def test_command_stores_and_says_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(LOCAL.read_text(encoding="utf-8"), encoding="utf-8")
    assert apply_settings.main([str(file), "--table", TABLE, "--public-url", f"{URL}/"]) == 0
    assert f"  + company.public_url: {URL}\n" in capsys.readouterr().out

    file.write_text(
        LOCAL.read_text(encoding="utf-8").replace("reminder_after: 15s", "reminder_after: 20s"), "utf-8"
    )
    assert apply_settings.main([str(file), "--table", TABLE]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"Stored as version 2 in table {TABLE}:",
        "  ~ policy.reminder_after: 15s -> 20s",
        "Running Lambdas follow within 30 seconds.",
    ]
    assert stored().settings.company.public_url == URL

    assert apply_settings.main([str(file), "--table", TABLE]) == 0
    assert "Nothing to change" in capsys.readouterr().out


def test_command_stores_nothing_when_something_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_store.store(local_settings(), NOW, None)
    file = tmp_path / "settings.yaml"
    file.write_text(LOCAL.read_text(encoding="utf-8").replace("15s", "soon"), encoding="utf-8")
    assert apply_settings.main([str(file), "--table", TABLE, "--public-url", URL]) == 1
    assert stored().version == 1
    file.write_text(LOCAL.read_text(encoding="utf-8"), encoding="utf-8")
    assert apply_settings.main([str(file), "--table", TABLE]) == 1
    assert "company.public_url: is missing" in capsys.readouterr().err
    assert stored().version == 1


def test_command_gives_every_owner_a_next_digest_and_keeps_those_that_are_due() -> None:
    apply_settings.apply(local_settings(), TABLE, URL, NOW)
    due = NOW.replace(second=40)
    assert {key: _due(key) for key in ("mia", "ravi", "tomas", "hanne")} == {
        "mia": due,
        "ravi": due,
        "tomas": due,
        "hanne": None,
    }
    apply_settings.apply(
        local_settings(note_after=timedelta(seconds=1)), TABLE, URL, NOW + timedelta(hours=1)
    )
    assert _due("mia") == due
    apply_settings.apply(
        local_settings(digest_every=timedelta(hours=1)), TABLE, URL, NOW + timedelta(seconds=5)
    )
    assert _due("mia") == NOW + timedelta(hours=1)


def test_command_run_again_after_an_error_moves_the_digests_that_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apply_settings.apply(local_settings(), TABLE, URL, NOW)
    daily = local_settings(digest_every=timedelta(days=1))
    ensure, moved = owners.ensure, list[str]()

    def once(keys: list[str], at: datetime) -> None:
        if moved:
            raise Changed("owner")
        moved.extend(keys)
        ensure(keys, at)

    monkeypatch.setattr(owners, "ensure", once)
    with pytest.raises(Changed):
        apply_settings.apply(daily, TABLE, URL, NOW)
    monkeypatch.undo()
    apply_settings.apply(daily, TABLE, URL, NOW)
    assert {_due(key) for key in ("mia", "ravi", "tomas")} == {next_digest(NOW, daily.policy)}


def _due(key: str) -> datetime | None:
    owner = owners.load(key)
    return owner.due_at if owner else None


def test_command_says_when_the_table_cannot_be_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLE)
    assert apply_settings.main([str(LOCAL), "--table", TABLE, "--public-url", URL]) == 1
    assert f"Table {TABLE} could not be used" in capsys.readouterr().err


def held() -> Any:
    """The hook secrets in Secrets Manager."""
    return json.loads(boto3.client("secretsmanager").get_secret_value(SecretId=SECRET_ID)["SecretString"])


def set_from_input(monkeypatch: pytest.MonkeyPatch, secret: str) -> int:
    """Run the command as ``set_secret.py zendesk < file``."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
    return set_secret.main(["zendesk", "--secret-id", SECRET_ID])


def test_secret_is_changed_over_and_the_old_one_retired(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("secretsmanager").create_secret(Name=SECRET_ID, SecretString='{"acme": "alone"}')
    for number in range(3):
        assert set_from_input(monkeypatch, f"a-long-enough-secret-{number}") == 0
    assert held()["zendesk"] == ["a-long-enough-secret-2", "a-long-enough-secret-1", "a-long-enough-secret-0"]
    for _ in range(3):
        assert set_secret.main(["zendesk", "--secret-id", SECRET_ID, "--retire-old"]) == 0
    assert held() == {"acme": ["alone"], "zendesk": ["a-long-enough-secret-2"]}
    assert "a-long-enough" not in capsys.readouterr().out


def test_generated_secret_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("secretsmanager").create_secret(Name=SECRET_ID)
    assert set_secret.main(["acme", "--secret-id", SECRET_ID, "--generate"]) == 0
    printed = capsys.readouterr().out.splitlines()[-1]
    assert held() == {"acme": [printed]}


def test_secret_that_cannot_be_stored_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_from_input(monkeypatch, "a-long-enough-secret") == 1
    assert "could not be used" in capsys.readouterr().err
    boto3.client("secretsmanager").create_secret(Name=SECRET_ID, SecretString="[]")
    assert set_from_input(monkeypatch, "a-long-enough-secret") == 1
    assert "does not hold hook secrets" in capsys.readouterr().err
    assert set_from_input(monkeypatch, "short") == 1
    assert set_secret.main(["Not A Key", "--secret-id", SECRET_ID]) == 1
    assert held() == []
