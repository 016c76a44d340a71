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
from typing import Final

from agentconsole.domain import wishes_en, wishes_es, wishes_ja, wishes_ko, wishes_pt
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
_QUESTION: Final = ("?", "か", "か。")

_TONGUES: Final = {
    "en": wishes_en.TONGUE,
    "ko": wishes_ko.TONGUE,
    "ja": wishes_ja.TONGUE,
    "pt": wishes_pt.TONGUE,
    "es": wishes_es.TONGUE,
}
_LATIN: Final = ("en", "pt", "es")
_HINTS: Final = {
    "en": frozenset(
        "the and you i is are my not have this please with for can when was it to your but has will me by only on do of"
        " a in via just prefer text call if contact answer at pls best".split()
    ),
    "pt": frozenset(
        "o os que de não é em meu minha por para com uma favor pelo pela no na prefiro melhor só ou e me você vocês pode"
        " podem um obrigado obrigada respondam mandem manda liga liguem fala gentileza retornem add dá toque fale comigo pelo ser pode gostaria receber respostas envia manda avisa avisem etiqueta escrevam falar eu mim zap pra pf"
        " pfv do da ao nao chama mande envie resposta".split()
    ),
    "es": frozenset(
        "el la los que de en mi por para con no una favor prefiero mejor solo y me usted ustedes pueden puede un gracias"
        " respóndanme escríbanme llámenme mándenme contacto es correo wasap porfa gustaría quisiera está avisen avisan contesten respondan escriban envíenme manden llamen contactaran favor al lo si las del se su hola más".split()
    ),
}

_LETTERS: Final = {
    "en": (),
    "pt": ("ã", "õ", "ç", "nh", "lh", "ê", "â"),
    "es": ("ñ", "¿", "¡", "ción", "ú", "áme", "énme", "ánme", "íba", "íbe"),
}

_HANGUL: Final = re.compile(r"[가-힣ㄱ-ㅎ]")
_KANA: Final = re.compile(r"[ぁ-んァ-ヴ一-龥]")
_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\s[-–—]\s|;\s")
_LINE_NAME: Final = re.compile(r"(?<![A-Za-z])LINE(?![A-Za-z])")
_SHOUTED: Final = re.compile(r"[a-z]")
_SPACE: Final = re.compile(r"\s+")
_SAID: Final = re.compile(r"\"[^\"]{0,200}\"|“[^”]{0,200}”|「[^」]{0,200}」|『[^』]{0,200}』|«[^»]{0,200}»")
_MARK: Final = re.compile(r"<(\w+)!?>")
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
        line = _plain(raw)
        if not line or line.startswith(">"):
            continue
        if label and (medium := _value(line)):
            yield Reading(medium, "", True, _words(raw))
            label = False
            continue
        form = _FORM.match(line)
        if form is not None and _is_label(form["label"]):
            value = form["value"].strip()
            label = not value
            if medium := _value(value):
                yield Reading(medium, "", True, _words(raw))
                continue
        else:
            label = _is_label(line)
        for sentence in _END.split(line):
            for start in range(0, len(sentence), _SENTENCE):
                part = sentence[start : start + _SENTENCE]
                found = _sentence(part, message)
                if found is not None:
                    yield found


def _plain(line: str) -> str:
    """Return a line after NFKC, without hidden characters and without what others are quoted with."""
    text = unicodedata.normalize("NFKC", line).replace("<", " ").replace(">", " ") if "<" in line else line
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Co") or c == "\t")
    text = text.replace("’", "'").replace("‘", "'").replace("ʼ", "'")
    return _SPACE.sub(" ", _SAID.sub(f" {_BLANK} ", text)).strip()


def _words(raw: str) -> str:
    text = _SPACE.sub(
        " ", "".join(c for c in raw if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    ).strip()
    return text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"


# -- forms -------------------------------------------------------------------------------------------------


def _is_label(text: str) -> bool:
    plain = text.strip(" :?*¿").lower()
    return 3 <= len(plain) <= 60 and any(tongue.labels.fullmatch(plain) for tongue in _TONGUES.values())


def _value(text: str) -> Medium:
    """Return the one medium that an answer in a form names, else an empty one."""
    if len(text) > 60:
        return Medium("")
    if _BOXES.search(text):
        text = " ".join(_TICKED.findall(text))
    if not text or len(text.split()) > 5:
        return Medium("")
    return _one(text)


def _one(text: str) -> Medium:
    """Return the one medium that a few words name, whatever their language, else an empty one."""
    found = {
        mark for name in _tongues_of(text, {}) for mark in _MARK.findall(_marked(text, _TONGUES[name], loose=True))
    }
    return Medium(found.pop()) if len(found) == 1 else Medium("")


_NUMBERED: Final = re.compile(r"(?:^|[\s(,;])(\d)\s?[).:\-=]\s?([^\d\n,;()]{2,30})")
_ASKS: Final = re.compile(
    r"\?|？|which|how (?:should|would|shall|do|can)|prefer|어떤|어느|어떻게|원하시|편하|どの|どちら|どう|ご希望|qual|como|cuál|cómo|prefiere|prefere",
    re.IGNORECASE,
)
_FILLER: Final = re.compile(
    r"\b(?:please|pls|plz|thanks|thank you|thx|the|by|via|on|per|just|number|option|ok|okay|yes|por|favor|gracias|obrigad[oa]|pelo|o|el|pf|porfa|opção|opción|número)\b"
    r"|(?:으로|로|요|이요|입니다|주세요|부탁드립니다|부탁드려요|부탁해요|번|네|예|감사합니다|でお願いします|お願いします|です|で|がいいです|番|はい|希望)|[.!,~^()\s]",
    re.IGNORECASE,
)


def answered(question: str, answer: str) -> Medium:
    """Return the medium that a short answer picks from those that a question of ours lists, else an empty one.

    Args:
        question: our last message there; it must ask, and name two media or more.
        answer: theirs: ``2``, ``email``, ``카톡이요``. Anything longer is read like every message.
    """
    if len(answer) > 60 or "\n" in answer.strip() or not _ASKS.search(question[:_HEAD]):
        return Medium("")
    lines = _plain(question[:2_000].replace("\n", " , "))
    offered = [mark for mark in dict.fromkeys(_offered(lines))]
    if len(offered) < 2:
        return Medium("")
    plain = _plain(answer)
    medium = _one(plain)
    if medium:
        left = _FILLER.sub("", _strip_media(plain))
        return medium if medium in offered and not left else Medium("")
    choice = _FILLER.sub("", plain)
    if not (choice.isdecimal() and len(choice) == 1):
        return Medium("")
    numbered = {number: _one(words) for number, words in _NUMBERED.findall(lines)}
    return numbered.get(str(int(choice)), Medium(""))


def _offered(text: str) -> list[str]:
    return [m for name in _tongues_of(text, {}) for m in _MARK.findall(_marked(text, _TONGUES[name], loose=True))]


def _strip_media(text: str) -> str:
    name = _tongues_of(text, {})[0]
    return _MARK.sub("", _marked(text, _TONGUES[name], loose=True))


# -- sentences ---------------------------------------------------------------------------------------------


def _scores(text: str) -> dict[str, int]:
    low = text[:2_000].lower()
    words = re.findall(r"[^\W\d_]+", low)
    letters = {name: sum(low.count(letter) for letter in some) for name, some in _LETTERS.items()}
    return {name: min(sum(word in hints for word in words) + letters[name], 30) for name, hints in _HINTS.items()}


def _tongues_of(text: str, message: dict[str, int]) -> list[str]:
    """Return the languages that a sentence may be in: by its script, or by its small words."""
    if _HANGUL.search(text):
        return ["ko"]
    if _KANA.search(text):
        return ["ja"]
    here = _scores(text)
    points = {name: 40 * here[name] + message.get(name, 0) for name in _LATIN}
    most = max(points.values())
    return [name for name in _LATIN if points[name] == most]


def _marked(text: str, tongue: Tongue, *, loose: bool = False) -> str:
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
    results = [_in_tongue(sentence, _TONGUES[name], _PURPOSED[name]) for name in _tongues_of(sentence, message)]
    if any(vetoed for vetoed, _ in results):
        return None
    found = [reading for _, reading in results if reading is not None]
    return next((one for one in found if one.sure), found[0] if found else None)


def _in_tongue(
    sentence: str, tongue: Tongue, purposed: tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]
) -> tuple[bool, Reading | None]:
    text = _marked(sentence, tongue)
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
    media = set(_MARK.findall(text))
    if not media:
        return True, None
    if sentence.rstrip().endswith(_QUESTION) and not tongue.asks.search(text):
        return False, None
    plain, with_purpose = purposed
    words = _words(sentence)
    for rule in with_purpose:
        if (match := rule.search(text)) is not None and len(media) == 1:
            return False, Reading(Medium(match["medium"]), _purpose(match[0], tongue), True, words)
    for rule in plain:
        if (match := rule.search(text)) is not None:
            purpose = ""
            return False, Reading(Medium(match["medium"]), purpose, len(media) == 1, words)
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


def purpose_named(word: str) -> str:
    """Return the purpose that a word means (``invoices`` and ``청구서`` mean ``invoice``), else the word itself."""
    plain = unicodedata.normalize("NFKC", word).strip().lower()
    for tongue in _TONGUES.values():
        for form in (plain, f"{plain}s"):
            for pattern, purpose in tongue.purposes:
                if pattern.fullmatch(form):
                    return purpose
    return plain


def _with_purposes(tongue: Tongue) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    named = "(?:" + "|".join(pattern.pattern for pattern, _ in tongue.purposes) + ")"
    plain = tuple(rule for rule in tongue.sure if "%purpose%" not in rule.pattern)
    purposed = tuple(
        re.compile(rule.pattern.replace("%purpose%", named)) for rule in tongue.sure if "%purpose%" in rule.pattern
    )
    return plain, purposed


_PURPOSED: Final = {name: _with_purposes(tongue) for name, tongue in _TONGUES.items()}
