"""100,000 requests that nobody would send; `make fuzz` does the same with other seeds."""

import pytest

import receive_ticket
from fuzz import run
from helpdesks import mapping

COUNT = 100_000


def test_no_damaged_request_fails_on_our_side_and_no_forged_one_gets_in() -> None:
    tally = run(COUNT, seed=1)
    assert tally.wrong == ()
    assert set(tally.statuses) <= {200, 202, 401}
    assert min(tally.genuine, tally.forged) > COUNT * 0.45
    assert min(tally.stored, tally.quarantined) > COUNT * 0.03


def test_a_door_that_stands_open_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_ticket, "verify", lambda *_: "0")
    assert len(run(500, seed=1).wrong) > 100


def test_a_reader_that_fails_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def epoch(value: object, per_second: int) -> float:
        return float(str(value)) / per_second

    monkeypatch.setattr(mapping, "_epoch", epoch)
    assert any("answered 503" in line for line in run(2000, seed=1).wrong)
