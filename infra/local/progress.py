"""Says what is being waited for: a turning line in a terminal, plain lines in a file."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

OFTEN = 5.0
"""Seconds between two signs of life where no line can turn."""

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Show what is being done while it lasts, and how long it took when it took noticeable time."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(f"{doing} …"):
            yield
    else:
        done = threading.Event()
        reporter = threading.Thread(target=_report, args=(doing, began, done), daemon=True)
        console.print(f"{doing} …")
        reporter.start()
        try:
            yield
        finally:
            done.set()
            reporter.join()
    console.print(f"[green]✓[/green] {doing} [dim]({time.monotonic() - began:.1f} s)[/dim]")


def _report(doing: str, began: float, done: threading.Event) -> None:
    while not done.wait(OFTEN):
        console.print(f"  … {doing}: {time.monotonic() - began:.0f} s")
