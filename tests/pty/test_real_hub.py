"""The console on a real terminal, attached to a real hub: what happened while nobody looked, kills, a damaged file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import PROFILE, rows, secrets, told, whatsapp_account
from tests.folders import quick_folder
from tests.ports import free_port
from tests.pty.harness import PYTHON, Terminal
from tests.waiting import until

EMILY = "442079460182"
CTRL_S = "\x13"
LATER = 0.6
"""Seconds after which a key is a person's answer and not the rest of what was typed."""


class Dying(FakeWhatsApp):
    """Takes a message, and may then say nothing for a while and cut the line."""

    def __init__(self) -> None:
        super().__init__(retry_seconds=0.2)
        self.answering = asyncio.Event()
        self.answering.set()
        self.cuts = False

    async def _messages(self, request: Any) -> Any:
        response = await super()._messages(request)
        await self.answering.wait()
        if self.cuts:
            self.drop(request.scope)
        return response


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acp-") as found:
        yield found


@pytest.fixture
async def whatsapp() -> AsyncIterator[Dying]:
    fake = Dying()
    await fake.start()
    yield fake
    fake.answering.set()
    await fake.stop()


@pytest.fixture
async def office(folder: Path, whatsapp: Dying) -> AsyncIterator[Installation]:
    """A hub with a WhatsApp number, to which Emily wrote."""
    port = free_port()
    text = PROFILE + f'hold = 0\nhttp = {{ host = "127.0.0.1", port = {port} }}\n' + whatsapp_account(whatsapp)
    async with installed(folder, text, secrets(fake=whatsapp)) as here:
        assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
        whatsapp.customer_says(EMILY, "hello?", "Emily")
        await rows(here, 1)
        yield here


@contextlib.contextmanager
def console(here: Installation) -> Iterator[Terminal]:
    command = [PYTHON, "-m", "agentconsole", "--config", str(here.config), "console"]
    with Terminal(command, (80, 24), here.env()) as terminal:
        terminal.sees("agentconsole", "WhatsApp+")
        yield terminal


async def at(terminal: Terminal, act: Callable[[Terminal], object]) -> None:
    """Let a person act at a terminal while the provider here goes on answering."""
    await asyncio.to_thread(act, terminal)


def write(text: str) -> Callable[[Terminal], None]:
    """Open the reply where it is not, type, send, and see that it is on its way."""

    def act(terminal: Terminal) -> None:
        if "writing here now" not in terminal.text:
            if "hello?" not in terminal.text:
                terminal.press("\r")
            terminal.press("r")
            terminal.sees("Reply to Emily", "WhatsApp: writing here now")
        terminal.press(text)
        terminal.send(CTRL_S)
        terminal.sees("sending.")

    return act


def decide(key: str, asked: str) -> Callable[[Terminal], None]:
    def act(terminal: Terminal) -> None:
        terminal.send(key)
        terminal.sees(asked, "y does it")
        terminal.quiet(LATER)
        terminal.send("y")

    return act


async def state(here: Installation, wanted: str, text: str) -> None:
    async def there() -> bool:
        found = (await told(here, "outbox", "list"))["replies"]
        return (wanted, text) in [(line["state"], line["text"]) for line in found]

    await until(there, 20, f"{text} {wanted}")


async def test_reply_that_may_have_left_is_told_to_who_comes_back_and_decided(
    office: Installation, whatsapp: Dying
) -> None:
    whatsapp.cuts = True
    whatsapp.answering.clear()
    with console(office) as first:
        await at(first, write("one"))
        first.hang_up()
        assert await asyncio.to_thread(first.ended) is not None
    whatsapp.answering.set()
    await state(office, "uncertain", "one")

    with console(office) as second:
        await at(second, lambda t: t.sees("While you were away: 1 may have gone out. U shows it."))
        second.send("U")
        await at(second, lambda t: t.sees("MAY HAVE GONE OUT (1)", "0 min", "WhatsApp", "Emily", "one"))
        second.send("dc")
        await at(second, lambda t: t.sees("WhatsApp cannot be asked about one reply"))
        second.send("\r")
        await at(second, lambda t: t.sees("hello?", "d decide"))
        await at(second, decide("dm", "Mark the reply to Emily as sent"))
        await at(second, lambda t: t.sees("is marked as sent"))
        await at(second, lambda t: t.until(lambda: "d decide" not in t.text, what="the decision in the timeline"))

        # The hub is killed under the console, with a send in hand and half a sentence typed.
        whatsapp.answering.clear()
        await at(second, write("two"))
        await at(second, lambda t: (t.press("half a sent"), t.sees("half a sent", "kept ")))
        await office.kill()
        await at(second, lambda t: t.sees("Hub not answering"))
        whatsapp.answering.set()
        await office.start()
        await at(
            second,
            lambda t: t.sees("While you were away: 1 may have gone out.", "answers again.", "half a sent"),
        )
        await state(office, "uncertain", "two")
        assert [sent.text for sent in whatsapp.sent] == ["one", "two"]

        # Nothing more is told to another console of the same agent.
        with console(office) as third:
            await at(third, lambda t: t.sees("half a sent", "Your draft of"))
            assert "While you were away" not in third.text


async def test_damaged_file_is_only_read_and_taken_back(office: Installation, folder: Path) -> None:
    await office.stop()
    (head,) = (folder / "store" / "customers").glob("*/*.json")
    whole = head.read_bytes()
    head.write_bytes(whole.replace(b"hello?", b"hallo?"))
    await office.start()
    with console(office) as terminal:
        await at(terminal, lambda t: t.sees("Only read: the file is damaged on disk.", "D shows what"))
        terminal.send("D")
        await at(terminal, lambda t: t.sees("ONLY READ, DAMAGED ON DISK (1)", "as it is", "entries"))
        terminal.press("\r")
        await at(terminal, lambda t: t.sees("Take Emily back", "y does it"))
        terminal.quiet(LATER)
        terminal.send("y")
        await at(terminal, lambda t: t.sees("Emily is back in use.", "No file is damaged."))
        terminal.send("\x1b")
        await at(
            terminal, lambda t: t.until(lambda: "Only read" not in t.text, what="the conversation is written to again")
        )
    assert (await told(office, "show", f"+{EMILY}"))["timeline"]


async def test_marked_conversations_are_tagged_in_one_go_and_u_takes_back_that_and_what_the_shell_did(
    office: Installation, whatsapp: Dying
) -> None:
    whatsapp.customer_says("442079460183", "second", "Bo")
    await rows(office, 2)

    async def tags() -> list[list[str]]:
        return sorted(row["tags"] for row in (await told(office, "inbox"))["conversations"])

    with console(office) as terminal:
        await at(terminal, lambda t: t.sees("2 waiting", "Bo"))
        terminal.send("gg")
        terminal.send("vv")
        await at(terminal, lambda t: t.sees("2 marked"))
        terminal.send("t")
        await at(terminal, lambda t: t.sees("Tags:"))
        terminal.send("vip\r")
        await at(terminal, lambda t: t.sees("2 conversations: Tags: +vip. u undoes"))
        assert await tags() == [["vip"], ["vip"]]
        terminal.send("u")
        await at(terminal, lambda t: t.sees("Undone: 2 conversations: Tags: +vip."))
        assert await tags() == [[], []]

        await told(office, "tag", "Emily", "late")
        assert await tags() == [[], ["late"]]
        terminal.send("u")
        await at(terminal, lambda t: t.sees("Undone: tags: +late (Emily)."))
        assert await tags() == [[], []]
