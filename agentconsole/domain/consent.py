"""Words by which customers stop and resume messages, per language, and what an opt-out or opt-in covers.

Only the single word counts: "stop" in a sentence is conversation. Compared after NFKC, without hidden characters and
without regard to case, accents or the marks around it. A word is understood whatever the customer's language is.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

from agentconsole.domain.model import Consent, ConsentScope, Medium

LONGEST: Final = 80
"""Characters of a text that may still be a single word with hidden characters in it."""


class Said(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


WORDS: Final[dict[Said, dict[str, frozenset[str]]]] = {
    Said.STOP: {
        # 47 CFR 64.1200(a)(10); CTIA Messaging Principles (END, CANCEL, QUIT, STOP, UNSUBSCRIBE); Twilio's defaults.
        "en": frozenset(
            {"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT"}
        ),
        # CWTA: ARRET beside STOP; ARRETT and ARRETE are what Twilio takes as well.
        "fr": frozenset({"ARRET", "ARRETE", "ARRETT", "ARRETER", "DESABONNER", "DESINSCRIRE"}),
        "es": frozenset({"ALTO", "BAJA", "CANCELAR", "PARAR", "DETENER"}),
        "pt": frozenset({"SAIR", "PARAR", "CANCELAR", "PARE", "DESCADASTRAR"}),
        "de": frozenset({"STOPP", "ABMELDEN", "ABBESTELLEN"}),
        "ko": frozenset({"수신거부", "수신 거부", "거부", "중지", "수신중지"}),
        "ja": frozenset({"停止", "解除", "配信停止", "ストップ"}),
        "zh": frozenset({"停止", "退订", "退訂", "TD"}),
    },
    Said.START: {
        "en": frozenset({"START", "UNSTOP", "SUBSCRIBE", "RESUME", "OPTIN", "OPT IN"}),
        "fr": frozenset({"REPRENDRE"}),
        "es": frozenset({"ALTA", "INICIAR", "REANUDAR"}),
        "pt": frozenset({"VOLTAR", "INICIAR"}),
        "de": frozenset({"ANMELDEN"}),
        "ko": frozenset({"수신동의", "수신 동의", "수신허용"}),
        "ja": frozenset({"再開", "配信再開"}),
        "zh": frozenset({"订阅", "訂閱"}),
    },
    Said.HELP: {
        "en": frozenset({"HELP", "INFO"}),
        "fr": frozenset({"AIDE"}),
        "es": frozenset({"AYUDA"}),
        "pt": frozenset({"AJUDA"}),
        "de": frozenset({"HILFE"}),
        "ko": frozenset({"도움말"}),
        "ja": frozenset({"ヘルプ"}),
        "zh": frozenset({"帮助", "幫助"}),
    },
}
"""What a word means, by language (ISO 639-1), as it stands after ``plain``."""

_HIDDEN: Final = frozenset({"Cf", "Cc", "Mn", "Me"})
_AROUND: Final = " \t\r\n.,!?\"'`*_()[]{}<>~-–—…。！？、“”‘’「」『』·:;"


def plain(text: str) -> str:
    """Return a text as words are compared: NFKC, no hidden characters, no accents, upper case, no marks around.

    Accents go by way of NFKD; Hangul is put together again (NFC), so that its syllables stay whole.
    """
    spread = unicodedata.normalize("NFKD", text)
    # Kana keep their voicing marks, which are letters to them and no accents.
    kept = (c for c in spread if c in "\t\n\r\u3099\u309a" or unicodedata.category(c) not in _HIDDEN)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).upper().strip(_AROUND).split())


_MEANING: Final[dict[str, Said]] = {
    plain(word): said for said, languages in WORDS.items() for words in languages.values() for word in words
}


def said(text: str) -> Said | None:
    """Return what a message that is a single word of these asks for, or None for everything else."""
    if len(text) > LONGEST:
        return None
    return _MEANING.get(plain(text))


def word(text: str) -> bool | None:
    """Return False for a word that stops, True for one that resumes, None for everything else."""
    return {Said.STOP: False, Said.START: True}.get(found) if (found := said(text)) is not None else None


_WIDTH: Final = {ConsentScope.MARKETING: 0, ConsentScope.SERVICE: 1, ConsentScope.ALL: 2}


def covers(one: Consent, other: Consent) -> bool:
    """Say whether a word about consent speaks of everything that another speaks of."""
    return one.medium in (Medium(""), other.medium) and _WIDTH[one.scope] >= _WIDTH[other.scope]
