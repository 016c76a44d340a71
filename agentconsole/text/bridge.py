"""The line that a reply begins with where it does not go the way the question came, in the customer's language.

Whoever is answered on WhatsApp about a mail of last week otherwise has to guess what the answer is about.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agentconsole.text.words_table import WORDS

_MAIL: Final = {
    "en": "About your e-mail of {en_day}:",
    "ko": "{month}월 {day}일 메일 주셨던 건입니다:",
    "ja": "{month}月{day}日にいただいたメールの件です：",
    "pt": "Sobre o seu e-mail de {day}/{month}:",
    "es": "Sobre su correo del {day}/{month}:",
}
_MESSAGE: Final = {
    "en": "About your message on {medium} of {en_day}:",
    "ko": "{month}월 {day}일 {medium}{by} 문의 주셨던 건입니다:",
    "ja": "{month}月{day}日に{medium}でいただいた件です：",
    "pt": "Sobre a sua mensagem por {medium} de {day}/{month}:",
    "es": "Sobre su mensaje por {medium} del {day}/{month}:",
}
LANGUAGES: Final = frozenset(_MAIL)
"""In another language the line is English."""


def bridge(medium: str, at: datetime, language: str) -> str:
    """Return the line that names the message which a reply on another medium answers.

    Args:
        medium: what the message came on.
        at: when, in the customer's own time.
        language: two letters; see ``LANGUAGES``.
    """
    code = language if language in LANGUAGES else "en"
    names = WORDS["ko" if code == "ko" else "en"]
    template = (_MAIL if medium == "email" else _MESSAGE)[code]
    return template.format(
        medium=names.get(f"medium.{medium}") or medium.replace("_", " "),
        day=at.day,
        month=at.month,
        en_day=f"{at.day} {at:%b}",
        by=_by(names.get(f"medium.{medium}", "")),
    )


def _by(name: str) -> str:
    """Return the Korean particle after a name: 문자로, 왓츠앱으로, 메일로; both where its sound is not known."""
    if not name or not "가" <= name[-1] <= "힣":
        return "(으)로"
    final = (ord(name[-1]) - ord("가")) % 28
    return "로" if final in (0, 8) else "으로"
