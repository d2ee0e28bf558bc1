"""Cuts the layer for chats down to what functions/adapters/chat.py uses of it.

    python trim_chat.py <folder of the packages>

apprise brings a command line, translations of it, and pictures; urllib3 is in the layer that all functions have.
"""

import shutil
import sys
from pathlib import Path

CHATS = frozenset(
    {
        *("slack", "workflows", "discord", "google_chat", "webexteams", "zulip", "ryver", "mattermost"),
        *("rocketchat", "matrix", "twist", "flock", "guilded", "custom_json", "base", "__init__"),
    }
)
"""The modules behind CHATS of functions/adapters/chat.py: apprise reads all that are there before it does anything."""
UNUSED = ("click", "urllib3", "apprise/i18n", "apprise/assets", "apprise/cli.py", "bin")


def trim(packages: Path) -> None:
    """Cut down the packages in this folder."""
    for name in UNUSED:
        place = packages / name
        if place.is_file():
            place.unlink()
        else:
            shutil.rmtree(place, ignore_errors=True)
        for folder in packages.glob(f"{name}-*.dist-info"):
            shutil.rmtree(folder)
    for plugin in (packages / "apprise/plugins").iterdir():
        if plugin.stem not in CHATS:
            shutil.rmtree(plugin) if plugin.is_dir() else plugin.unlink()
    for file in packages.glob("*.dist-info/RECORD"):
        file.unlink()


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
