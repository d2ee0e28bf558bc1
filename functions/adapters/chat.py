"""Chat channels (Slack, Microsoft Teams and others) through apprise: one message, posted at most once per call.

apprise tells only whether all went well, so what became of its request is watched below it. A chat reports nothing
later: a post whose reply was lost stays unknown. Redirects are not followed, so nothing goes anywhere but to the
configured address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from apprise import Apprise, AppriseAsset, NotifyFormat

from messages.compose import Note

CHATS = frozenset(
    {
        *(
            "slack",
            "workflow",
            "workflows",
            "discord",
            "gchat",
            "webex",
            "wxteams",
            "zulip",
            "ryver",
        ),
        *(
            "mmost",
            "mmosts",
            "rocket",
            "rockets",
            "matrix",
            "matrixs",
            "twist",
            "flock",
            "guilded",
            "json",
            "jsons",
        ),
    }
)
"""The kinds of addresses that are taken: chats only, none of apprise's ways to mail, to phones or to this machine."""
NOT_NOW = frozenset({425, 429})
"""Answers of a chat that took nothing and may be asked again; after a 5xx nobody knows."""


class NotPosted(Exception):  # noqa: N818 - reads as a sentence
    """Certainly not posted, and it may be tried again later: too many posts, not connected."""


class NeverPosted(Exception):  # noqa: N818
    """Certainly not posted, and it never will be: the address is no chat's, or the chat does not take it."""


class Unknown(Exception):  # noqa: N818
    """Posted or not: nobody knows."""


def post(address: str, note: Note) -> None:
    """Post a note to a channel; ``address`` is apprise's, such as ``slack://...``, and holds a secret.

    Raises NotPosted, NeverPosted or Unknown; none of them says anything of the address.
    """
    channel = _channel(address)
    if channel is None:
        raise NeverPosted("the address is none of a chat")
    chat = Apprise(asset=channel.asset)
    chat.add(channel)
    marked = _takes_only_markdown(channel)
    body = _body(note, int(channel.body_maxlen), marked=marked)
    with _watched() as seen:
        fine = chat.notify(
            title=note.title, body=body, body_format=NotifyFormat.MARKDOWN if marked else NotifyFormat.TEXT
        )
    if fine:
        return
    _raise(seen)


def problem_of(address: str) -> str | None:
    """What is wrong with an address, without repeating it; None when a chat can be reached by it."""
    kind = address.partition("://")[0].casefold()
    if "://" not in address or kind not in CHATS:
        return f"the address does not begin with one of {', '.join(f'{known}://' for known in sorted(CHATS))}"
    channel = _channel(address)
    if channel is None:
        return "the address is not complete"
    if len(channel) > 1:
        return "the address names several channels; allowed: one"
    return None


def _channel(address: str) -> Any:
    if address.partition("://")[0].casefold() not in CHATS:
        return None
    asset = AppriseAsset(
        app_id="Followthrough", app_desc="Followthrough", app_url="", http_redirects=False, image_url_mask=""
    )
    channel = Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    return channel or None


def _takes_only_markdown(channel: Any) -> bool:
    formats = channel.notify_format
    return NotifyFormat.TEXT not in (formats if isinstance(formats, tuple) else (formats,))


def _body(note: Note, room: int, *, marked: bool) -> str:
    """As many whole lines as the chat takes, and the link: a cut or split message would be half of one."""
    gap = "\n\n" if marked else "\n"
    end = (
        ([f"[{note.label}]({note.link})"] if marked else [f"{note.label}: {note.link}"]) if note.link else []
    )
    lines: list[str] = []
    left = room - len(note.title) - sum(len(line) + len(gap) for line in end) - len(gap)
    for line in note.lines:
        left -= len(line) + len(gap)
        if left < 0:
            break
        lines.append(line)
    return gap.join([*lines, *end])


@contextmanager
def _watched() -> Iterator[list[int | Exception]]:
    """The status of each request that is made meanwhile, or why there is none."""
    seen: list[int | Exception] = []
    send = requests.Session.send

    def watch(self: requests.Session, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        try:
            response = send(self, request, **given)
        except requests.RequestException as error:
            seen.append(error)
            raise
        seen.append(response.status_code)
        return response

    requests.Session.send = watch
    try:
        yield seen
    finally:
        requests.Session.send = send


def _raise(seen: list[int | Exception]) -> None:
    if not seen:
        raise NeverPosted("nothing was sent")
    last = seen[-1]
    if isinstance(last, Exception):
        if _never_connected(last):
            raise NotPosted("not connected")
        raise Unknown(type(last).__name__)
    if last in NOT_NOW:
        raise NotPosted(f"status {last}")
    if last >= 500:
        raise Unknown(f"status {last}")
    raise NeverPosted(f"status {last}")


def _never_connected(error: Exception) -> bool:
    """Whether the connection itself failed; urllib3 says so by its own error inside."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}
