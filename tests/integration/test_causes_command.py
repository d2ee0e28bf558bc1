"""`make causes` and `make recount`: what an operator reads."""

import re

import pytest

import causes as command
from adapters import causes, table
from builders import A_MINUTE, closed, customer, settings
from domain.ownership import merge
from world import World


def test_it_lists_exact_counts_and_values_that_nobody_mapped(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, cause in enumerate(("No show", "No show", "VPN", "ｖｐｎ ", "V\u0420N", None)):
        world.hook(closed(str(number), requester=customer(f"c{number % 2}@c.example"), root_cause=cause))
    world.settle()
    monkeypatch.setattr(command, "datetime", Clock(world))
    assert command.main([]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "2 2 no-show A technician missed the appointment" in lines
    assert "0 0 portal-login Customers could not sign in" in lines
    assert "4 2 unclassified" in lines
    assert any(re.fullmatch(r'2 2 "(?:VPN|ｖｐｎ)" acme', line) for line in lines), lines
    assert '1 1 "V\\u0420N" acme mixed scripts: it may only look like another value' in lines
    assert settings().causes.keys() <= {line.split()[2] for line in lines if len(line.split()) > 2}


def test_a_merged_cause_stands_behind_the_one_that_it_counts_for(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, cause in enumerate(("No show", "No show", "Password reset failed")):
        world.hook(closed(str(number), requester=customer(f"c{number}@c.example"), root_cause=cause))
    world.settle()
    one, other = causes.load("no-show"), causes.load("portal-login")
    table.put_all(map(causes.row, merge(one, other, (), settings())))
    monkeypatch.setattr(command, "datetime", Clock(world))
    assert command.main([]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    place = lines.index("3 3 portal-login Customers could not sign in")
    assert lines[place + 1] == (
        "2 2 no-show A technician missed the appointment merged into portal-login: counted there, too"
    )
    assert settings().causes.keys() <= {line.split()[2] for line in lines if len(line.split()) > 2}


class Clock:
    """``datetime`` with the world's time."""

    def __init__(self, world: World) -> None:
        self.world = world

    def now(self, _: object) -> object:
        """The instant it is there."""
        return self.world.now + A_MINUTE
