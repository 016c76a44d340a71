"""Held replies and two agents on real terminals and a real hub: kills of console and hub lose nothing, send nothing
twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from agentconsole.sandbox.fake_whatsapp import FakeWhatsApp
from tests.e2e.installation import Installation, installed
from tests.e2e.quick import PROFILE, rows, secrets, told, whatsapp_account
from tests.folders import quick_folder
from tests.ports import free_port
from tests.pty.harness import PYTHON, Terminal
from tests.waiting import until

EMILY = "442079460182"
CTRL_S, CTRL_X, F3, F9 = "\x13", "\x18", "\x1bOR", "\x1b[20~"


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder("acw-") as found:
        yield found


@pytest.fixture
async def whatsapp() -> AsyncIterator[FakeWhatsApp]:
    fake = FakeWhatsApp(retry_seconds=0.2)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def office(folder: Path, whatsapp: FakeWhatsApp) -> AsyncIterator[Installation]:
    """A hub with a WhatsApp number whose replies are held for a minute, so that no test depends on its haste."""
    port = free_port()
    text = PROFILE + 'hold = 60\nhub = { as_names = ["mina", "hyun"] }\n'
    text += f'http = {{ host = "127.0.0.1", port = {port} }}\n'
    async with installed(folder, text + whatsapp_account(whatsapp), secrets(fake=whatsapp)) as here:
        assert await whatsapp.connect(f"http://127.0.0.1:{port}/hook/whatsapp")
        whatsapp.customer_says(EMILY, "hello?", "Emily")
        await rows(here, 1)
        yield here


@contextlib.contextmanager
def console(here: Installation, agent: str) -> Iterator[Terminal]:
    command = [PYTHON, "-m", "agentconsole", "--config", str(here.config), "--as", agent, "console"]
    with Terminal(command, (100, 30), here.env()) as terminal:
        terminal.sees("agentconsole", "WhatsApp+")
        yield terminal


async def at(terminal: Terminal, act: Callable[[Terminal], object]) -> None:
    await asyncio.to_thread(act, terminal)


def begin(terminal: Terminal) -> None:
    terminal.sees("Emily", "hello?")
    terminal.send("r")
    terminal.sees("Reply to Emily", "WhatsApp: writing here now")


async def test_a_held_reply_outlives_console_and_hub_and_is_sent_once(
    office: Installation, whatsapp: FakeWhatsApp
) -> None:
    with console(office, "mina") as first:
        await at(first, begin)
        first.send("one")
        await at(first, lambda t: t.sees("one"))
        first.send(CTRL_S + CTRL_S)
        await at(first, lambda t: t.sees("Sending on WhatsApp in"))
        os.kill(first.pid, signal.SIGKILL)
    await office.kill()
    await office.start()
    (line,) = (await told(office, "outbox", "list"))["replies"]
    assert (line["state"], line["held"], line["text"]) == ("queued", True, "one")
    assert whatsapp.sent == []

    with console(office, "mina") as second:
        await at(second, lambda t: t.sees("Sending on WhatsApp in"))
        second.send(F9)
        await at(second, lambda t: t.sees("Stopped: nothing was sent to Emily. The text is back.", "Reply to Emily"))
        second.send("!")
        await at(second, lambda t: t.sees("one!"))
        second.send(CTRL_S)
        await at(second, lambda t: t.sees("Sending on WhatsApp in"))
        assert whatsapp.sent == []
        second.send(CTRL_X + "n")
        await until(lambda: asyncio.sleep(0, whatsapp.sent), what="sent at once")
        await at(second, lambda t: t.sees("WhatsApp to Emily: "))
    shown = (await told(office, "show", f"+{EMILY}"))["timeline"]
    states = [(entry["state"], entry["text"]) for entry in shown if entry["type"] == "reply"]
    assert [text for _, text in states] == ["one", "one!"]
    assert states[0][0] == "cancelled"
    assert [sent.text for sent in whatsapp.sent] == ["one!"]


async def test_two_agents_see_each_other_and_one_takes_over(office: Installation, whatsapp: FakeWhatsApp) -> None:
    with console(office, "mina") as mina, console(office, "hyun") as hyun:
        await at(mina, begin)
        mina.send("Dear Emily, we")
        await at(mina, lambda t: t.sees("Dear Emily, we"))
        await until(lambda: asyncio.to_thread(kept, office, "mina"), what="the hub has the draft")
        await at(hyun, lambda t: t.sees("mina writes here (", "F3 take over"))
        hyun.send(F3)
        await at(hyun, lambda t: t.sees("Taken over from mina", "Dear Emily, we", "Reply to Emily"))
        await at(mina, lambda t: t.sees("hyun took this over.", "F3 writes on"))
        os.kill(mina.pid, signal.SIGKILL)
        alone = lambda t: "mina writes" not in t.text and "mina looks" not in t.text  # noqa: E731
        await at(hyun, lambda t: t.until(lambda: alone(t), what="mina is gone"))
        assert await asyncio.to_thread(kept, office, "mina")
        assert await asyncio.to_thread(kept, office, "hyun")
    assert whatsapp.sent == []


def kept(office: Installation, agent: str) -> bool:
    """Say whether the hub keeps the draft of an agent."""
    files = (office.folder / "store" / "drafts" / agent).glob("*.json")
    return any(b"Dear Emily, we" in path.read_bytes() for path in files)
