"""What the commands for a person have in common: what goes wrong is told in a sentence, never as a traceback."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from domain.errors import Changed, FollowthroughError

STOPPED = 130
"""The exit code of what Ctrl-C ended, as shells give it."""


def in_sentences(main: Callable[[list[str]], int]) -> Callable[[list[str]], int]:
    """The command, which also ends in a sentence when AWS refuses, somebody else was faster, or Ctrl-C is pressed."""

    @functools.wraps(main)
    def told(arguments: list[str]) -> int:
        try:
            return main(arguments)
        except KeyboardInterrupt:
            return _say("\nStopped.", STOPPED)
        except Changed as error:
            return _say(f"Somebody else changed the same at this moment: {error}. Run it again.", 1)
        except FollowthroughError as error:
            return _say(f"It cannot go on: {error}.", 1)
        except Exception as error:
            if _is_of_aws(error):
                return _say(f"AWS did not answer as expected: {error}", 1)
            raise

    return told


def say(line: str) -> None:
    """To the person who started the command, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fail(line: str) -> int:
    """Say what is wrong; gives the exit code."""
    return _say(line, 1)


def _is_of_aws(error: Exception) -> bool:
    # Not above: most commands need no table, and most runs no error.
    from pynamodb.exceptions import PynamoDBException

    return isinstance(error, (BotoCoreError, ClientError, PynamoDBException))


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"{line}\n")
    return code
