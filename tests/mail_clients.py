"""Replies as mail programs send them: tests/fixtures/replies/*.toml made into whole mails.

A reply is data: what somebody wrote, with which program in which language (``by = "de outlook"``). Here are the layouts
of the programs, as they were seen; the mail that they quote is our own survey in that language.

Keys of a reply: ``by``, ``text`` (``{quote}``, or ``{first}`` and ``{rest}`` where the survey is quoted by hand),
``subject`` (``{subject}`` is that of the survey), ``headers``, ``sender``, ``report`` (the kind of the report that is
attached) and ``calendar`` (a reply of a calendar).
"""

import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from functools import cache
from html import escape
from typing import Any

from blueprint import ROOT
from builders import CUSTOMER
from messages.compose import Closed, Mail, Survey, survey

FOLDER = ROOT / "tests/fixtures/replies"
US = "Acme Energy <followthrough@acme.example>"
LINK = "https://followthrough.acme.example/s/x"

ABOVE = "{words}\n\n{line}\n\n{quoted}"
HEADER = "{words}\n\n________________________________\n{header}\n\n{plain}"


@dataclass(frozen=True)
class Program:
    """How one program lays out a reply; a layout that is empty stands for a part that it does not send."""

    text: str = ""
    html: str = ""
    line: str = ""
    """Which sentence of the language introduces the quote, or that sentence."""
    wrap: int = 0
    charset: str = "utf-8"
    mailer: str = ""


GMAIL_HTML = (
    '<div dir="ltr">{words}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
    'class="gmail_attr">{line}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">{mail}'
    "</blockquote></div>"
)
OUTLOOK_HTML = (
    '<html><body lang="EN-GB"><div class="WordSection1"><p class="MsoNormal">{words}<o:p></o:p></p><div><div '
    'style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{header}'
    "</p></div></div>{mail}</div></body></html>"
)
OWA_HTML = (
    '<html><body dir="ltr"><div class="elementToProof">{words}</div><div id="appendonsend"></div><hr style='
    '"display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font>{header}</font></div>{mail}</body></html>'
)
APP_HTML = (
    '<html><body><div dir="auto">{words}</div><div id="ms-outlook-mobile-signature">{outlook_app}</div><hr style='
    '"display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr">{header}</div>{mail}</body></html>'
)
IPHONE_HTML = (
    '<html><body dir="auto">{words}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">{iphone}</div><div '
    'dir="ltr"><br><blockquote type="cite">{line}<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">'
    "{mail}</div></blockquote></body></html>"
)
YAHOO_HTML = (
    '<div class="yahoo-style-wrap"><div dir="ltr">{words}</div></div><div id="yahoo_quoted_1" class="yahoo_quoted">'
    "<div><div>{line}</div>{mail}</div></div>"
)
YAHOO_APP_HTML = (
    '{words}<br><br><div id="ymail_android_signature"><a href="https://mail.onelink.me/1">Yahoo Mail: Search, '
    'Organize, Conquer</a></div><br><blockquote style="margin: 0 0 20px 0;"><div>{line}</div>{mail}</blockquote>'
)
GMX_HTML = (
    '<html><body><div style="font-family: Verdana"><div>{words}</div><div>&nbsp;<div name="quote" style="margin:10px '
    '5px 5px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;">{header}</div><div name="quoted-'
    'content">{mail}</div></div></div></div></body></html>'
)
SAMSUNG_HTML = (
    '<html><body><div dir="auto">{words}</div><div id="composer_signature" dir="auto"><div style="font-size:12px">'
    '{galaxy}</div></div><div dir="auto"><br></div><div align="left" dir="auto" style="font-size:100%"><div>-------- '
    "{original} --------</div><div>{dated_header}</div></div>{mail}</body></html>"
)
QQ_TEXT = "{words}\n\n\n\n\n------------------&nbsp;原始邮件&nbsp;------------------\n{header}\n\n\n\n{plain}"
QQ_HTML = (
    '<div>{words}</div><div><br></div><div style="font: Verdana normal 14px;"><div style="FONT-SIZE: 12px;">---------'
    '---------&nbsp;原始邮件&nbsp;------------------</div><div style="background:#efefef;"><div id="menu_sender">'
    "{header}</div></div>{mail}</div>"
)
N163_HTML = (
    '<div style="line-height:1.7;">{words}<br/><br/><p>{line}</p><blockquote id="isReplyContent" style="PADDING-LEFT:'
    ' 1ex">{mail}</blockquote></div>'
)
ZOHO_HTML = (
    '<div>{words}</div><div class="zmail_extra"><div id="1">{line}</div><blockquote>{mail}</blockquote></div>'
)

PROGRAMS = {
    "bare": Program(text="{words}"),
    "gmail": Program(text=ABOVE, html=GMAIL_HTML, line="gmail", wrap=78),
    "outlook": Program(
        text="{words}\n\n\n{header}\n\n{plain}", html=OUTLOOK_HTML, mailer="Microsoft Outlook 16.0"
    ),
    "owa": Program(html=OWA_HTML),
    "outlook-app": Program(
        text="{words}\n\n{outlook_app}<https://aka.ms/o0ukef>\n________________________________\n{header}\n\n{plain}",
        html=APP_HTML,
    ),
    "apple": Program(text="{words}\n\n> {line}\n> \n{quoted}", line="apple", mailer="Apple Mail (2.3826)"),
    "iphone": Program(
        text="{words}\n\n{iphone}\n\n> {line}\n> \n> \n{quoted}",
        html=IPHONE_HTML,
        line="apple",
        mailer="iPhone Mail",
    ),
    "thunderbird": Program(text="{words}\n\n{line}\n{quoted}", line="thunderbird", wrap=72),
    "yahoo": Program(text="{words}\n\n    {line}\n \n {plain}", html=YAHOO_HTML, line="yahoo"),
    "yahoo-app": Program(html=YAHOO_APP_HTML, line="gmail"),
    "gmx": Program(html=GMX_HTML),
    "web": Program(
        text="{words}\n\n-- \nDiese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.\n\n"
        "{line}\n\n{plain}",
        line="apple",
    ),
    "samsung": Program(
        text="{words}\n\n\n{galaxy}\n\n\n-------- {original} --------\n{dated_header}\n\n{plain}",
        html=SAMSUNG_HTML,
    ),
    "qq": Program(text=QQ_TEXT, html=QQ_HTML, charset="gb18030", mailer="QQMail 2.x"),
    "163": Program(
        text="{words}\n\n\n\n\n\n\n{line}\n{plain}",
        html=N163_HTML,
        line='在 2026-11-30 16:00:00，"Acme Energy" <followthrough@acme.example> 写道：',
    ),
    "proton": Program(
        text="{words}\n\nSent with Proton Mail secure email.\n\n{line}\n\n{quoted}",
        line="On Monday, November 30th, 2026 at 9:00 AM, {us} wrote:",
    ),
    "zoho": Program(
        text="{words}\n\n\n\n{line}\n\n{plain}",
        html=ZOHO_HTML,
        line="---- On Mon, 30 Nov 2026 09:00:00 +0100 {us} wrote ---",
    ),
    "roundcube": Program(
        text="{words}\n\n{line}\n{quoted}", line="On 2026-11-30 09:00, Acme Energy wrote:", wrap=72
    ),
    "fastmail": Program(
        text="{words}\n\n{line}\n{quoted}", line="On Mon, 30 Nov 2026, at 9:00 AM, Acme Energy wrote:"
    ),
}


def replies(file: str) -> Iterator[tuple[str, str, bytes]]:
    """Name, expected verdict and content of each reply of a file."""
    for expected, listed in tomllib.loads((FOLDER / file).read_text("utf-8")).items():
        for number, reply in enumerate(listed, 1):
            yield f"{expected}-{number}-{reply['by'].replace(' ', '-')}", expected, whole(reply)


def whole(reply: dict[str, Any]) -> bytes:
    """One reply as a mail."""
    code, _, name = reply["by"].partition(" ")
    program, asked = PROGRAMS[name], _asked(code)
    mail = EmailMessage()
    mail["Return-Path"] = f"<{CUSTOMER}>"
    mail["From"] = reply.get("sender", f"Ana Beispiel <{CUSTOMER}>")
    mail["To"] = "Acme Energy <reply+l4711.1.aaaaaaaaaaaaaaaa@reply.acme.example>"
    mail["Subject"] = reply.get("subject", "Re: {subject}").format(subject=asked.subject)
    mail["Message-ID"] = "<6c1f@customer.example>"
    mail["In-Reply-To"] = "<0107@eu-central-1.amazonses.com>"
    for header, value in reply.get("headers", {}).items():
        mail[header] = value
    if program.mailer:
        mail["X-Mailer"] = program.mailer
    text, html = _parts(reply["text"].strip("\n"), code, program, asked)
    if text:
        mail.set_content(text, charset=program.charset)
    if text and html:
        mail.add_alternative(html, subtype="html", charset=program.charset)
    elif html:
        mail.set_content(html, subtype="html", charset=program.charset)
    if "report" in reply:
        mail.make_mixed()
        mail.replace_header("Content-Type", f'multipart/report; report-type="{reply["report"]}"')
        part, fields = EmailMessage(), EmailMessage()
        fields["Original-Recipient"] = "rfc822;x@reply.acme.example"
        part["Content-Type"] = f"message/{reply['report']}"
        part.set_payload([fields])
        mail.attach(part)
    if reply.get("calendar"):
        mail.add_alternative("BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR\n", subtype="calendar")
    return mail.as_bytes()


def _parts(words: str, code: str, program: Program, asked: Mail) -> tuple[str, str]:
    """What a program puts into its text part and its HTML part."""
    ways = _languages()[code]
    line = ways.get(program.line, program.line).format(us=US)
    quoted = [f"> {said}".rstrip() for said in asked.text.strip().split("\n")]
    by_hand = {
        "{quote}": "\n".join((line, *quoted)),
        "{first}": "\n".join((line, *quoted[:5])),
        "{rest}": "\n".join(quoted[5:]),
    }
    laid_out = program.text
    for place, quote in by_hand.items():
        if place in words:
            words, laid_out = words.replace(place, quote), "{words}"
    sender, sent, to, subject, dated = ways["labels"]
    values = (US, ways["day"], f"Ana Beispiel <{CUSTOMER}>", asked.subject)
    header = [f"{label}{value}" for label, value in zip((sender, sent, to, subject), values, strict=True)]
    dated_header = [header[0], f"{dated}30.11.26 09:00 (GMT+01:00)", header[2], header[3]]
    named = {key: ways[key] for key in ("original", "iphone", "outlook_app", "galaxy")}
    text = laid_out.format(
        words=words,
        line=line,
        quoted="\n".join(quoted),
        plain=asked.text,
        header="\n".join(header),
        dated_header="\n".join(dated_header),
        **named,
    )
    if program.wrap:
        text = "\n".join(_wrapped(said, program.wrap) for said in text.split("\n"))
    html = program.html if laid_out == program.text else ""
    return text, html.format(
        words=_html(words.split("\n")),
        line=escape(line),
        mail=asked.html.partition("<body")[2].partition(">")[2].partition("</body>")[0],
        header=_html(header),
        dated_header=_html(dated_header),
        **{key: escape(value) for key, value in named.items()},
    )


def _wrapped(line: str, width: int) -> str:
    if line.startswith(">"):
        return line
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)


def _html(lines: list[str]) -> str:
    return "<br>".join(escape(line) for line in lines)


@cache
def _languages() -> dict[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / "clients.toml").read_text("utf-8"))


@cache
def _asked(code: str) -> Mail:
    """The survey that is answered; also its words must never be taken for the customer's."""
    case = Closed(
        ticket_id="4711",
        closed_on=date(2026, 11, 30),
        subject="I cannot sign in",
        solution="The problem is solved: we set the password anew.",
        resolver_name="Kim Keller",
        promise="A call back until Friday",
        promise_missed=True,
    )
    context = Survey(
        company="Acme Energy",
        language=_languages()[code]["tag"],
        customer_name="Ana",
        closures=(case,),
        link=LINK,
        answer_by=date(2026, 12, 7),
        preferences_link="https://followthrough.acme.example/u/x",
        may_reply=True,
    )
    return survey(context)
