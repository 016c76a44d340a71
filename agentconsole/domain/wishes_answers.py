"""A short answer to our question which channel they want: ``2``, ``email``, ``카톡이요``."""

from __future__ import annotations

import re
from typing import Final

from agentconsole.domain.model import Medium
from agentconsole.domain.wishes import MARK, marked, one, plain, tongues, tongues_of

_LONGEST: Final = 2_000
_NUMBERED: Final = re.compile(r"(?<![\d.,])(\d)\s?[).:\-=]\s?([^\d\n,;()]{2,30})")
_ASKS: Final = re.compile(
    r"\?|？|which|how (?:should|would|shall|do|can)|prefer|어떤|어느|어떻게|원하시|편하|どの|どちら|どう|ご希望"
    r"|qual|como|cuál|cómo|prefiere|prefere",
    re.IGNORECASE,
)
_FILLER: Final = re.compile(
    r"\b(?:please|pls|plz|thanks|thank you|thx|the|by|via|on|per|just|number|option|ok|okay|yes|por|favor|gracias"
    r"|obrigad[oa]|pelo|o|el|pf|porfa|opção|opción|número)\b"
    r"|(?:으로|로|요|이요|입니다|주세요|부탁드립니다|부탁드려요|부탁해요|번|네|예|감사합니다"
    r"|でお願いします|お願いします|です|で|がいいです|番|はい|希望)|[.!,~^()\s]",
    re.IGNORECASE,
)


def answered(question: str, answer: str) -> Medium:
    """Return the medium that a short answer picks from those that a question of ours lists, else an empty one.

    Args:
        question: our last message there; it must ask, and name two media or more.
        answer: theirs: ``2``, ``email``, ``카톡이요``. Anything longer is read like every message.
    """
    if len(answer) > 60 or "\n" in answer.strip() or not _ASKS.search(question[:_LONGEST]):
        return Medium("")
    lines = plain(question[:_LONGEST].replace("\n", " , "))
    offered = list(dict.fromkeys(_offered(lines)))
    if len(offered) < 2:
        return Medium("")
    said = plain(answer)
    medium = one(said)
    if medium:
        left = _FILLER.sub("", _without_media(said))
        return medium if medium in offered and not left else Medium("")
    choice = _FILLER.sub("", said)
    if not (choice.isdecimal() and len(choice) == 1):
        return Medium("")
    numbered = {number: one(words) for number, words in _NUMBERED.findall(lines)}
    return numbered.get(str(int(choice)), Medium(""))


def _offered(text: str) -> list[str]:
    return [m for name in tongues_of(text, {}) for m in MARK.findall(marked(text, tongues()[name], loose=True))]


def _without_media(text: str) -> str:
    name = tongues_of(text, {})[0]
    return MARK.sub("", marked(text, tongues()[name], loose=True))
