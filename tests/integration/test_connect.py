"""`make connect`: what somebody sees who connects a helpdesk, or looks at what one sent."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

import connect as command
import settings_file
from adapters import captures, secret_store, settings_store
from builders import A_MINUTE, A_SECOND, ACME_SECRET, closed, settings, signed
from explain import captured
from world import World

PAYLOADS = Path(__file__).resolve().parents[1] / "fixtures/payloads"


@pytest.fixture
def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The command's clock is the world's, and between two looks a minute passes and what waits there is done."""
    waiting: list[object] = []

    class Clock(datetime):
        @classmethod
        def now(cls, _: object = None) -> datetime:  # type: ignore[override]
            """The instant it is there."""
            return world.now

    def pass_a_minute(_: float) -> None:
        if waiting:
            waiting.pop(0)()  # type: ignore[operator]
        world.now += A_MINUTE

    monkeypatch.setattr(command, "datetime", Clock)
    monkeypatch.setattr(time, "sleep", pass_a_minute)
    yield waiting


def known_secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command reads of the stack, whose pages have an address of the company's own."""
    monkeypatch.setenv("PUBLIC_URL", "https://abc.execute-api.eu-west-1.amazonaws.com")
    assert boto3.client("secretsmanager").get_secret_value(SecretId="HookSecrets")["SecretString"]


def test_it_says_what_to_do_waits_and_explains_what_came(
    world: World, clock: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known_secret(world, monkeypatch)
    wrong = signed(closed(), world.now, secret=ACME_SECRET[:-6] + "AAAA==")
    body = json.dumps({"type": "invoice.paid", "timestamp": world.now.isoformat(), "data": {}}).encode()
    clock += [
        lambda: world.hook(closed("1", world.now), wrong),
        lambda: world.hook(body),
        lambda: world.hook(closed("4711", world.now, subject="Cannot sign in", root_cause="A new cause")),
    ]
    assert command.main(["acme"]) == 0
    told = capsys.readouterr().out
    assert "posts `{" in told
    assert f"{settings().company.public_url}/hooks/acme" in told, (
        "over this address HubSpot's signature is verified"
    )
    assert "amazonaws" not in told
    assert "refused: wrong_signature" in told
    assert "understood, and none of our business: another kind of event" in told
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "understood as: solved" in lines
    assert "ticket_id 4711 from body.data.id" in lines
    assert "subject Cannot sign in from body.data.subject" in lines
    assert any('no cause of your settings has the value "A new cause"' in line for line in lines)
    assert lines[-1] == "acme is connected."


def test_it_tells_what_to_look_at_when_nothing_comes(
    world: World, clock: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known_secret(world, monkeypatch)
    assert command.main(["acme", "--wait", "300"]) == 1
    assert "whether its rule fires" in capsys.readouterr().err
    assert clock == []


def test_requests_are_kept_only_while_somebody_is_connecting_and_never_with_a_secret(world: World) -> None:
    began = world.now
    world.hook(closed("1", world.now))
    stored = settings_store.read()
    assert stored
    settings_store.connect("acme", world.now + A_MINUTE, stored)
    world.now += 31 * A_SECOND
    world.hook(closed("2", world.now))
    world.hook(closed("3", world.now), {**signed(closed("3", world.now), world.now), "webhook-id": "msg_0"})
    world.now += A_MINUTE
    world.hook(closed("4", world.now))
    kept = list(captures.listed("acme", began))
    assert [capture.outcome for capture in kept] == ["refused: wrong_signature", "accepted"]
    assert kept[0].body == "" and json.loads(kept[1].raw)["data"]["id"] == "2"
    assert all(not capture.headers for capture in kept)
    assert [item for item in world.scan() if "CONNECT#acme" in item and "expires_at" not in item] == []


def test_whoever_connects_sees_that_the_stored_secret_cannot_be_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = settings_store.read()
    assert stored
    settings_store.connect("acme", world.now + A_MINUTE, stored)
    settings_store.forget()
    monkeypatch.setattr(secret_store, "hook_keys", lambda *_: ["acme-helpdesk-2026-hook"])
    assert world.hook(closed("1", world.now)).status == 503
    assert [one.outcome for one in captures.listed("acme", world.now)] == ["refused: no_usable_key"]


def test_new_settings_do_not_end_the_connecting(world: World) -> None:
    stored = settings_store.read()
    assert stored
    until = world.now + A_MINUTE
    settings_store.connect("acme", until, stored)
    settings_store.forget()
    assert settings_store.is_connecting("acme", world.now)
    assert not settings_store.is_connecting("zendesk", world.now)
    assert not settings_store.is_connecting("acme", until)


def test_a_source_that_nobody_knows_is_put_into_the_settings_file(
    world: World,
    clock: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known_secret(world, monkeypatch)
    mine = tmp_path / "my-settings.yaml"
    mine.write_text(Path("infra/settings.yaml").read_text("utf-8"), "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("a-secret-of-sixteen-and-more\n"))
    assert command.main(["zammad-north"]) == 1
    assert "    preset: zammad" in capsys.readouterr().out
    assert command.main(["zammad-north", "--settings", str(mine), "--wait", "60"]) == 1
    told = capsys.readouterr()
    assert "added the source zammad-north" in told.out
    assert "One secret verifies the hooks of zammad-north." in told.out
    stored = settings_store.read()
    assert stored and stored.settings.sources["zammad-north"].preset == "zammad"
    assert "a-secret-of-sixteen" not in told.out + told.err


def test_a_secret_that_this_way_of_signing_cannot_use_is_refused_at_once(
    world: World, clock: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known_secret(world, monkeypatch)
    held = boto3.client("secretsmanager")
    held.put_secret_value(
        SecretId="HookSecrets", SecretString=json.dumps({"acme": ["a-plain-secret-of-mine"]})
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("another-plain-secret\n"))
    assert command.main(["acme"]) == 1
    told = capsys.readouterr()
    assert "cannot be used by this way of signing" in told.err
    assert "Nothing was stored: this way of signing needs whsec_ and base64" in told.err
    assert "plain-secret" not in told.out + told.err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ACME_SECRET}\n"))
    assert command.main(["acme", "--wait", "60"]) == 1
    assert "2 secrets verify the hooks of acme" in capsys.readouterr().out


def test_a_source_is_set_in_as_the_others_of_the_file_are(world: World, tmp_path: Path) -> None:
    text = Path("infra/settings.yaml").read_text("utf-8")
    wider = "\n".join(line.replace("  ", "    ") for line in text.split("\n"))
    for number, (mine, ending) in enumerate(((text, "\n"), (wider, "\n"), (wider, "\r\n"))):
        file = tmp_path / f"{number}.yaml"
        file.write_bytes(mine.replace("\n", ending).encode())
        assert command._added(f"zammad-{number}", file)
        settings, problems = settings_file.check(file.read_bytes(), settings_file.presets())
        assert settings and not problems
        assert {"zendesk", f"zammad-{number}"} <= settings.sources.keys()


def test_a_file_that_it_cannot_add_to_stays_as_it_is(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("infra/settings.yaml").read_text("utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("\nsources:\n", "\n'sources':\n"), "utf-8")
    before = file.read_bytes()
    assert not command._added("zammad", file)
    told = capsys.readouterr()
    assert file.read_bytes() == before
    assert "was not changed" in told.err and "    preset: zammad" in told.out


@pytest.mark.parametrize(
    ("source", "request_", "secret"),
    [
        ("zoho-desk", "curl 'https://x.example/hooks/zoho-desk?secret=a-secret-of-ours'", "a-secret-of-ours"),
        ("freshdesk", "curl -u acme:of-ours https://x.example/hooks/freshdesk", "acme:of-ours"),
    ],
)
def test_a_secret_in_the_address_or_as_a_password_is_checked(
    source: str,
    request_: str,
    secret: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, problems = settings_file.check(
        Path("infra/settings.yaml")
        .read_bytes()
        .replace(
            b"\nsources:\n",
            b"\nsources:\n  freshdesk: {preset: freshdesk, secret: freshdesk, verify: basic}\n"
            b"  zoho-desk: {preset: zoho-desk, secret: zoho-desk}\n",
        ),
        settings_file.presets(),
    )
    assert settings, problems
    capture = tmp_path / "request.txt"
    capture.write_text(f"{request_} -e https://elsewhere.example -d '[]'")
    for given, right in ((secret, True), ("another-secret-1", False)):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{given}\n"))
        request = captured(capture.read_bytes())
        assert (
            command._is_signed(source, settings.sources[source], request, settings, datetime.now(UTC))
            is right
        )
        told = capsys.readouterr()
        assert ("signature: right" if right else "refused: wrong_signature") in told.out + told.err


@pytest.mark.parametrize(
    ("source", "capture", "code", "said"),
    [
        ("zendesk", "zendesk/trigger_closed_rendered-from-docs.json", 0, "understood as: solved"),
        ("hubspot", "hubspot/ticket_propertyChange-from-docs.json", 0, "event 1 of 2: understood as: closed"),
        (
            "zendesk",
            "jira-service-management/issue_updated_done-from-docs.json",
            1,
            "The preset reads: trigger",
        ),
        ("helpscout", "helpscout/convo_status_closed-from-docs.json", 1, "x-helpscout-event"),
        ("glpi", "glpi/ticket_update-from-source.json", 1, "Nobody can be asked"),
        ("kustomer", "kustomer/conversation_update-from-docs.json", 1, "Nobody can be asked"),
    ],
)
def test_a_captured_body_is_explained_without_a_stack(
    source: str,
    capture: str,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TABLE", raising=False)
    assert command.main([source, "--check", str(PAYLOADS / capture)]) == code
    assert said in capsys.readouterr().out


def test_a_curl_command_is_replayed_with_its_headers_and_signature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = closed("4711", datetime.now(UTC) - timedelta(hours=1))
    headers = signed(body, datetime.now(UTC))
    capture = tmp_path / "request.txt"
    quoted = " \\\n  ".join(f"-H '{name}: {value}'" for name, value in headers.items())
    capture.write_text(f"curl -X POST https://x.example/hooks/a \\\n  {quoted} \\\n  -d '{body.decode()}'")
    for secret, code, said in (
        (ACME_SECRET, 0, "signature: right"),
        ("whsec_" + "A" * 32, 1, "refused: wrong_signature"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
        assert command.main(["standard-webhooks", "--check", str(capture), "--verify"]) == code
        told = capsys.readouterr()
        assert said in told.out + told.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ("curl -H 'a: b", "no complete command"),
        ("curl https://x.example", "no -d or --data"),
        ("curl -d @body.json https://x.example", "give that file instead"),
        ("{", "Look for an unescaped quotation mark"),
    ],
)
def test_what_cannot_be_replayed_is_said(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "capture"
    capture.write_text(content)
    assert command.main(["jira", "--check", str(capture)]) == 1
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert command.main(["nope", "--check", str(capture)]) == 1
    assert "There is no preset nope" in capsys.readouterr().err
