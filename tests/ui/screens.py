"""Every state of the console as text with its styles: what it looks like at four sizes in four themes.

``python -m tests.ui.screens`` draws them all again into ``tests/data/screens``, with a name only that one.
A picture of a screen in SVG is 60 to 100 kB and tells a reviewer's diff nothing; these are some kB each and read.

A file has one part for each size: the lines as they stand on the screen, then for every line its runs, a letter of the
legend with the number of cells, and at the end the legend: what the letter is in each theme.
"""

from __future__ import annotations

import asyncio
import string
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from agentconsole.desk import AccountHealth
from agentconsole.domain.model import (
    AccountName,
    AgentName,
    ConversationId,
    CustomerId,
    Delivery,
    Draft,
    Medium,
    Trust,
)
from agentconsole.ui import look
from tests.ui.console import Driver, running
from tests.ui.demo_app import care, unsure
from tests.ui.desk_double import NOW, DeskDouble, email, emily

FOLDER: Final = Path(__file__).parents[1] / "data" / "screens"
SIZES: Final = ((80, 24), (60, 20), (100, 30), (160, 48))
THEMES: Final = ("ansi", "dark", "light", "mono")
LETTERS: Final = string.ascii_lowercase + string.ascii_uppercase + string.digits

Fill = Callable[[DeskDouble], None]
Drive = Callable[[Driver], Awaitable[None]]


@dataclass(frozen=True)
class State:
    """Args:
    fill: what the desk knows.
    drive: what is done until the state is reached.
    more: further ``UiSettings``, and ``language``.
    """

    fill: Fill = emily
    drive: Drive | None = None
    more: dict[str, Any] = field(default_factory=dict)


STATES: Final[dict[str, State]] = {}


def state(name: str, fill: Fill = emily, **more: Any) -> Callable[[Drive], Drive]:
    def add(drive: Drive) -> Drive:
        STATES[name] = State(fill, drive, more)
        return drive

    return add


# -- what customers did ------------------------------------------------------------------------------------


def nobody(desk: DeskDouble) -> None:
    """Nothing has ever come in."""


def down(desk: DeskDouble) -> None:
    emily(desk)
    desk.health[1] = AccountHealth(
        AccountName("sms"),
        "twilio",
        Medium("sms"),
        "signed_out",
        error="Twilio took no sign-in (401, code 20003).",
        hint="Look at auth_token in the console of Twilio.",
        since=NOW - timedelta(minutes=3),
    )


def failed(desk: DeskDouble) -> None:
    emily(desk)
    reply = unsure(desk, "tanaka", "mina", "mail", "The invoice is attached.", 10)
    desk.receipt(reply, Delivery.FAILED, reason="rejected", detail="550 5.1.1 no such user")


def uncertain(desk: DeskDouble) -> None:
    emily(desk)
    unsure(desk, "tanaka", "mina", "mail", "The invoice is attached.", 10)


def doubtful(desk: DeskDouble) -> None:
    emily(desk)
    desk.received(
        "tanaka",
        "mail",
        email("tanaka@example.com"),
        "Please send the bank details again.",
        minutes=1,
        name="田中ゆき",
        subject="Urgent",
        trust=Trust.CLAIMED,
        checked=True,
    )


def drafted(desk: DeskDouble) -> None:
    emily(desk)
    draft = Draft(AgentName("mina"), CustomerId("emily"), ConversationId("c-emily"), "Dear Emily, half a", 1, NOW)
    desk.kept[draft.conversation] = draft


def wide(desk: DeskDouble) -> None:
    """Letters that terminals and libraries count differently: wide, combining, decomposed, joined."""
    names = {
        "nfd": "\u1112\u1161\u11ab\u1100\u1173\u11af \u1112\u1161\u11ab\u1100\u1173\u11af",
        "combining": "Zoe\u0308 A\u030angstro\u0308m",
        "emoji": "Sam \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1f0\U0001f1f7",
        "wide": "ｆｕｌｌ 全角 ﾊﾝｶｸ",
        "right": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
        "thai": "สวัสดีครับ नमस्ते",
    }
    for number, (customer, name) in enumerate(names.items()):
        sender = email(f"{customer}@example.com")
        desk.received(customer, "mail", sender, f"{name}? {name}!", minutes=20 - number, name=name, subject=name)


def hostile(desk: DeskDouble) -> None:
    text = "[bold]x[/] \x1b[2J\x1b]52;c;eA==\x07 \u202egnp.exe \x9b2J [/]"
    desk.received("h", "mail", email("h@example.com"), text, minutes=1, name=text, subject=text)


# -- the states --------------------------------------------------------------------------------------------


@state("empty", nobody)
async def _(console: Driver) -> None:
    await console.sees("Nobody is waiting.")


@state("list")
async def _(console: Driver) -> None:
    await console.press("j")


@state("list-ko", language="ko")
async def _(console: Driver) -> None:
    await console.press("j")


@state("list-unicode", glyphs=look.UNICODE)
async def _(console: Driver) -> None:
    await console.press("j")


@state("no-clock", show_clock=False)
async def _(console: Driver) -> None:
    await console.press("j")


@state("conversation")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")


@state("conversation-ko", language="ko")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")


@state("conversation-unicode", glyphs=look.UNICODE)
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")


async def replying(console: Driver, name: str, text: str = "") -> None:
    await console.open(name)
    await console.press("r")
    await console.until(lambda: console.app.where == "box")
    if text:
        await console.type(text)
    writer = console.app.writer
    await console.until(lambda: writer.now is not None and writer.now.choice is not None and not writer.now.unsaved)


@state("reply-stated")
async def _(console: Driver) -> None:
    await replying(console, "田中ゆき", "Thank you")


@state("reply-ko", language="ko")
async def _(console: Driver) -> None:
    await replying(console, "田中ゆき", "감사합니다")


@state("reply-opted-out")
async def _(console: Driver) -> None:
    await replying(console, "박민수")
    await console.press("ctrl+t")


@state("reply-why")
async def _(console: Driver) -> None:
    await replying(console, "박민수")
    await console.press("f2")
    await console.sees("WHY THIS CHANNEL")


@state("note")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("i")
    await console.until(lambda: console.app.where == "box")
    await console.type("call back")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("draft-restored", drafted)
async def _(console: Driver) -> None:
    await console.until(lambda: console.app.where == "box")


async def opened(console: Driver, customer: str) -> None:
    """Open a conversation that waits for nobody."""
    console.app.acting.open(CustomerId(customer), ConversationId(f"c-{customer}"))
    await console.until(lambda: console.app.where == "conversation")


@state("failed", failed)
async def _(console: Driver) -> None:
    await opened(console, "tanaka")


@state("uncertain", uncertain)
async def _(console: Driver) -> None:
    await opened(console, "tanaka")


@state("uncertain-ko", uncertain, language="ko")
async def _(console: Driver) -> None:
    await opened(console, "tanaka")


@state("outbox", failed)
async def _(console: Driver) -> None:
    await console.press("g", "o")
    await console.sees("OUTBOX")


@state("suggestion-linked")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("I")
    await console.until(lambda: console.desk.called("answer_suggestion"))
    await console.settle()


@state("history-closed", doubtful)
async def _(console: Driver) -> None:
    await console.open("田中ゆき")
    await console.sees("History closed")


@state("care", care)
async def _(console: Driver) -> None:
    await opened(console, "emily")


@state("account-down", down)
async def _(console: Driver) -> None:
    await console.sees("SMS OFF")


@state("health", down)
async def _(console: Driver) -> None:
    await console.press("!")
    await console.sees("ACCOUNTS")


@state("health-ko", down, language="ko")
async def _(console: Driver) -> None:
    await console.press("!")
    await console.until(lambda: console.app.page_kind == "health")


@state("hub-gone")
async def _(console: Driver) -> None:
    console.desk.gone = True
    console.app.hub_gone()
    console.app.hub_gone_since = 0.0
    console.app.tell("strip.hub_gone", "bad", seconds="6")


@state("search")
async def _(console: Driver) -> None:
    await console.press("/")
    await console.until(lambda: console.app.where == "prompt")
    await console.type("appointment")
    await console.press("enter")
    await console.until(lambda: console.app.page_kind == "search")


@state("palette")
async def _(console: Driver) -> None:
    await console.press("ctrl+p")
    await console.until(lambda: console.app.where == "prompt")


@state("help")
async def _(console: Driver) -> None:
    await console.press("?")


@state("help-ko", language="ko")
async def _(console: Driver) -> None:
    await console.press("?")


@state("why")
async def _(console: Driver) -> None:
    await console.open("박민수")
    await console.press("w")
    await console.until(lambda: console.app.page_kind == "why")


@state("card")
async def _(console: Driver) -> None:
    await console.open("박민수")
    await console.press("3")


@state("closed")
async def _(console: Driver) -> None:
    await console.open("田中ゆき")
    await console.press("c")
    await console.until(lambda: console.app.queue.total == 3)


@state("view-empty")
async def _(console: Driver) -> None:
    await console.press("g", "f")
    await console.until(lambda: console.app.reading.view == "failed" and console.app.reading.loaded)


@state("chord")
async def _(console: Driver) -> None:
    await console.press("g")


@state("coach", coach=True)
async def _(console: Driver) -> None:
    await console.press("j")


@state("wide-letters", wide)
async def _(console: Driver) -> None:
    await console.press("j", "enter")
    await console.until(lambda: console.app.where == "conversation")


@state("hostile", hostile)
async def _(console: Driver) -> None:
    await console.press("enter")
    await console.until(lambda: console.app.where == "conversation")


@state("blanked")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    console.app.acting.do_lock()


@state("blanked-ko", language="ko")
async def _(console: Driver) -> None:
    console.app.acting.do_lock()


# -- drawing -----------------------------------------------------------------------------------------------


async def draw(name: str) -> str:
    """Return a state as the text that its file holds."""
    wanted = STATES[name]
    desk = DeskDouble()
    wanted.fill(desk)
    legend: dict[tuple[str, ...], str] = {}
    parts = []
    more = {"coach": False, **wanted.more}
    async with running(desk, size=SIZES[0], **more) as console:
        assert wanted.drive is not None
        await wanted.drive(console)
        for size in SIZES:
            await console.pilot.resize_terminal(*size)
            await console.until(lambda size=size: tuple(console.app.size) == size)  # type: ignore[misc]
            await console.settle()
            parts.append(f"== {size[0]}x{size[1]}\n{_part(console, legend)}")
    parts.append("== styles\n" + "".join(f"{letter} {' | '.join(styles)}\n" for styles, letter in legend.items()))
    return "".join(parts)


def _part(console: Driver, legend: dict[tuple[str, ...], str]) -> str:
    seen = [_cells(console, look.THEMES[name]) for name in THEMES]
    lines = [["".join(character for character, _ in line).rstrip() for line in screen] for screen in seen]
    assert all(screen == lines[0] for screen in lines), "a theme changes colours and nothing else"
    runs = []
    for line in zip(*seen, strict=True):
        styles = [tuple(cell[1] for cell in cells) for cells in zip(*line, strict=True)]
        letters = [legend.setdefault(style, LETTERS[len(legend)]) for style in styles]
        runs.append(" ".join(f"{letter}{count}" for letter, count in _counted(letters)))
    shown = "".join(f"{line}\n" for line in lines[0])
    return f"{shown}--\n{''.join(f'{line}{chr(10)}' for line in runs)}"


def _cells(console: Driver, theme: look.Theme) -> list[list[tuple[str, str]]]:
    """Return every run of the screen in a theme, split so that all themes have the same runs: letter by letter."""
    app = console.app
    app.look = theme
    for widget in app.screen.walk_children(with_self=True):
        widget._styles_cache.clear()  # type: ignore[attr-defined]
    return [
        [(character, str(segment.style or "")) for segment in line for character in segment.text]
        for line in app.screen._compositor.render_strips()
    ]


def _counted(letters: list[str]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for letter in letters:
        if found and found[-1][0] == letter:
            found[-1] = (letter, found[-1][1] + 1)
        else:
            found.append((letter, 1))
    return found


def kept(name: str) -> Path:
    return FOLDER / f"{name}.txt"


async def _main(names: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or STATES:
        try:
            drawn = await draw(name)
        except AssertionError as error:
            sys.stderr.write(f"{name}: {error}\n")
            continue
        kept(name).write_text(drawn, encoding="utf-8")
    if not names:
        for file in FOLDER.glob("*.txt"):
            if file.stem not in STATES:
                file.unlink()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
