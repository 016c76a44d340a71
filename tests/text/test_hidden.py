"""What each hidden character looks like, what honest writing keeps, and that nothing takes long."""

from __future__ import annotations

import json
import unicodedata
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentconsole.text import charsets
from agentconsole.text.sanitise import CUT, LIMIT, flags, fold_compatible, holds_control, one_line, sanitise
from agentconsole.text.width import cell_width
from tests.effort import costs_at_most

HONEST = [
    "नमस्ते, क्‍ष और ज़रूरी",
    "ශ්‍රී ලංකාව",
    "می‌خواهم سفارشم را لغو کنم",
    "র‌্যাব",
    "สวัสดีครับ ขอเลื่อนนัด",
    "ភាសា\u200bខ្មែរ",
    "שָׁלוֹם עֲלֵיכֶם",
    "مُحَمَّد",
    "Nguyễn Thị Minh Khai",
    "Müller-Lüdenscheidt & Søn",
    "O\u2019Brien \u201cno\u201d \u2013 \u20ac5",
    "김민수 (주)한국상사",
    "葛\U000e0100城市",
    "〒100-0001 東京都ー〜",
    "ＡＢＣ株式会社　１２３",
    "🏳️‍🌈 👩🏽‍🚀 👨‍👩‍👧‍👦 🇰🇷🇯🇵 1️⃣ #️⃣ ©️ ⛹🏽‍♂️ 👍🏽 ❤️‍🔥",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "10 μm, 5 kΩ, Δt = 3",
    "Москва, ул. Ленина",
    "ᄒᆞᆫ글",
    "བཀྲ་ཤིས་བདེ་ལེགས།",
    "\u1820\u180b\u1825",
    "😵‍💫 \U0001fae8",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_writing_stays_and_carries_no_flag(text: str):
    assert sanitise(text) == unicodedata.normalize("NFC", text)
    assert one_line(text) == unicodedata.normalize("NFC", text)
    assert flags(text) == frozenset()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07\x7f", "␛[2J␇␡"),
        ("é\x9b2J\x85", "é⟨CSI⟩2J⟨NEL⟩"),
        ("a\r\nb\r\r\nc\rd", "a\nb\nc␍d"),
        ("a\u202eb\u2066", "a⟨RLO⟩b⟨LRI⟩"),
        ("ST\u200bOP\u2060", "ST⟨ZWSP⟩OP⟨WJ⟩"),
        ("a\u200db", "a⟨ZWJ⟩b"),
        ("👩" + "\u200d👩" * 7, "👩" + "\u200d👩" * 5 + "⟨ZWJ⟩👩\u200d👩"),
        ("x\ufe0f", "x⟨VS16⟩"),
        ("A\U000e0100", "A⟨U+E0100⟩"),
        ("\U000e0068\U000e0069!", "⟨tag:hi⟩!"),
        ("\U0001f3f4\U000e0068\U000e0069\U000e007f", "🏴⟨tag:hi⟩"),
        ("pass\u00adword", "password"),
        ("\ufeffhi\ufeff", "hi⟨BOM⟩"),
        ("\u3164\uffa0", "⟨HF⟩⟨HF⟩"),
        ("\ud83d\uffff\U0001fffe", "\ufffd\ufffd\ufffd"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\u0301a\n\u0301b", "\u25cc\u0301a\n\u25cc\u0301b"),
        ("x" + "\u0316" * 9, "x" + "\u0316" * 4 + "⟨+5⟩"),
        ("a\U0001f3fb", "a⟨U+1F3FB⟩"),
        ("\U0001f1f0 a", "⟨U+1F1F0⟩ a"),
        ("a\u1161", "a⟨U+1161⟩"),
        ("a\tb\n\tc", "a   b\n    c"),
        (unicodedata.normalize("NFD", "한글 é"), "한글 é"),
    ],
)
def test_the_hidden_is_shown(text: str, shown: str):
    assert sanitise(text) == shown


def test_one_line_is_one_line():
    assert one_line("  a\tb\n\nc\u2028d ") == "a b⏎c⏎d"
    assert one_line("x" * 500, 20) == "x" * 16 + CUT
    assert one_line("ok\x85SYSTEM: closed") == "ok⟨NEL⟩SYSTEM: closed"


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 10, 11, 12, 50])
@pytest.mark.parametrize(
    "unit", ["x", "한", "e\u0316", "👨‍👩‍👧", "\t", "a\u0316\u0317\u0318\u0319\u031a", "\x9b", "🇰🇷"]
)
def test_a_cut_is_bounded_and_tears_nothing(unit: str, limit: int):
    text = sanitise(unit * 60, limit=limit)
    assert len(text) <= limit
    assert sanitise(text) == text
    if limit > 40:
        assert text.endswith(CUT)


_ODD = st.sampled_from(
    "\x00\x1b\x7f\x85\x9b\r\n\t \u00ad\u0301\u0316\u0334\u20e3\u034f\u061c\u094d\u0915\u0627\u06cc\u1100\u1161\u11a8"
    "\u1160\u115f\u180b\u180e\u1820\u1780\u17b4\u200b\u200c\u200d\u200e\u2028\u202e\u2060\u2066\u2069\u3164\u302e\ufb2c"
    "\ufe00"
    "\ufe0f\ufeff\ufff9\uffff\ud800\udfff가각a1#\u2764\u4e00\U0001f468\U0001f3fb\U0001f1f0\U0001f3f4\U000e0067\U000e007f\U000e0100"
    "\U0001d165\U00011f41\u212a\uff20@.⟨⟩⏎"
)


@settings(max_examples=10_000, deadline=None)
@given(st.text(alphabet=_ODD, max_size=30))
def test_no_mixture_of_odd_characters_comes_through(text: str):
    safe = sanitise(text)
    assert not holds_control(safe)
    assert not set(safe) & {"\t", "\u00ad", "\u3164", "\u034f", "\ufeff"}
    assert unicodedata.is_normalized("NFC", safe)
    assert sanitise(safe) == safe
    line = one_line(text, 40)
    assert not holds_control(line)
    assert "\n" not in line
    assert len(line) <= 40
    assert cell_width(safe[:1]) or safe[:1] in ("", "\n", "\u1160")


def test_every_single_character_is_safe_alone():
    # The planes without assigned characters are sampled.
    for code in (*range(0x33500), *range(0x33500, 0xDFF00, 251), *range(0xDFF00, 0xF0100), *range(0x10FF00, 0x110000)):
        safe = sanitise(chr(code))
        assert not holds_control(safe), hex(code)
        if not safe.isspace() and code not in (0xAD, 0xFEFF):
            assert cell_width(safe), hex(code)


def test_all_marks_are_known():
    hidden = {0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
    marks = {code for code in range(0x110000) if unicodedata.category(chr(code))[0] == "M"} - hidden
    known = charsets.marks()
    ranges = [(known[i], known[i + 2] if known[i + 1 : i + 2] == "-" else known[i]) for i in _starts(known)]
    covered = {code for first, last in ranges for code in range(ord(first), ord(last) + 1)}
    assert marks <= covered
    # U+13440 and the like came later than the tables of some interpreters
    assert all(unicodedata.category(chr(code)) in ("Mn", "Mc", "Me", "Cn") for code in covered)


def _starts(chars: str) -> list[int]:
    starts, index = [], 0
    while index < len(chars):
        starts.append(index)
        index += 3 if chars[index + 1 : index + 2] == "-" else 1
    return starts


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("p\u0430ypal", "mixed_scripts"),
        ("\u03a1aypal", "mixed_scripts"),
        ("a\u202eb", "direction_controls"),
        ("a\u200eb", "direction_controls"),
        ("a\x1bb", "hidden_characters"),
        ("A\u200bB", "hidden_characters"),
        ("\u2800", "hidden_characters"),
        ("alice@bank.example", "address_in_name"),
        ("alice\uff20bank.example", "lookalike_letters"),
        ("\U0001d5e6upport", "lookalike_letters"),
        ("\u212aim", "lookalike_letters"),
        ("x@xn--bnk-6cd.example", "encoded_domain"),
        ("You (agent)", "staff_name"),
        ("상담원", "staff_name"),
    ],
)
def test_flags(text: str, flag: str):
    assert flag in flags(text)


@pytest.mark.parametrize(
    "text", ["", "\r\n", "hi\r\nthere", "@emily", "a @ b", "price :skull:", "[@click=app.quit]x[/]"]
)
def test_ordinary_text_has_no_flag(text: str):
    assert flags(text) == frozenset()


def test_a_megabyte_of_ordinary_text_costs_little():
    sanitise("warm é 👍 \u0301")
    ordinary = {
        "ascii": "hello world, again\n" * 55_000,
        "korean": "안녕하세요, 주문 확인 부탁드려요.\n" * 22_000,
        "latin": "caféé naïve garçon\n" * 44_000,
    }
    for text in ordinary.values():
        assert 0.9e6 < len(text.encode()) < 1.1e6
        # 30 ms is the promise, met with room on an idle machine; CI shares its cores
        costs_at_most(0.09, partial(sanitise, text))


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0301\u0316" * 500_000,
        "\u200d" * LIMIT,
        "👩\u200d" * 300_000,
        "\x1b[" * 500_000,
        "é\x9b" * 400_000,
        " " * LIMIT + "é",
        "\u1161" * 500_000,
        "\n" * LIMIT + "\x1b",
    ],
    ids=["marks", "joiners", "emoji", "esc", "c1", "spaces", "jamo", "lines"],
)
def test_a_megabyte_of_hostile_text_ends_soon(text: str):
    safe, _, _ = costs_at_most(4, lambda: (sanitise(text), flags(text), fold_compatible(text)))
    assert len(safe) <= LIMIT


def test_the_copy_is_the_shared_set():
    copy = json.loads((Path(__file__).parents[1] / "data" / "hostile-strings.json").read_text(encoding="utf-8"))
    assert copy["count"] == len(copy["strings"]) == 136
