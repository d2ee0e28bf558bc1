"""The tests' world outside of pytest: the real handlers in this process, on moto and on a clock that we move."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

import conftest  # noqa: F401 - sets the environment that the handlers read on import

if TYPE_CHECKING:
    from world import World


@contextmanager
def fresh_world() -> "Iterator[World]":
    """An account of its own, as every integration test gets one."""
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "false"
    import world

    make: Any = world.world
    patch = pytest.MonkeyPatch()
    steps = cast("Iterator[World]", make.__wrapped__(patch))
    try:
        yield next(steps)
        for _ in steps:
            raise AssertionError("a world ends once")
    finally:
        patch.undo()
