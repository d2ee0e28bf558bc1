"""For every test: an AWS that exists in this process only, and no way out of this machine."""

import os
import socket
from typing import Any

import pytest

# Set before any adapter is imported: the table's name and the clients' region are read on import.
os.environ.update(
    {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TABLE": "followthrough-test",
        "DUE_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/DueQueue",
        "SEND_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/SendQueue",
        "CHAT_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/ChatQueue",
        "FETCH_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/FetchQueue",
        "WRITE_BACK_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/WriteBackQueue",
        "HOOK_SECRETS": "HookSecrets",
        "API_SECRETS": "ApiSecrets",
        "CHAT_ADDRESSES": "ChatAddresses",
        "LINK_KEYS": "LinkKeys",
        "CONFIGURATION_SET": "followthrough-test",
        "POWERTOOLS_SERVICE_NAME": "followthrough",
        "POWERTOOLS_METRICS_NAMESPACE": "Followthrough",
    }
)
for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "POWERTOOLS_LOGGER_LOG_EVENT"):
    os.environ.pop(name, None)

pytest_plugins = ("world",)


def pytest_configure(config: pytest.Config) -> None:
    """Powertools warns of an invocation without metrics; the product silences that, and pytest undoes it."""
    config.addinivalue_line("filterwarnings", "ignore:No application metrics to publish")


def _is_this_machine(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    return host in {"", "::1", "0.0.0.0", "::"} or host.startswith("127.") or host.endswith("localhost")  # noqa: S104


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would reach another machine fails instead."""
    connect, find = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if not _is_this_machine(address):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    def find_here(host: Any, *others: Any, **more: Any) -> Any:
        if host is not None and not _is_this_machine((host,)):
            raise AssertionError(f"a test tried to find {host}")
        return find(host, *others, **more)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", find_here)
