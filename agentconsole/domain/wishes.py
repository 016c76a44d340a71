"""Where does somebody want to be answered, as far as their own words say so?

A sentence is brought to a plain form, names of media become marks (``<email>``, as a verb ``<sms!> me``), mentions that
ask for nothing are erased (past, turned down, an object that is to be sent, a question whether we have it), and what is
left is compared with how people ask. Deterministic, no model; tables per language in ``wishes_en`` and its neighbours.

A reading is *sure* (taken by itself) only where one medium is asked for, for oneself and in general; whatever falls
short of that is a suggestion that an agent decides on. How often either is right is measured on sentences that were
written before the rules and by somebody else: see ``tests/domain/wishes`` and ``docs/choosing.md``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from agentconsole.domain.model import Medium, Value
from agentconsole.domain.wishes_rules import Tongue

_HEAD: Final = 8_000
_TAIL: Final = 4_000
_SENTENCE: Final = 400
_WORDS: Final = 160
_BLANK: Final = "·"
_PRIVATE: Final = 0xE000
_CONTRAST_WORDS: Final = 14
_STATES: Final = re.compile(r"\b(?:is|are|was|were|é|es|está|son|são)\b")
_WONDERS: Final = re.compile(
    r"^(?!.*<\w+!> (?:me|us)\b).*(?:"
    r"\b(?:maybe|perhaps|possibly|might be|may be|talvez|quizás?|tal vez|a lo mejor|quem sabe)(?!\w)"
    r"|어쩌면|아마|지도 ?(?:모르|몰라)|かも)"
)
"""Who only wonders whether a medium would be better has not asked for it: an agent decides."""
_QUESTION: Final = ("?", "か", "か。")

_LATIN: Final = ("en", "pt", "es")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HINTS: Final = {
    "en": _words(
        "a and answer are at best but by call can contact do for has have i if in is it just me my not of on only "
        "please pls prefer text the this to via was when will with you your"
    ),
    "pt": _words(
        "add ao avisa avisem chama com comigo da de do dá e em envia envie escrevam etiqueta eu fala falar fale "
        "favor gentileza gostaria liga liguem manda mande mandem me melhor meu mim minha na nao no não o obrigada "
        "obrigado os ou para pela pelo pf pfv pode podem por pra prefiro que receber respondam resposta respostas "
        "retornem ser só toque um uma você vocês zap é"
    ),
    "es": _words(
        "al avisan avisen con contactaran contacto contesten correo de del el en envíenme es escriban escríbanme "
        "está favor gracias gustaría hola la las llamen llámenme lo los manden me mejor mi mándenme más no para "
        "por porfa prefiero puede pueden que quisiera respondan respóndanme se si solo su un una usted ustedes "
        "wasap y"
    ),
}
_LETTERS: Final = {
    "en": (),
    "pt": ("ã", "õ", "ç", "nh", "lh", "ê", "â"),
    "es": ("ñ", "¿", "¡", "ción", "ú", "ía", "ieran", "áme", "énme", "ánme", "íba", "íbe"),
}

_HANGUL: Final = re.compile(r"[가-힣ㄱ-ㅎ]")
_KANA: Final = re.compile(r"[ぁ-んァ-ヴ一-龥]")
_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\s[-–—]\s|;\s")
_LINE_NAME: Final = re.compile(r"(?<![A-Za-z])LINE(?![A-Za-z])")
_SHOUTED: Final = re.compile(r"[a-z]")
_SPACE: Final = re.compile(r"\s+")
_SAID: Final = re.compile(r"\"[^\"]{0,200}\"|“[^”]{0,200}”|「[^」]{0,200}」|『[^』]{0,200}』|«[^»]{0,200}»")
MARK: Final = re.compile(r"<(\w+)!?>")
_FORM: Final = re.compile(r"\s{0,4}(?:[*•-]\s?)?(?P<label>[^:?=\n]{3,60}?)\s?(?:[:=?]+|\s[-–]\s)\s?(?P<value>.{0,60})")
_TICKED: Final = re.compile(r"(?:\[\s?[xX✓✔vV]\s?\]|[☑☒✅●■]|\(\s?[xX•]\s?\))\s?([^\[\]☐☑☒○●□■(]{1,30})")
_BOXES: Final = re.compile(r"\[[\sxX✓✔vV]?\s?\]|[☐☑☒○●□■✅]")
_ANSWER_SUBJECT: Final = re.compile(
    r"\s*(?:re|aw|fwd?|fw|회신|답장|전달|返信|転送|res|enc|rv)\s?(?:\[\d+\])?:", re.IGNORECASE
)


class Reading(Value, frozen=True):
    """What a text asks for.

    Args:
        purpose: what it is asked for only, else empty.
        sure: may be taken by itself.
        words: the sentence, as the customer wrote it, at most 160 characters.
    """

    medium: Medium
    purpose: str = ""
    sure: bool = False
    words: str = ""


@cache
def tongues() -> dict[str, Tongue]:
    """Return the tables. Compiling them takes half a second, which nobody should wait for who reads no message."""
    from agentconsole.domain import wishes_en, wishes_es, wishes_ja, wishes_ko, wishes_pt

    modules = {"en": wishes_en, "ko": wishes_ko, "ja": wishes_ja, "pt": wishes_pt, "es": wishes_es}
    return {name: module.TONGUE for name, module in modules.items()}


@cache
def _purposed() -> dict[str, tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]]:
    return {name: _with_purposes(tongue) for name, tongue in tongues().items()}


def read(text: str, subject: str = "") -> Reading | None:
    """Return the wish that a message states, a sure one before an unsure one.

    Args:
        text: what they wrote newly; quoted text must not be in it.
    """
    found = readings(text, subject)
    return next((one for one in found if one.sure), found[0] if found else None)


def readings(text: str, subject: str = "") -> tuple[Reading, ...]:
    """Return the wishes of a message, one for each purpose. Two media for one purpose leave both unsure."""
    whole = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    if subject and not _ANSWER_SUBJECT.match(subject):
        whole = f"{subject[:200]}\n{whole}"
    message = _scores(whole)
    best: dict[str, Reading] = {}
    torn: set[str] = set()
    for one in _each(whole, message):
        before = best.get(one.purpose)
        if before is not None and before.medium != one.medium:
            if before.sure and one.sure:
                torn.add(one.purpose)
            elif before.sure:
                continue
        if before is None or one.sure or not before.sure:
            best[one.purpose] = one
    return tuple(
        Reading(one.medium, one.purpose, False, one.words) if one.purpose in torn else one for one in best.values()
    )


def _each(text: str, message: dict[str, int]) -> Iterator[Reading]:
    label = False
    for raw in text.splitlines():
        line = plain(raw)
        if not line or line.startswith(">"):
            continue
        if label and (medium := _value(line)):
            yield Reading(medium, "", True, _quoted(raw))
            label = False
            continue
        form = _FORM.match(line)
        if form is not None and _is_label(form["label"]):
            value = form["value"].strip()
            label = not value
            if medium := _value(value):
                yield Reading(medium, "", True, _quoted(raw))
                continue
        else:
            label = _is_label(line)
        for sentence in _END.split(line):
            for start in range(0, len(sentence), _SENTENCE):
                part = sentence[start : start + _SENTENCE]
                found = _sentence(part, message)
                if found is not None:
                    yield found


def plain(line: str) -> str:
    """Return a line after NFKC, without hidden characters and without what others are quoted with."""
    text = unicodedata.normalize("NFKC", line).replace("<", " ").replace(">", " ") if "<" in line else line
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Co") or c == "\t")
    text = text.replace("’", "'").replace("‘", "'").replace("ʼ", "'")
    return _SPACE.sub(" ", _SAID.sub(f" {_BLANK} ", text)).strip()


def _quoted(raw: str) -> str:
    text = _SPACE.sub(
        " ", "".join(c for c in raw if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    ).strip()
    if len(text) <= _WORDS:
        return text
    # The beginning of a card number would not be known as one, so nothing that may be cut through is kept.
    return text[: _WORDS - 1].rstrip("0123456789 .-") + "…"


# -- forms -------------------------------------------------------------------------------------------------


def _is_label(text: str) -> bool:
    plain = text.strip(" :?*¿").lower()
    return 3 <= len(plain) <= 60 and any(tongue.labels.fullmatch(plain) for tongue in tongues().values())


def _value(text: str) -> Medium:
    """Return the one medium that an answer in a form names, else an empty one."""
    if len(text) > 60:
        return Medium("")
    if _BOXES.search(text):
        text = " ".join(_TICKED.findall(text))
    if not text or len(text.split()) > 5:
        return Medium("")
    return one(text)


def one(text: str) -> Medium:
    """Return the one medium that a few words name, whatever their language, else an empty one."""
    found = {mark for name in tongues_of(text, {}) for mark in MARK.findall(marked(text, tongues()[name], loose=True))}
    return Medium(found.pop()) if len(found) == 1 else Medium("")


# -- sentences ---------------------------------------------------------------------------------------------


def _scores(text: str) -> dict[str, int]:
    low = text[:2_000].lower().replace("e-mail", "")
    words = re.findall(r"[^\W\d_]+", low)
    letters = {name: sum(low.count(letter) for letter in some) for name, some in _LETTERS.items()}
    return {name: min(sum(word in hints for word in words) + letters[name], 30) for name, hints in _HINTS.items()}


def tongues_of(text: str, message: dict[str, int]) -> list[str]:
    """Return the languages that a sentence may be in: by its script, or by its small words."""
    if _HANGUL.search(text):
        return ["ko"]
    if _KANA.search(text):
        return ["ja"]
    here = _scores(text)
    points = {name: 40 * here[name] + message.get(name, 0) for name in _LATIN}
    most = max(points.values())
    return [name for name in _LATIN if points[name] == most]


def marked(text: str, tongue: Tongue, *, loose: bool = False) -> str:
    """Return the text in lower case with media as marks."""
    shouted = not _SHOUTED.search(text)
    if not shouted or loose:
        text = _LINE_NAME.sub(chr(_PRIVATE + 900), text)
    text = text.lower()
    for number, (spelling, _) in enumerate(tongue.media):
        text = spelling.sub(chr(_PRIVATE + number), text)
    if not any(_PRIVATE <= ord(c) <= _PRIVATE + 900 for c in text):
        return text
    text = text.replace(chr(_PRIVATE + 900), "<line>")
    for number, (_, medium) in enumerate(tongue.media):
        text = text.replace(chr(_PRIVATE + number), f"<{medium}>" if medium else _BLANK)
    return text


def _sentence(sentence: str, message: dict[str, int]) -> Reading | None:
    results = [_in_tongue(sentence, tongues()[name], _purposed()[name]) for name in tongues_of(sentence, message)]
    if any(vetoed for vetoed, _ in results):
        return None
    found = [reading for _, reading in results if reading is not None]
    return next((one for one in found if one.sure), found[0] if found else None)


def _in_tongue(
    sentence: str, tongue: Tongue, purposed: tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]
) -> tuple[bool, Reading | None]:
    text = marked(sentence, tongue)
    if "<" not in text:
        return False, None
    if any(veto.search(text) for veto in tongue.vetoes):
        return True, None
    for pattern, form in tongue.rewrite:
        text = pattern.sub(form, text)
    turned_down = False
    for pattern in tongue.negated:
        text, times = pattern.subn(f" {_BLANK} ", text)
        turned_down = turned_down or times > 0
    for pattern in tongue.erased:
        text = pattern.sub(f" {_BLANK} ", text)
    text = _SPACE.sub(" ", text).strip(" .!?,~^")
    media = set(MARK.findall(text))
    if not media:
        return True, None
    if sentence.rstrip().endswith(_QUESTION) and not tongue.asks.search(text):
        return False, None
    plain, with_purpose = purposed
    words = _quoted(sentence)
    certain = len(media) == 1 and not _WONDERS.search(text)
    for rule in with_purpose:
        if (match := rule.search(text)) is not None and len(media) == 1:
            return False, Reading(Medium(match["medium"]), _purpose(match[0], tongue), certain, words)
    for rule in plain:
        if (match := rule.search(text)) is not None:
            purpose = ""
            return False, Reading(Medium(match["medium"]), purpose, certain, words)
    if len(media) > 1:
        return False, None
    medium = Medium(media.pop())
    if (
        turned_down
        and not _STATES.search(text)
        and len(text.split()) <= _CONTRAST_WORDS
        and not sentence.rstrip().endswith("?")
    ):
        return False, Reading(medium, "", True, words)
    if any(rule.search(text) for rule in tongue.unsure):
        return False, Reading(medium, "", False, words)
    return False, None


def _purpose(text: str, tongue: Tongue) -> str:
    return next((purpose for pattern, purpose in tongue.purposes if pattern.search(text)), "")


def _with_purposes(tongue: Tongue) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    named = "(?:" + "|".join(pattern.pattern for pattern, _ in tongue.purposes) + ")"
    plain = tuple(rule for rule in tongue.sure if "%purpose%" not in rule.pattern)
    purposed = tuple(
        re.compile(rule.pattern.replace("%purpose%", named)) for rule in tongue.sure if "%purpose%" in rule.pattern
    )
    return plain, purposed
