"""A helpdesk's REST API: one request at a time, to the configured host only, with an end to time and size.

No redirect is followed and nothing is tried again here: whoever asks says what may be repeated. What went wrong is told
by one of the errors below, none of which says anything of the ticket or the token.
"""

import base64
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from adapters import secret_store
from domain.follow_up import Obstacle
from domain.settings import Api
from helpdesks.calls import Auth, Request, Step

CONNECT_TIMEOUT, READ_TIMEOUT = 4.0, 15.0
"""Seconds; the second until the next bytes come."""
LARGEST_ANSWER = 4_000_000
"""Bytes: a page of a hundred tickets with their fields has less than one million."""
LONGEST_REST = timedelta(hours=6)
"""However long a helpdesk wants us to wait."""
USUAL_REST = timedelta(seconds=30)
TOKEN_KEPT = timedelta(minutes=30)

_resting: dict[str, datetime] = {}
"""Which host wants no request before when: a limit is everybody's, so whoever comes next need not try."""
_tokens: dict[tuple[str, str], tuple[datetime, str]] = {}


class NotAnswered(Exception):  # noqa: N818 - reads as a sentence
    """There is no usable answer; ``obstacle`` says why, ``after`` when asking again makes sense.

    ``refused`` tells that the helpdesk certainly did nothing; without it, it may have done what was asked.
    """

    def __init__(
        self,
        obstacle: Obstacle,
        reason: str,
        *,
        refused: bool,
        after: timedelta = timedelta(),
        status: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.obstacle, self.reason, self.refused = obstacle, reason, refused
        self.after, self.status = after, status


@dataclass(frozen=True)
class Account:
    """One helpdesk as we reach it."""

    api: Api
    auth: Auth
    token: str


def account(api: Api, auth: Auth, now: datetime) -> Account:
    """The helpdesk of a source. Raises NotAnswered when nobody stored a token for it."""
    token = secret_store.api_token(api.secret, now)
    if token is None:
        raise NotAnswered(Obstacle.NO_TOKEN, "there is no token", refused=True)
    return Account(api, auth, token)


def ask(steps: Iterable[Step], known: dict[str, Any], account: Account, now: datetime) -> dict[str, Any]:
    """What is known after these requests, each answer under its name. Raises NotAnswered."""
    for step in steps:
        request = step.request(known)
        known[step.name] = None
        if request is None:
            if step.optional or step.uses:
                continue
            raise NotAnswered(Obstacle.UNREADABLE, f"{step.name} lacks a value of the settings", refused=True)
        try:
            known[step.name] = send(request, account, now)
        except NotAnswered as problem:
            if not step.optional or problem.obstacle not in {Obstacle.GONE, Obstacle.REFUSED}:
                raise
    return known


def send(request: Request, account: Account, now: datetime) -> Any:
    """Make one request; gives its answer's JSON, None when it is empty. Raises NotAnswered."""
    host = urlsplit(account.api.url).netloc
    until = _resting.get(host)
    if until and now < until:
        raise NotAnswered(Obstacle.UNREACHABLE, "asked to wait", refused=True, after=until - now)
    headers = {**dict(account.auth.headers), **_credentials(account, now), "accept": "application/json"}
    if request.body is not None:
        headers["content-type"] = "application/json"
    headers |= dict(request.headers)
    status, given, body = _exchange(request, account.api.url, headers)
    if status == 401 and account.auth.kind == "client_credentials":
        _tokens.pop((account.api.url, account.token), None)
    _refuse(status, given, host, now)
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnswered(
            Obstacle.UNREADABLE, "the answer is no JSON", refused=False, status=status
        ) from None


def forget() -> None:
    """Know nothing of limits and access tokens any more."""
    _resting.clear()
    _tokens.clear()


def _credentials(account: Account, now: datetime) -> dict[str, str]:
    auth, token = account.auth, account.token
    if auth.kind == "basic":
        return {"authorization": "Basic " + base64.b64encode(token.encode()).decode()}
    if auth.kind == "client_credentials":
        token = _access_token(account, now)
    return {auth.header: auth.value.replace("{token}", token)}


def _access_token(account: Account, now: datetime) -> str:
    key = (account.api.url, account.token)
    known = _tokens.get(key)
    if known and now < known[0]:
        return known[1]
    try:
        granted = _grant(account, now)
    except NotAnswered as problem:
        # Whatever became of it: of what was to be asked nothing was.
        raise NotAnswered(
            problem.obstacle, problem.reason, refused=True, after=problem.after, status=problem.status
        ) from None
    try:
        token, lasts = str(granted["access_token"]), timedelta(seconds=int(granted.get("expires_in", 60)))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotAnswered(Obstacle.UNREADABLE, "there is no token in the answer", refused=True) from None
    _tokens[key] = (now + min(lasts / 2, TOKEN_KEPT), token)
    return token


def _grant(account: Account, now: datetime) -> Any:
    """What the helpdesk answers to our credentials."""
    name, _, secret = account.token.partition(":")
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    request = Request("POST", account.auth.path, urlencode(form).encode())
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    status, given, body = _exchange(request, account.api.url, headers)
    if status == 400:
        # What RFC 6749 answers to credentials that it does not know.
        raise NotAnswered(Obstacle.REFUSED, "status 400 for a token", refused=True, status=status)
    _refuse(status, given, urlsplit(account.api.url).netloc, now)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnswered(Obstacle.UNREADABLE, "the answer is no JSON", refused=True) from None


def _exchange(
    request: Request, base: str, headers: Mapping[str, str]
) -> tuple[int, Mapping[str, str], bytes]:
    """One request and its whole answer."""
    try:
        answer = _pool().request(
            request.method,
            base + request.path,
            body=request.body,
            headers={**headers, "user-agent": "followthrough"},
            redirect=False,
            retries=False,
            preload_content=False,
        )
    except (NewConnectionError, ConnectTimeoutError, NameResolutionError) as error:
        raise NotAnswered(Obstacle.UNREACHABLE, type(error).__name__, refused=True) from None
    except HTTPError as error:
        raise NotAnswered(Obstacle.UNREACHABLE, type(error).__name__, refused=False) from None
    try:
        body = _read(answer)
    except HTTPError as error:
        raise NotAnswered(
            Obstacle.UNREACHABLE, type(error).__name__, refused=False, status=answer.status
        ) from None
    finally:
        answer.close()
    if len(body) > LARGEST_ANSWER:
        raise NotAnswered(Obstacle.UNREADABLE, "the answer is too large", refused=False, status=answer.status)
    wanted = answer.headers.get("content-length", "")
    if wanted.isdecimal() and "content-encoding" not in answer.headers and len(body) < int(wanted):
        raise NotAnswered(Obstacle.UNREACHABLE, "the answer was cut off", refused=False, status=answer.status)
    return answer.status, answer.headers, body


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """The body as far as anybody wants it; one that trickles ends like one that stops."""
    body, ends = b"", time.monotonic() + READ_TIMEOUT
    while len(body) <= LARGEST_ANSWER and (chunk := answer.read1(65_536, decode_content=True)):
        body += chunk
        if time.monotonic() > ends:
            raise HTTPError("the answer trickles")
    return body


def _refuse(status: int, headers: Mapping[str, str], host: str, now: datetime) -> None:
    """Raise what a status other than success means."""
    if 200 <= status < 300:
        return
    reason = f"status {status}"
    if status in {401, 403}:
        raise NotAnswered(Obstacle.REFUSED, reason, refused=True, status=status)
    if status in {404, 410}:
        raise NotAnswered(Obstacle.GONE, reason, refused=True, status=status)
    if status in {429, 503}:
        rest = _rest(headers, now)
        if rest is not None or status == 429:
            _resting[host] = now + (rest or USUAL_REST)
            raise NotAnswered(
                Obstacle.UNREACHABLE, reason, refused=True, after=rest or USUAL_REST, status=status
            )
    # 409 and 423: somebody else is changing the ticket.
    if status in {408, 409, 423, 425} or status >= 500:
        raise NotAnswered(Obstacle.UNREACHABLE, reason, refused=status < 500, status=status)
    # Redirects too: to follow one would carry the token to another address.
    raise NotAnswered(Obstacle.UNREADABLE, reason, refused=True, status=status)


def _rest(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """``Retry-After`` (RFC 9110 §10.2.3): seconds, or a date; None for none that can be read."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        wanted = timedelta(seconds=min(int(text[:9]), 10**8))
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        wanted = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return max(timedelta(seconds=1), min(wanted, LONGEST_REST))


@cache
def _pool() -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
    return urllib3.PoolManager(num_pools=4, timeout=timeout)
