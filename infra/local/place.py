"""Where the local stack lives on this machine, and how its tools reach it.

Everything it writes is in one folder, ``.local`` or the one that FOLLOWTHROUGH_HOME names: a second stack beside the
first (the journey tests' own) is only another folder.
"""

import json
import os
import secrets
import sys
import urllib.request
import zlib
from base64 import b64decode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.session import get_session

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("FOLLOWTHROUGH_HOME", ROOT / ".local")).resolve()
STACK_FILE = HOME / "stack.json"
STACK = "followthrough"
REGION = "eu-west-1"


def record(item: dict[str, Any]) -> Any:
    """What an item of the table says, as a client reads it (functions/adapters/table.py)."""
    body = item["body"]["S"]
    return json.loads(body if body.startswith("{") else zlib.decompress(b64decode(body)))


@dataclass(frozen=True, kw_only=True)
class Hook:
    """Where one source posts its closures, and the secret that signs them."""

    url: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What tools can rely on; the content of ``.local/stack.json``. All addresses are on this machine."""

    api: str
    hooks: dict[str, Hook]
    aws_endpoint: str
    region: str
    table: str
    mails: str
    """What the local AWS sent, as JSON."""
    post_office: str
    """The same mails in a browser."""


def read_stack() -> Stack | None:
    """The stack that is up; None when none is."""
    found = read(STACK_FILE)
    if found is None:
        return None
    return Stack(**found | {"hooks": {source: Hook(**hook) for source, hook in found["hooks"].items()}})


def write_stack(stack: Stack) -> None:
    """Tell the tools that the stack is up."""
    write(STACK_FILE, asdict(stack))


def read(file: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None when there is none, or none that is whole."""
    try:
        content = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write(file: Path, content: dict[str, Any]) -> None:
    """Replace a JSON file as a whole; only this user may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(file)


def aws_environment(endpoint: str) -> dict[str, str]:
    """This process's environment, led to the local AWS: whatever account the user works with is out of reach."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "1",
        "PYTHON": sys.executable,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def client(service: str, endpoint: str) -> Any:
    """A client for one service of the local AWS."""
    return get_session().create_client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the local AWS knows no other
        config=Config(proxies={}, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"}),
    )


def fetch(url: str) -> bytes:
    """The content behind an address of this machine, past any proxy; raises OSError."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        content: bytes = answer.read()
    return content
