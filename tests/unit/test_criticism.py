"""Words that are passed on as praise hold none that hurt; what is doubtful waits for a person."""

import pytest

from replies.criticism import is_critical

PRAISE = (
    "Marta stayed on the phone until it really worked.\nThat was the first time somebody did.",
    "Fast and friendly, no waiting at all. Thanks for fixing the problem with my meter.",
    "The men who came were kind and quick.",
    "Super schnelle Hilfe, danke an Herrn Kim!",
    "Endlich jemand, der zuhört. Danke!",
    "Merci beaucoup, très efficace et aimable.",
    "¡Muchas gracias! Muy amables y rápidos.",
    "Muito obrigada, resolveram tudo no mesmo dia.",
    "Grazie mille, siete stati velocissimi.",
    "Heel erg bedankt, snel en vriendelijk geholpen.",
    "Bardzo dziękuję, szybko i miło.",
    "Tack så mycket, snabb och trevlig hjälp!",
    "迅速に対応していただき、ありがとうございました。",
    "非常感谢，服务很好，很快就解决了。",
    "شكرا جزيلا على المساعدة السريعة واللطيفة",
)
MORE_THAN_PRAISE = (
    "Works now, but the first technician was rude.",
    "Thanks Kim. Unlike your colleague Ben you listened.",
    "It is fixed, although I had to wait three weeks",
    "Geht jetzt, aber es hat viel zu lange gedauert.",
    "Danke. Herr Müller war sehr unfreundlich.",
    "Merci, mais j'ai dû appeler cinq fois.",
    "Funciona, pero tardaron semanas.",
    "Funciona, mas ninguém me avisou.",
    "Ora va, però il primo tecnico era maleducato.",
    "Werkt weer, maar ik ben niet blij met de wachttijd.",
    "Działa, ale trwało za długo.",
    "Det fungerar, men jag är besviken.",
    "直りましたが、対応が遅すぎます。",
    "解决了，但是等了太久。",
    "تم الحل لكن الموظف كان وقحا",
    "Still not working properly, to be honest.",
    "Thank you! When will the old device be collected?",
)


@pytest.mark.parametrize("words", PRAISE)
def test_praise_is_passed_on(words: str) -> None:
    assert not is_critical(words)


@pytest.mark.parametrize("words", MORE_THAN_PRAISE)
def test_whatever_blames_compares_or_asks_waits_for_a_person(words: str) -> None:
    assert is_critical(words)
