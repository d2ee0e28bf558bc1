"""The pages that only say something: a bad link, a reopened ticket, a fault of ours. The same for every Lambda."""

from dataclasses import dataclass

from adapters import web
from messages import pages


@dataclass(frozen=True)
class Notice:
    """A status with what the page says; ``kept`` fields stand in a form that sends them again."""

    status: int
    title: str
    lines: tuple[str, ...]

    def response(
        self, nonce: str, company: str | None = None, kept: tuple[tuple[str, str], ...] = ()
    ) -> web.Response:
        """The page."""
        page = pages.NoticePage(title=self.title, lines=self.lines, company=company, kept=kept)
        response = web.page(self.status, pages.notice_page(page, nonce), nonce)
        if self.status == 503:
            response["headers"]["retry-after"] = "5"
        return response


NOT_FOUND = Notice(404, "This link does not work", ("It may be incomplete, or its time is over.",))
GONE = Notice(410, "This question is closed", ("What it was about is no longer kept.",))
REOPENED = Notice(
    409,
    "Your ticket was opened again",
    (
        "Somebody is working on it, so there is nothing to answer now.",
        "We will ask you again when it is closed.",
    ),
)
TRY_AGAIN = Notice(
    503,
    "That did not work",
    ("The fault is ours, and nothing was lost: please try again in a moment.",),
)
BAD_FORMS = {
    400: Notice(400, "We could not read that", ("Please go back and send it once more.",)),
    413: Notice(413, "That is too long", ("Please go back and shorten it to about two pages.",)),
    415: Notice(415, "We could not read that", ("Please use the form on the page.",)),
}
