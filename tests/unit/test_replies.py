"""What replies say, judged on a corpus: tests/fixtures/replies/<verdict>/*.eml and sentences.toml.

Most mails are data (mails.toml, held_out.toml) that tests/mail_clients.py makes whole; others are stored as they are.
A mail that is read wrongly, a yes as a no or an automatic mail as either, fails by itself. A clear one that is only
left to a person is counted: the share may not grow, and docs/decisions.md tells it.
"""

import re
import sys
import time
import tomllib
from email import message_from_string
from email.message import EmailMessage, Message
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blueprint import ROOT
from domain.reply import Verdict
from mail_clients import PROGRAMS, replies
from replies import automatic, languages, own_words, verdict
from replies.html import to_text
from replies.mail import LARGEST_HEADER, Unreadable, open_mail
from replies.normal import normal

CORPUS = ROOT / "tests/fixtures/replies"
MAILS: list[tuple[str, str, bytes]] = [
    *(
        (f"{mail.parent.name}-{mail.stem}", mail.parent.name, mail.read_bytes())
        for mail in sorted(CORPUS.rglob("*.eml"))
    ),
    *replies("mails.toml"),
    *((f"held-out-{name}", expected, mail) for name, expected, mail in replies("held_out.toml")),
]
"""Name, what it says, and content of each whole mail."""
LANGUAGE = re.compile(r"(?:^|-)(ar|de|en|es|fr|it|ja|nl|pl|pt|sv|zh)-")
SENTENCES = [
    (expected, text)
    for expected, texts in tomllib.loads((CORPUS / "sentences.toml").read_text("utf-8")).items()
    for text in texts
]
CLEAR = {"yes", "no"}
RECALL = 0.95
SLOWEST = 1.0
"""Seconds of a processor for the worst mail; most take a few milliseconds."""


def read(mail: bytes) -> str:
    """What becomes of a mail of the corpus, as the Lambda finds it."""
    try:
        opened = open_mail(mail)
        rule = automatic.rule(opened, "ana@customer.example", {"reply.acme.example"})
        return "automatic" if rule else str(verdict.of(own_words.of(opened.text)))
    except Unreadable:
        return "unusable"


@pytest.mark.parametrize(
    ("expected", "mail"), [(says, mail) for _, says, mail in MAILS], ids=[name for name, _, _ in MAILS]
)
def test_e7_no_mail_of_the_corpus_is_read_wrongly(expected: str, mail: bytes) -> None:
    """No automatic mail counts, nothing unclear is a yes or a no, and no "no" is a "yes"."""
    started = time.process_time()
    found = read(mail)
    assert time.process_time() - started < SLOWEST
    if expected in {"automatic", "unusable"}:
        assert found == expected
    else:
        assert found in {expected, "unclear", "thanks"}


@pytest.mark.parametrize(("expected", "text"), SENTENCES)
def test_e7_no_sentence_is_read_wrongly(expected: str, text: str) -> None:
    assert str(verdict.of(text)) in {expected, "unclear", "thanks"}


TROUBLE_IS_OVER = (
    *("Das Problem tritt nicht mehr auf", "Das Problem besteht nicht mehr, danke", "Läuft ohne Fehler"),
    *("Nein, das Problem besteht nicht mehr", "Funktioniert ohne Probleme", "The problem no longer exists"),
    *("No issues at all", "No problems at all", "No issues", "El problema ya no aparece"),
    *("El problema ya no persiste", "No he vuelto a tener el problema", "No tengo problemas"),
    *("O problema não ocorre mais", "O problema não existe mais", "Il problema non si presenta più"),
    *("Le problème ne se produit plus", "Problem już nie występuje", "问题没有了", "问题已经不存在了"),
    *("いいえ、もう問題は起きていません", "同じ問題はもう起きていません"),
)


@pytest.mark.parametrize("text", TROUBLE_IS_OVER)
def test_e7_who_says_that_there_is_no_trouble_does_not_say_no(text: str) -> None:
    assert verdict.of(text) is not Verdict.NO


TAKEN_BACK = (
    *("It is fixed. Today the same thing.", "The issue is resolved. The scanner is dead."),
    *(
        "The problem is gone, and so is all my data.",
        "It works. For five minutes.",
        "It works now and again.",
    ),
    *("Yes\nThe whole thing is dead", "It is fixed. But today the same thing.", "Oui. J'abandonne."),
    *("Hat funktioniert. Heute früh wieder dasselbe Spiel.", "Problem gelöst. Alle Daten weg."),
    *(
        "C'est réglé. Ce matin, rebelote.",
        "Ya funciona. Hoy lo mismo.",
        "È stato risolto. Oggi stessa storia.",
    ),
    *("Het werkt. Af en toe.", "Det är löst. Idag samma visa.", "Już działa. Dziś to samo."),
    *(
        "Voltou a funcionar. Hoje a mesma coisa.",
        "解決しました。今日再び同じです。",
        "已经好了。今天老样子。",
    ),
    "تم حل المشكلة. اليوم نفس الشيء.",
)


@pytest.mark.parametrize("text", TAKEN_BACK)
def test_e7_a_yes_that_is_followed_by_what_nobody_understands_is_none(text: str) -> None:
    assert verdict.of(text) is Verdict.UNCLEAR


SAID_BESIDE = (
    *(
        "Yes, solved. Thank you very much, Marta!",
        "Yes, thanks! Kim was very kind.",
        "Ja! Vielen Dank, Frau Weber.",
    ),
    *(
        "Oui, c'est réglé. Merci Marta !",
        "Sí, ya funciona. Gracias, Marta.",
        "Ja, het werkt weer. Bedankt Marta!",
    ),
    *("Tak, działa. Dziękuję Panie Marku!", "Yes, it works.\n\nMarta Weber\nAcme Ltd\n+49 30 123456"),
    *(
        "Yes it works now.\n\nThanks,\nMarta Weber\nHead of Sales\nAcme Ltd",
        "Ja, hat geklappt.\n\nMarta Weber",
    ),
    *("Yes, it is solved. Your technician was rude.", "Ja. Katastrophe!", "Yes. Horrible support."),
)


@pytest.mark.parametrize("text", SAID_BESIDE)
def test_e7_names_praise_and_blame_beside_a_yes_leave_it_one(text: str) -> None:
    """Of blame a person reads the words (replies/criticism.py)."""
    assert verdict.of(own_words.of(text)) is Verdict.YES


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Yes\nKim Smith",
            "Yes, it works now.\n\nKim",
            "Ja, alles gut. LG Kim",
            "はい、解決しました。\n佐藤",
        ),
        *("已经解决了，谢谢。\n王小明", "Ja, funktioniert wieder. Thanks!", "Sí, funciona. Thank you!"),
    ],
)
def test_who_says_yes_may_put_a_name_below_and_thank_in_another_language(text: str) -> None:
    assert verdict.of(text) is Verdict.YES


GONE = (
    "Das Problem tritt jetzt nicht mehr auf.",
    "Das Problem tritt nicht mehr auf.",
    "Das Problem besteht jetzt nicht mehr.",
    "Der Fehler besteht inzwischen nicht mehr, danke.",
    "Das Problem tritt zum Glück nicht mehr auf.",
    "Läuft jetzt ohne weitere Probleme.",
    "The problem now no longer occurs.",
    "The issue has not come back since.",
    "The problem has not happened again.",
    "The error does not appear any more.",
    "The error doesn't appear anymore, thanks.",
    "It runs without any errors now.",
    "It has worked without a problem since yesterday.",
    "Le problème ne se produit plus.",
    "Le problème n'apparaît plus maintenant.",
    "Le problème ne s'est plus reproduit depuis.",
    "Cela fonctionne maintenant sans aucun problème.",
    "Je n'ai plus aucun problème.",
    "El problema ya no ocurre.",
    "El problema ya no se produce ahora.",
    "El error ya no aparece.",
    "Funciona ahora sin ningún problema.",
    "Ya no tengo ningún problema.",
    "O problema já não ocorre.",
    "O problema não ocorre mais.",
    "O erro agora não aparece mais.",
    "Funciona agora sem nenhum problema.",
    "Il problema non si verifica più.",
    "Il problema ora non si presenta più.",
    "Funziona ora senza alcun problema.",
    "Non ho più nessun problema.",
    "Het probleem treedt nu niet meer op.",
    "Het probleem doet zich niet meer voor.",
    "De fout komt nu niet meer voor.",
    "Het werkt nu zonder problemen.",
    "Ik heb geen enkel probleem meer.",
    "Problem już nie występuje.",
    "Problem teraz już nie występuje.",
    "Błąd już się nie pojawia.",
    "Działa teraz bez żadnych problemów.",
    "Nie mam już żadnych problemów.",
    "問題はもう発生していません。",
    "エラーは出なくなりました。",
    "今は問題なく動いています。",
    "その後は再発していません。",
    "问题现在不再出现了。",
    "问题没有再出现。",
    "现在没有任何问题了。",
    "لم تعد المشكلة تظهر.",
    "المشكلة لم تعد موجودة الآن.",
    "يعمل الآن بدون أي مشكلة.",
    "لا توجد أي مشكلة الآن.",
    "Problemet har inte återkommit.",
    "Det fungerar nu utan problem.",
)
"""The problem is no longer there: a negation or a "without" that says yes."""
NOT_GONE = (
    "It no longer works.",
    "Sadly no still broken.",
    "Internet ya no funciona.",
    "Todavía no ha funcionado.",
    "Non si accende.",
    "Non si è risolto nulla.",
    "Ainda não está funcionando.",
    "Ainda não.",
    "Ainda não resolveram.",
    "It doesn't seem to work.",
    "Toch niet opgelost.",
    "Jednak nie działa.",
    "Immer noch keine Verbindung.",
    "Continua sem internet.",
    "まだ使えません。",
    "Drukarka już nie działa.",
    "Das Problem tritt immer noch auf.",
    "Das Problem tritt noch auf.",
    "Das Problem besteht.",
    "The problem still occurs.",
    "It does not work without errors.",
    "Cela ne fonctionne pas sans problème.",
    "No funciona sin problemas.",
    "Non funziona senza problemi.",
    "Problem nadal występuje.",
    "问题又出现了。",
)
PERHAPS_GONE = (
    "Der Fehler tritt seit dem letzten Update nicht mehr auf.",
    "Der Fehler tritt nicht mehr auf, dafür geht jetzt der Drucker nicht.",
    "Es läuft nicht ohne Probleme.",
    "The error does not appear any more, but nothing works.",
    "It works without a problem only sometimes.",
    "Le problème ne s'est plus reproduit mais rien ne marche.",
    "Il problema ora non si presenta più, ma è lento.",
    "Het werkt niet zonder problemen.",
    "Det fungerar inte utan problem.",
    "Nie działa bez żadnych problemów.",
    "エラーは出なくなりましたが、まだ遅いです。",
    "问题没有再出现，但是很慢。",
    "لم تعد المشكلة تظهر لكن البطء مستمر.",
    "لا يعمل بدون أي مشكلة.",
)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        *((Verdict.YES, text) for text in GONE),
        *((Verdict.NO, text) for text in NOT_GONE),
        *((Verdict.UNCLEAR, text) for text in PERHAPS_GONE),
    ],
)
def test_a_problem_that_is_no_longer_there_is_a_yes_and_one_that_is_there_is_not(
    expected: Verdict, text: str
) -> None:
    assert verdict.of(text) is expected


@pytest.mark.parametrize("divider", ["--", "—", "__", "**", "_" * 32, "-" * 40, "=" * 20])
def test_what_takes_it_back_below_a_line_that_only_divides_is_read(divider: str) -> None:
    text = f"It works now, thank you.\n\n{divider}\n\nBut the printer still fails."
    assert verdict.of(own_words.of(text)) is Verdict.UNCLEAR
    signed = f"It works now, thank you.\n\n{divider}\nKim Berg\nNordlicht Ltd, +49 30 1234"
    assert verdict.of(own_words.of(signed)) is Verdict.YES
    notice = (
        "This message is confidential. If you are not the intended recipient, you must not copy it, and please tell us "
        "at once that it did not reach whom it was for. We do not accept any liability for errors or problems that are "
        "caused by this mail, and cannot promise that it is free of anything that does harm."
    )
    noticed = f"It works now, thank you.\n{divider}\n{notice}"
    assert verdict.of(own_words.of(noticed)) is Verdict.YES


def shares() -> list[str]:
    """How many of the clear mails and sentences are understood, and what is left to a person, in lines."""
    read_as = {name: (expected, read(mail)) for name, expected, mail in MAILS}
    lines = []
    for expected in ("yes", "no", "thanks", "unclear", "automatic"):
        found = [as_what for meant, as_what in read_as.values() if meant == expected]
        left = sum(as_what in {"unclear", "thanks"} for as_what in found)
        lines.append(f"{expected}: {len(found)} mails, {left} left to a person ({left / len(found):.0%})")
    left = sum(as_what in {"unclear", "thanks"} for _, as_what in read_as.values())
    return [*lines, f"all: {len(read_as)} mails, {left} left to a person ({left / len(read_as):.0%})"]


def test_nearly_all_that_is_clear_is_understood() -> None:
    read_alike = [read(mail) == expected for _, expected, mail in MAILS if expected in CLEAR | {"thanks"}] + [
        verdict.of(text) == expected for expected, text in SENTENCES if expected in CLEAR
    ]
    assert sum(read_alike) / len(read_alike) >= RECALL


def test_what_is_left_to_a_person_is_told() -> None:
    """The table in docs/decisions.md is what the corpus gives today; ``pytest -s`` prints it."""
    told = (ROOT / "docs/decisions.md").read_text("utf-8")
    for line in shares():
        sys.stdout.write(f"\n{line}")
        assert line in told


def test_the_corpus_has_every_language_every_verdict_and_every_program() -> None:
    codes = set(languages.all_languages())
    assert len(codes) == 12
    for expected in ("yes", "no", "thanks", "unclear", "automatic"):
        names = [name for name, meant, _ in MAILS if meant == expected]
        assert codes <= {found[1] for name in names if (found := LANGUAGE.search(name))}, expected
    assert all(any(name.endswith(f"-{program}") for name, *_ in MAILS) for program in PROGRAMS)
    assert len(MAILS) >= 320


@pytest.mark.parametrize(
    "mail",
    [mail for _, expected, mail in MAILS if expected in {"yes", "no", "thanks"}],
    ids=[name for name, expected, _ in MAILS if expected in {"yes", "no", "thanks"}],
)
def test_quoted_history_and_signatures_never_reach_the_words(mail: bytes) -> None:
    words = own_words.of(open_mail(mail).text)
    for foreign in (
        "Is it really solved?",
        "followthrough@acme.example",
        "Consulting",
        "iPhone",
        "Galaxy",
        "Outlook",
        "4711",
        "https://",
    ):
        assert foreign not in words


@pytest.mark.parametrize(
    "text",
    [
        "Ja, geht wieder.\nVon meinem Laptop aus geht es aber noch nicht.",
        "Sí, ya funciona.\nEste mensaje de error sigue apareciendo al imprimir.",
        "Sì, funziona di nuovo.\nQuesto messaggio di errore appare ancora.",
        "Ja, het werkt weer.\nDit bericht verschijnt nog steeds bij het opstarten.",
        "是的，可以了。\n从我的电脑还是打不开。",
        "Yes, it works now.\n\nBest regards\nKim\n\nPS: It crashed again while I was writing this.",
        "Ja, funktioniert wieder.\n\nViele Grüße\nKim\n\nP.S. Der zweite Drucker geht immer noch nicht.",
        "Sí, ya funciona, gracias.\n\nSaludos\nAna\n\nP.D.: Hoy ha vuelto a fallar.",
        "Ja, funktioniert wieder, danke!\n\nViele Grüße\nKim\n\nNachtrag: Heute ist es wieder kaputt.",
        "Ja, funktioniert wieder, danke!\n\nViele Grüße\nKim\n\nNB: Heute ist es wieder kaputt.",
        "Yes, it works again, thanks!\n\nBest regards\nKim\n\nUpdate: it broke again an hour later.",
        "是的，解决了，谢谢。\n\n祝好\n王伟\n\n又及：今天又坏了。",
        "نعم، شكرا\n\nمع تحياتي\nأحمد\n\nملاحظة: تعطل مرة أخرى اليوم",
        "The phone works again, thanks.\n\nAs I wrote on 12 November:\nthe fax is still dead.",
        "Das Telefon funktioniert wieder, danke.\n\nWie am 12.11. geschrieben:\nDas Fax ist weiterhin tot.",
        "Le téléphone fonctionne de nouveau, merci.\n\nComme écrit le 12/11 :\nle fax est toujours en panne.",
        "Ja, funktioniert wieder.\nGruß, Fax noch kaputt",
        "Der Drucker funktioniert wieder.\nGesendet von Outlook kommen Mails aber nicht an.",
        "Yes, it works now.\nKind regards\nKim\np. s.: not for long\n\nOn 1 Dec 2026 A <a@b.example> wrote:\n> Yes",
        "Yes, it works.\n\nKind regards\nKim\n\nActually no, it just broke again!",
        "Yes, it works.\n\nSent from my iPhone\n\nActually no, it just broke again!",
        "Yes it works.\n\nRegards\nKim\n\nSorry, I spoke too soon. It is broken again.",
        "Yes, it works.\n\nRegards\nKim\n\nCan you look at the fax, too?",
        "Yes, it works.\n\nRegards\nKim\n\nIt broke again.\n\nFrom: A\nSent: today\nTo: B\n\nIs it solved?",
        "Yes, it works.\n\nRegards\nKim\n\nIt broke again.\n____________\nAcme asked whether it is solved.",
        "Yes, it works.\n\nOlu Adeyemi\nAcme Ltd\n1 High St\nLondon\nUK\nT: 020 7946\n\nIt broke again just now.",
        "No.\n\nRegards\nKim\n\nActually it works now!",
        "Ja, funktioniert.\n\nMfG\nKim\n\nDas Fax druckt nicht mehr.",
        "Oui, ça marche.\n\nCordialement\nAna\n\nEn fait non, la panne est revenue.",
        "Sí, funciona.\n\nSaludos\nAna\n\nAcaba de fallar otra vez.",
        "Sì, funziona.\n\nCordiali saluti\nAna\n\nSi è appena bloccato di nuovo.",
        "Ja, het werkt.\n\nMvg\nAna\n\nToch niet, hij is weer kapot.",
        "Tak, działa.\n\nWysłano z iPhone'a\n\nJednak znowu nie działa.",
        "Sim, funciona.\n\nAtenciosamente\nAna\n\nParou de novo agora.",
        "Ja, det fungerar.\n\nMvh\nAna\n\nNej, nu är det trasigt igen.",
        "はい、解決しました。\n\nよろしくお願いします\n佐藤\n\nすみません、また同じエラーが出ました。",
        "是的，解决了。\n\n祝好\n王伟\n\n刚才又坏了。",
        "نعم، تم الحل.\n\nمع تحياتي\nأحمد\n\nللأسف تعطل مرة أخرى.",
        "Yes, it works.\nTake care of room 12 too.",
        "Yes, it works.\nTake care of the invoice.\nIt is dated wrongly.",
        "Yes, it works.\nTake care of Kim",
        "Yes, it works.\nRegards, room 12 too",
        "Yes, it works.\n\nVPN off.",
        "Yes, it works.\n\nRouter Dead",
        "Ja, läuft.\n\nGruß, ruf mich an",
        "Ja, läuft.\n\nRouter Tot",
        "Ja, det fungerar.\n\nVänligen kontakta mig igen.\nSkrivaren startar om.",
        "Ja, det fungerar.\n\nVänligen ring",
        "Oui.\n\nCordialement\nAna\n\nOups, ça replante.",
        "Ja.\n\nVerstuurd vanaf mijn iPhone\n\nToch niet.",
        "Sim.\n\nAtenciosamente\nAna\n\nOps, travou de novo.",
        "Ja.\n\nMvh\nAna\n\nOj, nu slutade det igen.",
        "Tak, działa.\n\nWysłane z iPhone'a\n\nA jednak nie.",
        "نعم.\n\nمع تحياتي\nأحمد\n\nعذرا، توقف مرة أخرى.",
    ],
)
def test_e7_what_takes_a_yes_back_is_read_also_where_it_looks_like_a_footer(text: str) -> None:
    assert verdict.of(own_words.of(text)) is Verdict.UNCLEAR


@pytest.mark.parametrize(
    "footer",
    [
        "Please consider the environment before printing this e-mail.",
        "Please do not print this mail.",
        "If you are not the intended recipient, you must delete it.",
        "Por favor, no imprima este correo.",
        "Bitte drucken Sie diese E-Mail nicht unnötig aus.",
        "No Ltd\nHead of Broken Things",
        "On 1 Dec 2026 A <a@b.example> wrote:\n\nIs it still broken?",
        "-----Original Message-----\nNo, it is broken.",
        "________________________________\nIs it still broken?",
        "> No, it is broken.",
        f"It is broken. {'It is dated wrongly. ' * 20}",
    ],
)
def test_what_stands_below_a_name_and_takes_nothing_back_is_no_word_of_the_customer(footer: str) -> None:
    assert own_words.of(f"Yes, it works.\n\nRegards\nKim\n\n{footer}") == "Yes, it works."


@pytest.mark.parametrize(
    "end",
    [
        *("Take care\nKim", "Take care, Kim", "Best,\nKim", "best regards kim", "kind regards marta"),
        *("Best regards and thanks\nKim", "Best regards from Berlin\nKim", "Viele Grüße aus Köln\nKim"),
        *("Mit freundlichen Grüßen, Marta Weber", "Vänligen\nKim", "Cordialement,\nAna", "此致\n王伟"),
        *("\nKim Berg\nAcme Ltd.", "\nKim Berg\nAcme Sp. z o.o.", "\nKim Berg\nVerein der Freunde e.V."),
    ],
)
def test_with_what_people_end_their_mails_is_no_word_of_theirs(end: str) -> None:
    assert own_words.of(f"Yes, it works.\n{end}") == "Yes, it works."


def test_a_name_with_what_people_write_below_it_is_a_signature_without_any_sign() -> None:
    signed = "It works.\n\nMany thanks,\n{}\nT: 020 7946 0000"
    assert own_words.of(signed.format("Olu Adeyemi\nHead of Sales")) == "It works.\n\nMany thanks,"
    assert own_words.of("It works.\n\nOlu Adeyemi\nHead of Sales\nolu@b.example\n\n> quoted") == "It works."
    for said in ("Olu\nCall me, it is broken", "Olu\nThe fax is dead", "Disaster!", "Today the same thing"):
        assert said in own_words.of(signed.format(said))


def test_what_stands_below_a_name_is_no_postscript_unless_it_says_so() -> None:
    signed = (
        "Yes, it works.\n\nBest regards\nKim\nPSA Support\n\nOn 1 Dec 2026 A <a@b.example> wrote:\n> PS: no"
    )
    assert own_words.of(signed) == "Yes, it works."
    assert (
        own_words.of("It works.\n--\nKim\nPS: thanks!\nFrom: A\nSent: today\nTo: B")
        == "It works.\n\nPS: thanks!"
    )


# --- automatic mail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("Auto-Submitted", "no", None),
        ("Auto-Submitted", "auto-replied; owner-email=x", "auto_submitted"),
        ("Precedence", "BULK", "precedence"),
        ("Precedence", "first-class", None),
        ("X-Auto-Response-Suppress", "DR, OOF, AutoReply", None),
        ("X-Auto-Response-Suppress", "All", "auto_response_suppress"),
        ("List-Unsubscribe", "<https://x.example>", "list"),
        ("Subject", "Re: Out of office coverage", None),
        ("Subject", "=?utf-8?q?R=C3=A9ponse_automatique_=3A_x?=", "subject"),
        ("From", "noreply@customer.example", "robot"),
        ("From", "Noreen Reply <noreen.reply@customer.example>", None),
        ("From", "a@reply.acme.example", "ourselves"),
    ],
)
def test_e1_each_rule_knows_its_mark_and_nothing_else(header: str, value: str, expected: str | None) -> None:
    mail = f"{header}: {value}\r\n{'' if header == 'From' else 'From: ana@customer.example'}\r\n\r\nYes."
    opened = open_mail(mail.replace("\r\n\r\n\r\n", "\r\n\r\n").encode())
    assert automatic.rule(opened, "ana@customer.example", {"reply.acme.example"}) == expected


# --- parts of a mail -------------------------------------------------------------------------------------------------


def of_parts(*parts: Message, kind: str = "mixed") -> Message:
    """A mail with these parts, one after the other."""
    made = MIMEMultipart(kind)
    for part in parts:
        made.attach(part)
    return made


def plain(text: str) -> Message:
    return MIMEText(text)


def log_file(text: str) -> Message:
    made = MIMEText(text)
    made.add_header("Content-Disposition", "inline", filename="today.log")
    return made


PICTURE = MIMEImage(b"", "png")
COLLEAGUE = MIMEMessage(message_from_string("From: b@c.example\n\nYes, it works again, thanks!"))
BOUNCED = message_from_string("Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n")
BOUNCE = of_parts(plain("It could not be delivered."), BOUNCED, kind="report")
INVITATION = of_parts(MIMEText("BEGIN:VCALENDAR", "calendar"), kind="alternative")
REACTION = MIMEText('{"emoji": "👍", "version": 1}', "vnd.google.email-reaction+json")
NO = "No, it is still broken."


@pytest.mark.parametrize(
    ("mail", "says"),
    [
        (of_parts(plain("Yes, thank you!"), PICTURE, plain("But this one is still broken.")), "unclear"),
        (of_parts(plain(""), PICTURE, plain(NO)), "no"),
        (of_parts(MIMEText(f"<p>{NO} See my colleague's mail.", "html"), COLLEAGUE), "no"),
        (of_parts(plain(f"{NO} See the bounce."), MIMEMessage(BOUNCE)), "no"),
        (of_parts(plain(f"{NO} See the invitation."), MIMEMessage(INVITATION)), "no"),
        (of_parts(MIMEText(f"<p>{NO}", "html"), log_file("Yes, it works.")), "no"),
        (of_parts(plain("Yes, it works."), MIMEText("<p>Yes, it works.", "html"), kind="alternative"), "yes"),
        (of_parts(MIMEText("<p>Yes.</p>", "html"), plain("Yes, it works."), kind="alternative"), "yes"),
        (MIMEText(f"<html><head><title>x</title><body><p>{NO}</p></body></html>", "html"), "no"),
        (BOUNCE, "automatic"),
        (of_parts(plain("Yes"), MIMEText("BEGIN:VCALENDAR", "calendar")), "automatic"),
        (of_parts(plain("👍\n\nKim reacted via Gmail"), REACTION, kind="alternative"), "automatic"),
    ],
)
def test_e7_a_mail_says_what_its_writer_wrote_and_not_what_is_attached(mail: Message, says: str) -> None:
    mail["From"] = "Ana <ana@customer.example>"
    assert read(mail.as_bytes()) == says


def test_e7_many_recipients_are_no_reason_to_read_nothing() -> None:
    many = ", ".join(f"person{number}@customer.example" for number in range(2000))
    assert read(f"From: ana@customer.example\r\nCc: {many}\r\n\r\n{NO}\r\n".encode()) == "no"


# --- hostile mails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", ["(", '"', "a,", "a\r\n ", "\\", "<", "[", "@", "=?utf-8?q?a?= "])
def test_e6_the_longest_header_takes_no_longer_than_others(piece: str) -> None:
    started = time.process_time()
    for name in ("From", "Subject"):
        read(f"{name}: {piece * (LARGEST_HEADER // len(piece) - 10)}\r\n\r\n{NO}".encode())
    assert time.process_time() - started < SLOWEST


@pytest.mark.parametrize("size", [LARGEST_HEADER + 100, 1_000_000])
def test_e6_a_header_without_end_is_refused_at_once(size: int) -> None:
    started = time.process_time()
    with pytest.raises(Unreadable, match="mime_limit"):
        open_mail(b"From: a@b.example\r\nX: " + b"=?utf-8?q?=41?= " * (size // 16))
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<p", "&#", "</", '<a href="', "<blockquote>", "<![CDATA[", "<?", "<p/", "&amp"]
)
def test_e6_broken_html_takes_no_longer_than_other_html(piece: str) -> None:
    started = time.process_time()
    to_text(piece * (65_536 // len(piece)))
    assert time.process_time() - started < SLOWEST


@pytest.mark.parametrize(
    "line", ["> ", "on 1 wrote", "a" * 300, "from: x", "-", "1 <a@b", "no ", "は", "not solved ", "don't "]
)
def test_e6_long_texts_take_no_longer_than_other_texts(line: str) -> None:
    started = time.process_time()
    for text in (line * (65_536 // len(line)), f"{line}\n" * (65_536 // (len(line) + 1))):
        verdict.of(own_words.of(text))
    assert time.process_time() - started < 2 * SLOWEST


@pytest.mark.parametrize("divider", ["--", "br"])
def test_e6_many_ends_of_a_text_take_no_longer_than_one(divider: str) -> None:
    started = time.process_time()
    assert own_words.of(f"{divider}\nno\n" * 60 + "\n" * 1850 + "it fails")
    assert time.process_time() - started < 2 * SLOWEST


@given(st.binary(max_size=2000))
@example(b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n\r\nx")
@example(b"Content-Type: text/plain; charset*=utf-8'en'%FF\r\n\r\nx")
@example(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n====")
@example(b"Subject: =?utf-8?b?===?=\r\nFrom: =?x?q?=@?=\r\n\r\n")
@settings(max_examples=300, deadline=None)
def test_e6_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        mail = open_mail(content)
    except Unreadable:
        return
    automatic.rule(mail, "a@b.example", set())
    assert verdict.of(own_words.of(mail.text)) in set(Verdict)


@given(
    st.lists(st.sampled_from([text for _, text in SENTENCES] + ["\n", "> ", "-- \n", "?", "👍", "\x00", "ˈ"]))
)
@settings(max_examples=100, deadline=None)
def test_e7_whatever_is_written_has_one_verdict(pieces: list[str]) -> None:
    assert verdict.of(own_words.of(" ".join(pieces))) in set(Verdict)


@given(st.sampled_from([text for expected, text in SENTENCES if expected == "yes"]))
def test_e7_a_question_is_no_answer(text: str) -> None:
    assert verdict.of(f"{text} ?") not in {Verdict.YES, Verdict.NO}


@given(
    st.sampled_from([text for expected, text in SENTENCES if expected == "yes"]),
    st.sampled_from([text for expected, text in SENTENCES if expected == "no"]),
    st.sampled_from(["\n", " ", ", "]),
)
@settings(max_examples=300, deadline=None)
def test_e7_yes_and_no_together_are_neither(yes: str, no: str, between: str) -> None:
    """In whatever languages: only a no that is said first may stand, never a yes."""
    assert verdict.of(f"{yes}{between}{no}") != Verdict.YES
    assert verdict.of(f"{no}{between}{yes}") != Verdict.YES


# --- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes\n\nOn Mon, Nov 30, 2026 at 9:00 AM Acme\n<x@y.example> wrote:\n> old", "Yes"),
        (
            "On Mon, Nov 30, 2026, Acme <x@y.example> wrote:\n> old\n\nYes, below.\n> more\nReally.",
            "Yes, below.\nReally.",
        ),
        ("Yes\n-----Original Message-----\nNo", "Yes"),
        ("Ja\n________________________________\nVon: x\nGesendet: y", "Ja"),
        ("Oui\n\nDe : x\nEnvoyé : lundi\nObjet : y\n\nNon", "Oui"),
        ("Yes\n*From:* x\n*Sent:* y\n*To:* z\nNo", "Yes"),
        ("To: whom it may concern\nit works", "To: whom it may concern\nit works"),
        ("Yes\n--\nAna\nNo Ltd", "Yes"),
        ("Yes\nBest regards,\nAna\nNo Ltd", "Yes"),
        ("Best thing ever: it works", "Best thing ever: it works"),
        ("Yes\nGet Outlook for Android", "Yes"),
        ("- it works\n- thanks", "- it works\n- thanks"),
        ("", ""),
    ],
)
def test_only_the_own_words_are_left(text: str, expected: str) -> None:
    assert own_words.of(text) == expected


def test_html_is_read_as_it_looks() -> None:
    html = (
        "<div>Yes,&nbsp;it<br>works</div><style>x</style><div class='gmail_quote'>No<div>No</div></div>"
        "<p>really</p><blockquote>No <blockquote>No</blockquote> No</blockquote><p>now</p>"
        "<div id='x_divRplyFwdMsg'>No</div>No"
    )
    assert re.sub(r"\n+", "|", to_text(html)) == "Yes, it|works|really|now"


def test_the_text_part_counts_and_an_empty_one_does_not() -> None:
    mail = EmailMessage()
    mail.set_content(" \n")
    mail.add_alternative("<p>Yes</p>", subtype="html")
    assert open_mail(bytes(mail)).text == "Yes"
    mail.add_attachment("No", filename="no.txt")
    assert open_mail(bytes(mail)).text == "Yes"


@given(st.text())
@example("\U0001d400 \u1e9e \u0130 \u3099")
@settings(max_examples=500, deadline=None)
def test_the_normal_form_is_stable_and_keeps_lines(text: str) -> None:
    once = normal(text)
    assert normal(once) == once
    assert once.count("\n") == text.count("\n")


def test_phrases_stand_for_all_their_texts() -> None:
    assert list(languages.expanded("(it|all) is [now|at_last] fixed")) == [
        "it is now fixed",
        "it is at last fixed",
        "it is fixed",
        "all is now fixed",
        "all is at last fixed",
        "all is fixed",
    ]


def test_every_file_of_phrases_has_known_keys_only() -> None:
    lists = {*languages.TELLING, "positive", "closing", "sent_from", "wrote", "from", "labels"}
    for file in languages.FOLDER.glob("*.toml"):
        content = tomllib.loads(file.read_text("utf-8"))
        others = {"original", "automatic", "asks", "thanks_for", "introduces", "spaced", "negation_after"}
        assert set(content) <= lists | others, file.name
        for key, value in content.items():
            assert isinstance(value, bool) or all(phrase.strip() == phrase != "" for phrase in value), key
