"""Processes that outlive their command are found again, stopped with their children, and never mistaken for others."""

import os
import sys
import time
from pathlib import Path

import pytest

import background
from place import read, write

PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(background, "HOME", tmp_path)
    monkeypatch.setattr(background, "PATIENCE", 0.5)
    return tmp_path


def members(group: int) -> list[int]:
    return [pid for pid in background._group(group) if background._started(pid)]


def wait_for(what: str, home: Path) -> None:
    end = time.monotonic() + 10
    while what not in background.last_words("one") and time.monotonic() < end:
        time.sleep(0.02)


def test_stopping_ends_the_process_and_its_children(home: Path) -> None:
    process = background.start("one", [sys.executable, "-c", PARENT], dict(os.environ))
    end = time.monotonic() + 10
    while len(members(process.pid)) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert background.is_running("one")
    assert background.stop("one")
    assert members(process.pid) == []
    assert process.wait(5) != 0
    assert not background.is_running("one")
    assert not background.stop("one")


def test_a_process_that_does_not_listen_is_killed(home: Path) -> None:
    process = background.start("one", [sys.executable, "-c", STUBBORN], dict(os.environ))
    wait_for("ready", home)
    assert background.stop("one")
    assert process.wait(5) == -9


def test_a_process_that_got_the_same_number_is_left_alone(home: Path) -> None:
    process = background.start("one", [sys.executable, "-c", PARENT], dict(os.environ))
    known = read(home / "one.json")
    assert known is not None
    write(home / "one.json", known | {"started": "some other moment"})
    assert not background.is_running("one")
    assert not background.stop("one")
    assert process.poll() is None
    write(home / "one.json", known)
    assert background.stop("one")
    process.wait(5)


def test_a_crashed_process_is_not_running(home: Path) -> None:
    process = background.start("one", [sys.executable, "-c", "raise SystemExit(3)"], dict(os.environ))
    process.wait(10)
    assert not background.is_running("one")
    assert not background.stop("one")
