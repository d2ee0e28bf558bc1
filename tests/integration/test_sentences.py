"""Whatever goes wrong while a person's command runs is told in a sentence and an exit code."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from pynamodb.exceptions import GetError

import causes
import connect
import quarantine
import written
from adapters.settings_store import NoSettings
from domain.errors import Changed
from sentences import STOPPED, in_sentences

DENIED = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "The token expired"}}, "GetItem")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DENIED, 1, "AWS did not answer as expected: An error occurred (ExpiredTokenException)"),
        (GetError("Failed to get item: The token expired"), 1, "The token expired"),
        (EndpointConnectionError(endpoint_url="https://x.example"), 1, "Could not connect"),
        (Changed("settings"), 1, "Somebody else changed the same at this moment: settings. Run it again."),
        (NoSettings("no settings are stored yet"), 1, "It cannot go on: no settings are stored yet."),
        (KeyboardInterrupt(), STOPPED, "Stopped."),
    ],
)
def test_an_error_is_a_sentence(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @in_sentences
    def main(arguments: list[str]) -> int:
        raise error

    assert main([]) == code
    assert said in capsys.readouterr().err


def test_a_fault_of_ours_is_not_hidden() -> None:
    @in_sentences
    def main(arguments: list[str]) -> int:
        raise TypeError("a mistake")

    with pytest.raises(TypeError):
        main([])


@pytest.mark.parametrize(
    ("command", "arguments"),
    [(quarantine.main, []), (written.main, []), (causes.main, []), (connect.main, ["acme"])],
)
def test_a_table_that_cannot_be_read_is_no_traceback(
    command: Callable[[list[str]], int],
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from adapters import table

    def refuse(*_: object, **__: object) -> None:
        raise GetError("Failed to get item: The token expired")

    for name in ("get", "find", "read_all"):
        monkeypatch.setattr(table, name, refuse)
    assert command(arguments) == 1
    assert "AWS did not answer as expected: Failed to get item: The token expired" in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "3651", "-1", "x", "²"])
def test_days_that_cannot_be_are_named_in_one_line(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        causes.main([f"--days={days}"])
    assert capsys.readouterr().err.endswith(f'"{days}" is no number of days from 1 to 3650\n')
