"""Processes that stay when the command that started them has ended.

Each is known by a file with its process id and the moment it started. Ids are used again by the system; the moment
tells whether the process is still the one that we started, so that nothing else is ever stopped.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from place import HOME, read, write

PATIENCE = 3.0
"""Seconds to end by itself before it is killed."""


def start(name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, to be stopped with all its children; it writes to ``<name>.log``."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    write(_file(name), {"pid": process.pid, "started": _started(process.pid)})
    return process


def is_running(name: str) -> bool:
    """Whether the process is still there, and is ours."""
    return _pid(name) is not None


def stop(name: str) -> bool:
    """End the process and all its children; gives whether it was running."""
    pid = _pid(name)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        if not _has_ended(pid, PATIENCE):
            _signal(pid, signal.SIGKILL)
            _has_ended(pid, PATIENCE)
    _file(name).unlink(missing_ok=True)
    return pid is not None


def last_words(name: str, lines: int = 15) -> str:
    """The end of what the process wrote."""
    log = HOME / f"{name}.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _file(name: str) -> Path:
    return HOME / f"{name}.json"


def _pid(name: str) -> int | None:
    known = read(_file(name))
    if not known or not known.get("started") or _started(known["pid"]) != known["started"]:
        return None
    return int(known["pid"])


def _started(pid: int) -> str | None:
    """When a process started, in the system's own words; None when it has ended."""
    if Path("/proc/self/stat").exists():
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state == "Z" else fields[18]
    shown = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _has_ended(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_started(member) for member in _group(pid)):
            return True
        time.sleep(0.05)
    return False


def _group(pid: int) -> list[int]:
    """The processes of the group that ``pid`` leads, as far as the system shows them."""
    members = []
    for entry in Path("/proc").glob("[0-9]*"):
        member = int(entry.name)
        try:
            if os.getpgid(member) == pid:
                members.append(member)
        except ProcessLookupError:
            continue
    return members or [pid]
