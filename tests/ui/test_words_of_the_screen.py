"""What the console says, in every module of strings that there is."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from types import ModuleType

import pytest

import agentconsole.ui
from agentconsole.ui import keys, pages
from agentconsole.ui.draw import row_width
from agentconsole.ui.say import Say
from agentconsole.ui.strings import CATALOGUE

MODULES = [
    importlib.import_module(f"agentconsole.ui.{found.name}")
    for found in pkgutil.iter_modules(agentconsole.ui.__path__)
    if found.name.startswith("strings_")
]
ALIKE = re.compile(r"^[\W\d_]*$")
"""What needs no translation: marks, numbers, places."""

NAMES = frozenset({"AgentConsole", "TLS", "OSC", "SMS", "PIN", "tmux", "set", "clipboard"})
PRONOUNS = {
    "en": re.compile(r"\b(he|she|him|her|his|hers)\b", re.IGNORECASE),
    "ko": re.compile(r"그녀|그는 |그의 |그가 |그를 |당신|제가 |저는 |저희"),
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


def test_every_module_of_strings_is_in_the_catalogue() -> None:
    assert len(MODULES) >= 4
    for module in MODULES:
        for language, texts in (("en", module.EN), ("ko", module.KO)):
            missing = {key for key, text in texts.items() if CATALOGUE[language].get(key) != text}
            assert missing == set(), f"{module.__name__}: another module has the same key, or none joins it"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition("_")[2])
def test_both_languages_say_the_same_things(module: ModuleType) -> None:
    assert module.EN.keys() == module.KO.keys()


def words_of(text: str) -> set[str]:
    """Return the words of a sentence that are neither places for values nor keys."""
    plain = "".join(literal for literal, *_ in string.Formatter().parse(text))
    return {word for word in re.findall(r"[A-Za-z]{3,}", plain) if word not in NAMES}


def test_nothing_is_left_in_english() -> None:
    """A Korean sentence has Hangul unless the English one has no words of its own."""
    left = {
        key: text
        for key, text in CATALOGUE["ko"].items()
        if not re.search("[가-힣]", text) and not ALIKE.match(text) and words_of(text) & words_of(CATALOGUE["en"][key])
    }
    assert left == {}


@LANGUAGES
def test_nobody_is_he_or_she(language: str) -> None:
    found = {key: text for key, text in CATALOGUE[language].items() if PRONOUNS[language].search(text)}
    assert found == {}


@LANGUAGES
def test_english_has_no_hangul_and_nobody_sees_a_control(language: str) -> None:
    for key, text in CATALOGUE[language].items():
        assert language == "ko" or not re.search("[가-힣]", text) or "한/영" in text, key
        assert text.isprintable(), key


@LANGUAGES
@pytest.mark.parametrize("place", keys.FOOTER)
def test_footer_has_at_most_six_hints_that_fit_80_columns(language: str, place: str) -> None:
    say = Say(language, "UTC")
    where = place if place in keys.EVERYWHERE else "paper"
    page = place if place not in keys.EVERYWHERE else ""
    wanted = [name for name in keys.FOOTER[place] if say.keymap.keys_of(name, where)]
    line = pages.footer(where, say, 80, page)
    assert len(wanted) <= 6
    assert row_width(line) <= 80
    assert sum(1 for _, style in line if style == "key") == len(wanted), "none is cut off"
