"""The single word that stops: in every language of the table, however it is written, and nothing but the word."""

from __future__ import annotations

import pytest

from agentconsole.domain import consent
from agentconsole.domain.consent import Said


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "S\u200bT\u200dO\ufeffP",
        "ＳＴＯＰ",
        "“STOP”",
        "stop!!!",
        "Arrêt",
        "ARRÊTER",
        "baja",
        "Cancelar",
        "SAIR",
        "수신거부",
        "\u1109\u116e\u1109\u1175\u11ab\u1100\u1165\u1107\u116e",
        "중지",
        "停止",
        "ストップ",
        "abmelden",
        "退订",
        "opt out",
        "STOP\u00ad",
        "s\u0301t\u0301o\u0301p",
    ],
)
def test_stops(text: str) -> None:
    assert consent.word(text) is False


@pytest.mark.parametrize(
    "text",
    [
        "please stop",
        "stop by tomorrow?",
        "STOP STOP",
        "don't cancel",
        "the end",
        "수신거부 하지 마세요",
        "停止しないでください",
        "거부합니다",
        "",
        "…",
        "pare com isso",
        "해지",
        "取消",
        "stop" + "\u200b" * 200,
        "yes",
    ],
)
def test_conversation_stops_nothing(text: str) -> None:
    assert consent.word(text) is None


def test_every_word_of_the_table_is_understood_as_it_stands_and_means_one_thing() -> None:
    meanings: dict[str, set[Said]] = {}
    for said, languages in consent.WORDS.items():
        assert {"en", "fr", "es", "pt", "de", "ko", "ja"} <= set(languages)
        for words in languages.values():
            for word in words:
                assert consent.said(word) == said
                assert consent.said(word.lower()) == said
                meanings.setdefault(consent.plain(word), set()).add(said)
    assert all(len(found) == 1 for found in meanings.values())


def test_start_and_help() -> None:
    assert consent.word("start") is True
    assert consent.word("수신동의") is True
    assert consent.said("Help") == Said.HELP
    assert consent.word("HELP") is None
