"""Stop what `up.py` started, and nothing else.

python infra/local/down.py
"""

import shutil
import sys

import background
from place import HOME
from progress import console

STALE = (
    "stack.json",
    "deployed.json",
    "applied.json",
    "port.json",
    "mailbox.json",
    "reported.txt",
    "secrets.json",
)


def main() -> int:
    """Run the command; gives the exit code. The build's cache and the logs stay for the next time."""
    stopped = [name for name in ("post_office", "aws") if background.stop(name)]
    for name in STALE:
        (HOME / name).unlink(missing_ok=True)
    shutil.rmtree(HOME / "tmp", ignore_errors=True)
    console.print("Followthrough is down." if stopped else "Nothing was up.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
