"""Which language a message is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentconsole.text import language

SENTENCES = Path(__file__).parents[1] / "domain" / "wishes" / "held_out_others.tsv"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Where is my order? It has not arrived.", "en"),
        ("제 iPhone 주문 어디쯤 왔나요?", "ko"),
        ("注文はいつ届きますか", "ja"),
        ("我的订单什么时候到", "zh"),
        ("¿Cuándo llega mi pedido? Gracias", "es"),
        ("Quando chega o meu pedido? Obrigada", "pt"),
        ("Wann kommt meine Bestellung? Ich habe nicht", "de"),
        ("Quand est-ce que ma commande arrive ? Merci", "fr"),
        ("Где мой заказ", "ru"),
        ("ok", ""),
        ("", ""),
        ("4455-A-91", ""),
        ("👍👍", ""),
    ],
)
def test_guesses(text: str, wanted: str) -> None:
    found = language.guess(text)
    assert (found.language if found else "") == wanted


def test_right_or_silent_on_a_thousand_short_messages() -> None:
    right, wrong, silent = 0, [], 0
    for line in SENTENCES.read_text("utf-8").splitlines():
        wanted, _, text = line.split("\t")
        found = language.guess(text)
        if found is None:
            silent += 1
        elif found.language == wanted:
            right += 1
        else:
            wrong.append((wanted, found.language, text))
    assert len(wrong) <= 25, wrong
    assert right >= 750, (right, silent)


def test_most_messages_decide() -> None:
    found = language.of_many(["ok thanks", "언제 오나요?", "배송 부탁드립니다", "Where is the and my order"])
    assert found is not None
    assert found.language == "ko"
