"""Templates, files both ways, quotation, preview and the look before a send, driven by keys."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from agentconsole.domain.entries import Reply
from agentconsole.domain.model import Attachment, CustomerId, Participant
from agentconsole.domain.templates import Template
from agentconsole.text.sanitise import holds_control
from tests.ui.console import LARGE, SMALL, Driver, running
from tests.ui.desk_double import DeskDouble, email, phone

HOSTILE = "evil\x1b]52;c;eA==\x07\u202e[/][b]{0} \x9b2J"

DELAY = Template("delay", {"en": "Hello {customer.first_name}, late: {reason}."}, {"en": "Late"}, words=("late",))
THANKS = Template("thanks", {"en": "Thank you."})
SMS_ONLY = Template("alert", {"en": "Alert."}, media=("sms",))  # type: ignore[arg-type]
EVIL = Template("zz", {"en": HOSTILE})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 51000 198.51.100.4 22")
    monkeypatch.setenv("USER", "mina")
    return tmp_path


@pytest.fixture
def desk() -> DeskDouble:
    double = DeskDouble()
    address = email("emily@example.com")
    double.received(
        "emily",
        "mail",
        address,
        "Where is my order?\nIt is late.",
        minutes=9,
        name="Emily Rhodes",
        subject="My order",
        attachments=(
            double.keep("../label" + HOSTILE + ".txt", "text/plain", b"first line\x1b[2J\nsecond line"),
            Attachment("voice" + HOSTILE + ".ogg", "audio/ogg", 900),
        ),
    )
    double.received("min", "sms", phone("+821055551234"), "hello", minutes=4, name="Min")
    double.written = (DELAY, SMS_ONLY, THANKS, EVIL)
    for name in ("emily", "min"):
        double.know(name)
    return double


async def begin(console: Driver, name: str = "Emily Rhodes", text: str = "") -> None:
    await console.open(name)
    await console.press("r")
    await console.until(lambda: console.app.where == "box" and console.app.writer.now.choice is not None)  # type: ignore[union-attr]
    if text:
        console.box.insert(text)
        await console.settle()


def writing(console: Driver) -> Any:
    return console.app.writer.now


def safe_screen(console: Driver) -> bool:
    return not any(holds_control(line) for line in console.everything.split("\n"))


BOTH = pytest.mark.parametrize("language", ["en", "ko"])

# -- templates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
async def test_a_template_is_found_by_typing_seen_and_put_in_at_the_caret(desk: DeskDouble, size: tuple[int, int]):
    async with running(desk, size=size) as console:
        await begin(console, text="AB")
        console.box.move_cursor((0, 1))
        await console.press("ctrl+r")
        await console.sees("delay", "thanks", "Template")
        await console.type("late")
        await console.sees("Hello Emily, late: {reason}.")
        assert "Thank you." not in console.screen
        await console.press("enter")
        assert console.box.text == "AHello Emily, late: {reason}.B"
        assert console.app.where == "box"
        await console.sees("to be written by hand: reason")
        await console.press("ctrl+z")
        assert console.box.text == "AB"


async def test_arrows_choose_and_what_is_for_another_medium_stands_last(desk: DeskDouble):
    async with running(desk) as console:
        await begin(console)
        await console.press("ctrl+r")
        await console.until(lambda: len(console.app.writer.pane.choices.items) == 4)  # type: ignore[union-attr]
        names = [item.value for item in console.app.writer.pane.choices.items]  # type: ignore[union-attr]
        assert names == ["delay", "thanks", "zz", "alert"]
        await console.press("down")
        await console.sees("Thank you.")
        await console.press("enter")
        assert console.box.text == "Thank you."


@BOTH
async def test_nothing_is_put_in_where_it_is_given_up_or_nothing_matches(desk: DeskDouble, language: str):
    async with running(desk, language=language) as console:
        await begin(console, text="mine")
        await console.press("ctrl+r")
        await console.type("zebra")
        await console.sees("No template matches" if language == "en" else "맞는 템플릿 없음")
        await console.press("enter")
        assert console.box.text == "mine"
        await console.press("ctrl+r", "escape")
        assert (console.box.text, console.app.where) == ("mine", "box")
        assert not console.app.writer.pane.choices.display  # type: ignore[union-attr]


async def test_a_hostile_template_is_drawn_and_put_in_without_its_controls(desk: DeskDouble):
    async with running(desk) as console:
        await begin(console)
        await console.press("ctrl+r")
        await console.type("zz")
        await console.sees("evil")
        assert safe_screen(console)
        await console.press("enter")
        assert "\x1b" not in console.box.text
        assert "\u202e" not in console.box.text


# -- files out ----------------------------------------------------------------------------------------------


async def test_a_file_of_the_drop_folder_is_attached_listed_sent_and_forgotten(desk: DeskDouble, home: Path):
    folder = home / "agentconsole" / "outgoing"
    folder.mkdir(parents=True)
    (folder / "plan.pdf").write_bytes(bytes(1_200_000))
    async with running(desk) as console:
        await begin(console, text="here it is")
        await console.press("f5")
        await console.sees("scp FILE mina@198.51.100.4:agentconsole/outgoing/", "plan.pdf", "1.2 MB")
        await console.press("enter")
        await console.until(lambda: writing(console).attachments)
        await console.sees("Attached: plan.pdf", "1 file: plan.pdf")
        await console.until(lambda: desk.kept and next(iter(desk.kept.values())).attachments)
        await console.press("ctrl+s")
        await console.until(lambda: desk.called("reply"))
        (sent,) = desk.called("reply")
        assert [file.name for file in sent[1].attachments] == ["plan.pdf"]
        await console.until(lambda: not writing(console).attachments)


async def test_beside_a_warning_it_is_still_told_that_there_are_files(desk: DeskDouble):
    async with running(desk) as console:
        await begin(console, text="Hello {name}")
        writing(console).attachments = (desk.keep("one.txt", "text/plain", b"1"),)
        console.box.insert("!")
        await console.sees("Not filled in: {name}", "files: 1", "ctrl+g")


async def test_a_file_alone_is_a_draft_that_comes_back(desk: DeskDouble, home: Path):
    (home / "note.txt").write_text("x")
    async with running(desk) as console:
        await begin(console)
        await console.press("f5")
        await console.type("~/no")
        await console.sees("note.txt")
        await console.press("enter")
        await console.until(lambda: desk.kept)
    async with running(desk) as again:
        await again.until(lambda: again.app.where == "box")
        await again.sees("1 file: note.txt")


async def test_a_file_is_taken_off_and_put_back(desk: DeskDouble, home: Path):
    async with running(desk) as console:
        await begin(console, text="x")
        writing(console).attachments = (desk.keep("one.txt", "text/plain", b"1"),)
        await console.press("f5")
        await console.sees("attached one.txt", "enter takes it off")
        await console.press("enter")
        await console.until(lambda: not writing(console).attachments)
        await console.press("escape", "u")
        await console.until(lambda: len(writing(console).attachments) == 1)


async def test_a_folder_is_gone_into_and_what_is_no_file_is_told(desk: DeskDouble, home: Path):
    (home / "docs").mkdir()
    (home / "docs" / "deep.txt").write_text("x")
    async with running(desk) as console:
        await begin(console, text="x")
        await console.press("f5")
        await console.type("~/doc")
        await console.sees("docs/")
        await console.press("enter")
        await console.sees("deep.txt")
        assert console.app.acting.prompt.typed == "~/docs/"  # type: ignore[union-attr]
        await console.press("enter")
        await console.until(lambda: writing(console).attachments)
        for typed, said in (("~/nothing.pdf", "is not there"), ("/dev/null", "is no plain file")):
            await console.press("f5")
            await console.type(typed)
            await console.press("enter")
            await console.sees(said)
        assert console.box.text == "x"


async def test_tab_completes_a_path(desk: DeskDouble, home: Path):
    (home / "docs").mkdir()
    (home / "docs" / "deep.txt").write_text("x")
    async with running(desk) as console:
        await begin(console, text="x")
        await console.press("f5")
        await console.type("~/doc")
        await console.press("tab")  # at once: the list need not have come
        await console.sees("deep.txt")
        assert console.app.acting.prompt.typed == "~/docs/"  # type: ignore[union-attr]
        await console.press("tab")
        await console.until(lambda: console.app.acting.prompt.typed == "~/docs/deep.txt")  # type: ignore[union-attr]
        await console.press("enter")
        await console.until(lambda: writing(console).attachments)


async def test_an_upload_is_stopped_and_the_text_stays(desk: DeskDouble, home: Path):
    (home / "film.bin").write_bytes(bytes(2_000_000))
    desk.stuck = asyncio.Event()
    async with running(desk) as console:
        await begin(console, text="x")
        await console.press("f5")
        await console.type("~/film.bin")
        await console.sees("2.0 MB")
        await console.press("enter")
        await console.until(lambda: desk.called("attach_part"))
        await console.press("f5")
        await console.sees("was stopped and is not attached")
        assert writing(console).attachments == ()
        assert console.box.text == "x"


async def test_a_channel_that_takes_no_files_says_so_at_once(desk: DeskDouble, home: Path):
    (home / "a.txt").write_text("x")
    async with running(desk) as console:
        await begin(console, "Min", text="x")
        await console.press("f5")
        await console.type("~/a.txt")
        await console.sees("a.txt")
        await console.press("enter")
        await console.sees("carries no files")
        await console.press("ctrl+s")
        await console.until(lambda: "carries no files" in console.everything)
        assert not desk.called("reply")


async def test_names_of_files_reach_the_screen_without_controls(desk: DeskDouble, home: Path):
    folder = home / "agentconsole" / "outgoing"
    folder.mkdir(parents=True)
    (folder / "evil\x1b]52;c;eA==\x07.txt").write_text("x")
    async with running(desk) as console:
        await begin(console, text="x")
        await console.press("f5")
        await console.sees("evil")
        assert safe_screen(console)
        await console.press("enter")
        await console.until(lambda: writing(console).attachments)
        assert "\x1b" not in writing(console).attachments[0].name
        assert safe_screen(console)


# -- files in -----------------------------------------------------------------------------------------------


async def files_page(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("end", "x")
    await console.until(lambda: console.app.page_kind == "files")


@BOTH
async def test_files_of_a_message_are_listed_safely(desk: DeskDouble, home: Path, language: str):
    async with running(desk, language=language) as console:
        await files_page(console)
        en = language == "en"
        await console.sees("only named" if en else "이름만 있음", "show as text" if en else "글로 보기")
        assert safe_screen(console)


async def test_a_file_is_saved_and_the_line_to_copy_it_shown(desk: DeskDouble, home: Path):
    async with running(desk, size=LARGE) as console:
        await files_page(console)
        await console.press("down", "enter")
        await console.sees("saved as", "scp 'mina@198.51.100.4:")
        (saved,) = (home / "agentconsole" / "incoming").iterdir()
        assert saved.read_bytes().startswith(b"first line")
        assert safe_screen(console)


async def test_a_file_is_saved_to_a_folder_that_is_asked_for(desk: DeskDouble, home: Path):
    async with running(desk, size=LARGE) as console:
        await files_page(console)
        await console.press("down", "down", "enter")
        await console.sees("Save to")
        await console.type("here")
        await console.press("enter")
        await console.until(lambda: (home / "here").exists() and list((home / "here").iterdir()))


async def test_a_file_is_read_as_text(desk: DeskDouble, home: Path):
    async with running(desk) as console:
        await files_page(console)
        await console.press("enter")
        await console.until(lambda: console.app.page_kind == "file")
        await console.sees("first line", "second line")
        assert safe_screen(console)


async def test_the_first_and_the_last_line_are_chosen_where_they_are_gone_to(desk: DeskDouble, home: Path):
    async with running(desk) as console:
        await files_page(console)
        first = console.app.page.chosen
        await console.press("G")
        assert console.app.page.cursor == max(n for n, item in enumerate(console.app.page.items) if item.value)
        await console.press("g", "g")
        assert console.app.page.chosen == first


@BOTH
async def test_a_page_is_drawn_again_for_another_window(desk: DeskDouble, home: Path, language: str):
    async with running(desk, size=LARGE, language=language) as console:
        await begin(console, text="one two three " * 12)
        await console.press("ctrl+x", "p")
        await console.until(lambda: console.app.page_kind == "preview")
        assert max(len(line) for line in console.app.page.shown.split("\n")) > 80
        await console.pilot.resize_terminal(60, 20)
        await console.until(lambda: max(len(line) for line in console.app.page.shown.split("\n")) <= 60)
        assert " ".join(console.app.page.shown.split()).count("one two three") == 12


async def test_links_are_listed_and_copied(desk: DeskDouble, home: Path):
    desk.received("emily", "mail", email("emily@example.com"), "see https://example.com/a?b=1. ok", minutes=1)
    desk.know("emily")
    async with running(desk) as console:
        await files_page(console)
        await console.sees("https://example.com/a?b=1")
        assert "b=1." not in console.screen
        await console.press("enter")
        await console.sees("Copied: https://example.com/a?b=1")


# -- before a send ------------------------------------------------------------------------------------------


async def test_the_message_is_quoted_for_mail_and_short_for_chat(desk: DeskDouble):
    async with running(desk) as console:
        await begin(console, text="Hello")
        await console.press("ctrl+x", "q")
        assert console.box.text.endswith("\n> Where is my order?\n> It is late.\n")
        await console.press("ctrl+z")
        assert console.box.text == "Hello"
    async with running(desk) as console:
        await begin(console, "Min")
        await console.press("ctrl+x", "q")
        assert console.box.text == "> hello\n"


async def test_the_preview_shows_what_leaves_and_sends_nothing(desk: DeskDouble):
    async with running(desk) as console:
        await begin(console, text=f"my text {HOSTILE}")
        writing(console).attachments = (desk.keep("one.txt", "text/plain", b"1"),)
        await console.press("ctrl+x", "p")
        await console.sees("As it would leave", "To Emily Rhodes by e-mail", "File: one.txt (1 B)", "my text")
        assert safe_screen(console)
        await console.press("escape")
        assert console.app.where == "box"
        assert not desk.called("reply")


async def test_who_was_on_the_mail_and_does_not_get_the_answer_is_named(desk: DeskDouble):
    others = (Participant("cc", email("boss@example.com"), "The Boss" + HOSTILE),)
    desk.received("emily", "mail", email("emily@example.com"), "and?", minutes=1, participants=others)
    desk.know("emily")
    async with running(desk) as console:
        await begin(console, text="x")
        await console.press("ctrl+x", "d")
        await console.sees("The Boss", "does not get this")
        assert safe_screen(console)


async def test_with_always_every_send_is_looked_at_and_only_its_own_key_sends(desk: DeskDouble):
    async with running(desk) as console:
        object.__setattr__(console.app.settings, "confirm_send", "always")
        await begin(console, text="fine")
        await console.press("ctrl+s")
        await console.sees("Not sent yet. To Emily Rhodes by e-mail")
        await console.press("ctrl+s")
        await console.until(lambda: not writing(console).sending)
        assert not desk.called("reply")
        await console.press("f8")
        await console.until(lambda: desk.called("reply"))


async def test_the_key_confirms_no_text_that_came_after_it_was_asked(desk: DeskDouble):
    async with running(desk) as console:
        await begin(console, text="Hello {name}")
        await console.press("ctrl+s")
        await console.sees("Not sent yet.")
        console.box.insert(" and more")
        await console.settle()
        await console.press("f8")
        await console.settle()
        assert not desk.called("reply")
        assert not any(isinstance(entry, Reply) for entry in desk.records[CustomerId("emily")])


async def test_what_is_copied_holds_no_controls_and_no_half_characters(desk: DeskDouble, home: Path):
    desk.received("emily", "mail", email("emily@example.com"), "half \ud83d and\x1b[31m red", minutes=1)
    desk.know("emily")
    async with running(desk) as console:
        written: list[str] = []
        console.app.write = written.append  # type: ignore[method-assign]
        await console.open("Emily Rhodes")
        await console.press("end", "y")
        await console.sees("characters copied")
        (sequence,) = written
        copied = base64.b64decode(sequence.removeprefix("\x1b]52;c;").removesuffix("\x1b\\")).decode()
        assert not any(holds_control(line) for line in copied.split("\n"))
        assert copied.startswith("half \ufffd and")
