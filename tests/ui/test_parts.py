"""The console's pure parts: keys, catalogue, drawing, drafts, entries."""

from __future__ import annotations

import re
import string
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from agentconsole.domain.entries import (
    AddressLinked,
    AddressState,
    AddressUnlinked,
    AnyEntry,
    Assigned,
    ConsentChanged,
    Merged,
    Named,
    Note,
    PreferenceStated,
    Receipt,
    Received,
    Reply,
    StatusChanged,
    Suggested,
    SuggestionAnswered,
    Tagged,
    Unmerged,
    Unreadable,
)
from agentconsole.domain.model import (
    AccountName,
    Address,
    ConversationId,
    ConversationStatus,
    EntryId,
)
from agentconsole.ui import keys, keys_page, pages
from agentconsole.ui.acting import Acting
from agentconsole.ui.draw import Safe, Tripwire, clip, cut_row, fit, row, row_width, safe, sides, strip, wrap
from agentconsole.ui.entries import FOLDED_LINES, Look, Together, rows, shown
from agentconsole.ui.say import Say
from agentconsole.ui.strings import CATALOGUE
from agentconsole.ui.widgets.paper import Item
from tests.ui.desk_double import NOW, email

LETTERS = "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ"
LANGUAGES = pytest.mark.parametrize("language", ["en", "ko"])


# -- keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("where", ["list", "conversation", "paper", "box", "prompt"])
def test_help_cuts_nothing_at_eighty_columns(where: str, language: str) -> None:
    say = Say(language, "UTC")
    shown = [line for line in map(_plain, pages.help_page(where, say, 78)) if ".." in line]
    assert [line for line in shown if say("action.assign_to") not in line] == []


def _plain(item: Item) -> str:
    return "".join(text for text, _ in item.line)


def test_no_key_means_two_things_in_one_context() -> None:
    assert keys.index()
    twice = (keys.Action("a", ("x",), ("list",)), keys.Action("b", ("x",), ("list",)))
    with pytest.raises(ValueError, match="key x means both a and b in list"):
        keys.index(twice)


@LANGUAGES
def test_every_action_does_something_and_has_a_title(language: str) -> None:
    for action in keys.ACTIONS:
        assert callable(getattr(Acting, f"do_{action.id}", None)), action.id
        assert CATALOGUE[language][action.title], action.title


def test_the_page_of_keys_is_what_the_registry_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert page == keys_page.page(), "python -m agentconsole.ui.keys_page > docs/keys.md"
    for action in keys.ACTIONS:
        assert CATALOGUE["en"][action.title] in page


def test_key_means_one_verb_wherever_it_means_anything() -> None:
    apart = (keys.Action("a", ("x",), ("list",)), keys.Action("b", ("x",), ("box",)))
    with pytest.raises(ValueError, match="key x means a in list and b in box"):
        keys.index(apart)
    assert keys.index((keys.Action("a", ("enter",), ("list",)), keys.Action("b", ("enter",), ("paper",))))


def test_key_that_begins_a_chord_is_no_verb() -> None:
    with pytest.raises(ValueError, match="key z means a and begins a chord"):
        keys.index((keys.Action("a", ("z",), ("list",)), keys.Action("b", ("z a",), ("conversation",))))


def test_footer_has_at_most_six_hints() -> None:
    assert all(len(hints) <= 6 for hints in keys.FOOTER.values())


# -- the catalogue -----------------------------------------------------------------------------------------


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_languages_have_the_same_sentences_with_the_same_places() -> None:
    english, korean = CATALOGUE["en"], CATALOGUE["ko"]
    assert english.keys() == korean.keys()
    for key, text in english.items():
        assert places(text) == places(korean[key]), key


def test_no_sentence_has_a_pronoun() -> None:
    for key, text in CATALOGUE["en"].items():
        assert not re.search(r"\b(she|he|her|him|his|hers)\b", text, re.IGNORECASE), key


def test_values_are_made_safe_and_never_read_as_templates() -> None:
    say = Say("en", "UTC")
    assert say("reply.title", name="{at}\x1b[2J\nx") == "Reply to {at}\u241b[2J⏎x"


# -- drawing -----------------------------------------------------------------------------------------------


@given(st.text(max_size=300), st.integers(min_value=2, max_value=90))
def test_wrapped_lines_fit_and_lose_no_letter(text: str, width: int) -> None:
    clean = Safe("\n".join(safe(line, 300) for line in text.split("\n")))
    lines = list(wrap(clean, width))
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(clean.split())


@given(st.text(max_size=80), st.text(max_size=40), st.integers(min_value=1, max_value=60))
def test_nothing_leaves_its_pane(left: str, right: str, width: int) -> None:
    line = sides(row(safe(left)), row(safe(right)), width)
    assert row_width(cut_row(line, width)) <= width
    assert cell_len(fit(safe(left), width)) == width
    assert cell_len(clip(safe(left), width)) <= width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("+82 10-5550-0117", 12, "..5550-0117 "),
        ("+442079460182", 10, "..79460182"),
        ("on WhatsApp +44 20 7946 0182", 22, "on WhatsApp ..946 0182"),
        ("on WhatsApp +44 20 7946 0182", 15, "on WhatsApp +.."),
        ("+442079460182", 13, "+442079460182"),
        ("emily@example.com", 10, "emily@ex.."),
    ],
)
def test_a_number_that_is_cut_keeps_its_last_digits(text: str, width: int, expected: str) -> None:
    assert fit(safe(text), width) == expected


def test_row_under_the_cursor_is_reverse_without_colours() -> None:
    drawn = strip(row((safe("x"), "bad"), (safe("y"), "in"), (safe("z"), "dim")), 6, over="cursor")
    assert [(s.style.reverse, s.style.color, s.style.bold, s.style.dim) for s in drawn if s.style] == [
        (True, None, True, None),
        (True, None, None, None),
    ]
    assert drawn.text == "xyz   "


def test_tripwire_replaces_controls_that_got_through() -> None:
    passed = [Segment("fine 한글"), Segment("bad\x1b]52;c;eA==\x07\x9b2J\u202e")]
    out = Tripwire().apply(passed, Color(0, 0, 0))
    assert [segment.text for segment in out] == ["fine 한글", "bad\ufffd]52;c;eA==\ufffd\ufffd2J\ufffd"]
    assert Tripwire().apply(passed[:1], Color(0, 0, 0)) == passed[:1]


# -- entries -----------------------------------------------------------------------------------------------

_HERE = {"id": "e1", "at": NOW}
_MAIL = {"account": "mail", "medium": "email", "conversation": "c"}
EVERY_KIND: list[AnyEntry] = [
    Received(**_HERE, **_MAIL, sender=email("a@b.c"), stored_at=NOW, text="hello"),  # type: ignore[arg-type]
    Unreadable(**_HERE, **_MAIL, reason="too_deep"),  # type: ignore[arg-type]
    Reply(**_HERE, **_MAIL, agent="mina", address=email("a@b.c"), text="hi", key="k"),  # type: ignore[arg-type]
    Receipt(**_HERE, reply="e0", state="sent"),  # type: ignore[arg-type]
    Note(**_HERE, agent="mina", conversation="c", text="note"),  # type: ignore[arg-type]
    Named(**_HERE, name="Emily"),  # type: ignore[arg-type]
    AddressLinked(**_HERE, address=email("a@b.c")),  # type: ignore[arg-type]
    AddressUnlinked(**_HERE, address=email("a@b.c"), by="mina"),  # type: ignore[arg-type]
    AddressState(**_HERE, address=email("a@b.c"), account=AccountName("mail"), dead="bounced"),  # type: ignore[arg-type]
    ConsentChanged(**_HERE, medium="sms"),  # type: ignore[arg-type]
    PreferenceStated(**_HERE, medium="sms"),  # type: ignore[arg-type]
    Assigned(**_HERE, conversation="c", assignee="mina"),  # type: ignore[arg-type]
    StatusChanged(**_HERE, conversation="c", status="resolved"),  # type: ignore[arg-type]
    Tagged(**_HERE, conversation="c", add=("vip",)),  # type: ignore[arg-type]
    Suggested(**_HERE, other="x", address=Address("phone", "", "+4420"), why="number_in_text", evidence="e0"),  # type: ignore[arg-type]
    SuggestionAnswered(**_HERE, suggestion="e0", accepted=True, by="mina"),  # type: ignore[arg-type]
    Merged(**_HERE, other="x", by="mina"),  # type: ignore[arg-type]
    Unmerged(**_HERE, merge="e0", by="mina"),  # type: ignore[arg-type]
]


@LANGUAGES
@pytest.mark.parametrize("entry", EVERY_KIND, ids=lambda entry: type(entry).__name__)
@pytest.mark.parametrize("width", [30, 53, 120])
def test_every_kind_of_entry_has_lines_that_fit(entry: AnyEntry, language: str, width: int) -> None:
    lines = rows(entry, Look(Say(language, "UTC"), width))
    assert all(row_width(line) <= width for line in lines)
    if list(shown([entry])):
        assert lines
        assert any(text.strip() for line in lines for text, _ in line)


def test_a_huge_text_costs_a_screen_and_says_that_there_is_more() -> None:
    entry = Received(**_HERE, **_MAIL, sender=email("a@b.c"), stored_at=NOW, text="line\n" * 200_000)  # type: ignore[arg-type]
    lines = rows(entry, Look(Say("en", "UTC"), 80))
    assert len(lines) <= FOLDED_LINES + 3
    assert "z a shows all" in "".join(text for text, _ in lines[-1])


# -- the package -------------------------------------------------------------------------------------------


def test_console_loads_no_network_and_no_store() -> None:
    code = (
        "import sys, agentconsole.ui.app, agentconsole.ui.widgets.reply;"
        "print([m for m in ('httpx','tinydb','sqlite3','imaplib2','aiosmtplib','starlette','phonenumbers',"
        "'textual.widgets._markdown','textual.widgets._data_table','agentconsole.hub','agentconsole.store',"
        "'agentconsole.channels','agentconsole.config') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_status_written_to_every_part_of_a_joined_conversation_is_told_once() -> None:
    def closed(name: str, conversation: str, at: datetime) -> StatusChanged:
        status = ConversationStatus.RESOLVED
        return StatusChanged(id=EntryId(name), at=at, conversation=ConversationId(conversation), status=status)

    first, twin = closed("s1", "ca", NOW), closed("s2", "cb", NOW)
    later = closed("s3", "ca", NOW + timedelta(minutes=5))
    assert list(shown([first, twin, later])) == [first, later]


def test_who_somebody_is_is_told_in_one_line_a_minute_without_the_first_address() -> None:
    def linked(name: str, value: str, at: datetime = NOW, evidence: str = "") -> AddressLinked:
        return AddressLinked(id=EntryId(name), at=at, address=email(value), evidence=EntryId(evidence))

    first, second, later = linked("1", "a@b.c"), linked("2", "d@e.f"), linked("3", "g@h.i", NOW + timedelta(minutes=2))
    named = Named(id=EntryId("n"), at=NOW, name="Emily")
    assert list(shown([named, first, second, later], complete=True)) == [Together((named, second)), later]
    assert list(shown([first, later], complete=False)) == [first, later]
    tied = linked("4", "a@b.c", evidence="mail")
    assert list(shown([tied], complete=True)) == [tied]
    told = Together((named, second))
    folded = Look(Say("en", "UTC"), 53)
    assert "".join(text for text, _ in rows(told, folded)[0]).endswith("d@e.f linked  (+1: z a)")
    assert len(rows(told, replace(folded, whole=frozenset({told.id})))) == 2
