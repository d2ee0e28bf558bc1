"""The journey suite: a person's browser and a helpdesk against the stack that ``make up`` deployed.

FOLLOWTHROUGH_HOME says which stack; ``make test`` starts stacks of its own for this suite, one for each process.
"""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["FOLLOWTHROUGH_HOME"] += f"-{worker}"

from desk import Desk
from place import read_stack

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def desk() -> Desk:
    """The helpdesk and the mailbox of the stack that is up."""
    stack = read_stack()
    assert stack is not None, "no stack is up: make up"
    return Desk(stack)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A phone without scripts: the pages must not need any."""
    context: BrowserContext = browser.new_context(
        viewport={"width": 320, "height": 700}, java_script_enabled=False
    )
    yield context.new_page()
    context.close()
