"""For all unit tests: no network, so that whatever passes here passes on a machine that has none."""

import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

hypothesis_settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("unit")  # a busy machine is slow and not wrong

WAYS_OUT = ("connect", "connect_ex", "sendto", "sendmsg")


def _closed(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("a unit test reached for the network")


@pytest.fixture(autouse=True, scope="module")
def closed_sockets() -> Iterator[None]:
    """Connecting, sending a datagram and looking up a name fail in unit tests; the suites after them need sockets."""
    with pytest.MonkeyPatch.context() as patch:
        for way in WAYS_OUT:
            patch.setattr(socket.socket, way, _closed)
        patch.setattr(socket, "getaddrinfo", _closed)
        yield
