"""What is seen when something is looked for, asked or shown on a page of its own; see ``states``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from agentconsole.desk import AccountHealth, DamagedRecord
from agentconsole.domain.entries import Note, Received, Unreadable, WishSeen
from agentconsole.domain.model import AccountName, AgentName, Attachment, ConversationId, CustomerId, EntryId, Medium
from tests.ui.console import Driver
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone
from tests.ui.states import state
from tests.ui.states_written import told


async def ask(console: Driver, key: str, words: str) -> None:
    await console.press(*key.split())
    await console.until(lambda: console.app.where == "prompt")
    await console.type(words)


async def newest_message(console: Driver) -> None:
    """Go to Emily's newest message, which suggestions and notes may stand below."""
    await console.open("Emily Rhodes")
    await console.press("G")
    while not isinstance(console.app.timeline.chosen_entry, Received):
        await console.press("k")


def many(desk: DeskDouble) -> None:
    """Four customers with finds in several conversations."""
    emily(desk)
    for number in range(5):
        text = f"배송 문의 {number}: refund of order 5512{number}, please, and tell me when it is there."
        desk.received("minsu", "sms", phone("+821012345678"), text, minutes=900 - number, name="박민수")
    desk.received("park", "mail", email("park@example.com"), "A refund? 배송 전 취소", minutes=99, name="Emily Park")


def files(desk: DeskDouble) -> None:
    emily(desk)
    desk.received(
        "emily",
        "mail",
        email("emily@example.com"),
        "The letter, and https://example.com/parcel/55120?lang=en.",
        minutes=5,
        name="Emily Rhodes",
        subject="Letter",
        attachments=(
            desk.keep("letter.txt", "text/plain", b"Dear all,\n\nthe parcel 55120 is here.\n\nEmily"),
            desk.keep("사진 한 장.png", "image/png", bytes(240_000)),
            Attachment("voice.ogg", "audio/ogg", 9_000),
        ),
    )


def broken(desk: DeskDouble) -> None:
    emily(desk)
    desk.broken[CustomerId("minsu")] = DamagedRecord(
        CustomerId("minsu"), "박민수", "the checksum does not match", entries=2, previous=3
    )
    desk.broken[CustomerId("lost")] = DamagedRecord(CustomerId("lost"), "", "nothing there")
    desk.set_aside = 2


def full(desk: DeskDouble) -> None:
    emily(desk)
    desk.banner = "disk_full"


def unreadable(desk: DeskDouble) -> None:
    emily(desk)
    desk.received("emily", "mail", email("emily@example.com"), "Did the picture come?", minutes=2)
    desk.add(
        "emily",
        Unreadable(
            id=EntryId("u1"),
            at=NOW - timedelta(minutes=3),
            account=AccountName("mail"),
            medium=Medium("email"),
            conversation=ConversationId("c-emily"),
            reason="unreadable",
        ),
    )


def stopped(desk: DeskDouble) -> None:
    emily(desk)
    desk.health[0] = AccountHealth(
        AccountName("mail"),
        "email",
        Medium("email"),
        "unreachable",
        error="imap.example.com does not answer (timed out after 30 s).",
        hint="Others work. The next try comes by itself.",
        since=NOW - timedelta(minutes=4),
        last_ok=NOW - timedelta(minutes=4),
        retry_at=NOW + timedelta(seconds=22),
    )


def wished(desk: DeskDouble) -> None:
    emily(desk)
    source = desk.received("lee", "mail", email("lee@example.com"), "Text me, please.", minutes=5, name="Haeun Lee")
    desk.add(
        "lee",
        WishSeen(
            id=EntryId("wish"),
            at=NOW,
            medium=Medium("sms"),
            evidence=source,
            evidence_medium=Medium("email"),
            words="Text me, please.",
        ),
    )


def noted(desk: DeskDouble) -> None:
    emily(desk)
    note = Note(
        id=EntryId("n1"),
        at=NOW - timedelta(minutes=2),
        agent=AgentName("hyun"),
        conversation=ConversationId("c-emily"),
        text="@mina could you call Dr Adams? 전화 부탁드려요.",
    )
    desk.add("emily", note)


# -- finding -----------------------------------------------------------------------------------------------


@state("search-grouped", many)
async def _(console: Driver) -> None:
    await ask(console, "/", "refund")
    await console.press("enter")
    await console.until(lambda: console.app.page_kind == "search")
    await console.sees("found")


@state("search-grouped-ko", many, language="ko")
async def _(console: Driver) -> None:
    await ask(console, "/", "배송")
    await console.press("enter")
    await console.until(lambda: console.app.page_kind == "search")


@state("search-typing")
async def _(console: Driver) -> None:
    await ask(console, "/", "refund on:wh")


@state("search-nothing")
async def _(console: Driver) -> None:
    await ask(console, "/", "zebra")
    await console.press("enter")
    await console.sees("Nothing found")


@state("search-here", many)
async def _(console: Driver) -> None:
    await console.open("박민수")
    await ask(console, "/", "refund")
    await console.press("enter")
    await console.sees("1/5")


@state("switcher", many)
async def _(console: Driver) -> None:
    await ask(console, "f", "emi")
    await console.sees("Emily Park")


@state("switcher-ko", many, language="ko")
async def _(console: Driver) -> None:
    await ask(console, "f", "ㅂㅁㅅ")
    await console.until(lambda: console.desk.called("find_people"))
    await console.sees("박민수")


@state("filter", many)
async def _(console: Driver) -> None:
    await ask(console, "\\", "on:sms")
    await console.press("enter")
    await console.until(lambda: console.app.queue.total == 1 and console.app.reading.loaded)


@state("command-line")
async def _(console: Driver) -> None:
    await ask(console, ":", "vi")


@state("command-line-ko", language="ko")
async def _(console: Driver) -> None:
    await ask(console, ":", "vi")


@state("evidence", told)
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("E")
    await console.sees("Evidence")


@state("wish", wished)
async def _(console: Driver) -> None:
    await console.open("Haeun Lee")
    await console.sees("Wants SMS?")


@state("wish-ko", wished, language="ko")
async def _(console: Driver) -> None:
    await console.open("Haeun Lee")
    await console.sees("문자 원함?")


# -- asking ------------------------------------------------------------------------------------------------


@state("assign-to")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await ask(console, "A", "hy")


@state("assigned", noted)
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("a")
    await console.sees("Assigned to mina")


@state("chord-decide", language="ko")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("d")


@state("redact")
async def _(console: Driver) -> None:
    await newest_message(console)
    await ask(console, "R", "card number")


@state("hangul", language="ko")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("ㅁ")


@state("hangul-en")
async def _(console: Driver) -> None:
    await console.press("ㅊ")


@state("copied")
async def _(console: Driver) -> None:
    await newest_message(console)
    await console.press("y")
    await console.until(lambda: console.strip)


# -- pages -------------------------------------------------------------------------------------------------


async def files_page(console: Driver) -> None:
    await newest_message(console)
    await console.press("x")
    await console.until(lambda: console.app.page_kind == "files")


@state("files", files)
async def _(console: Driver) -> None:
    await files_page(console)


@state("files-ko", files, language="ko")
async def _(console: Driver) -> None:
    await files_page(console)


@state("file-saved", files)
async def _(console: Driver) -> None:
    await files_page(console)
    await console.press("down", "enter")
    await console.sees("saved as", "scp")
    assert list((Path.home() / "agentconsole" / "incoming").iterdir())


@state("file-as-text", files)
async def _(console: Driver) -> None:
    await files_page(console)
    await console.press("enter")
    await console.until(lambda: console.app.page_kind == "file")


@state("damaged", broken)
async def _(console: Driver) -> None:
    await console.press("D")
    await console.until(lambda: console.app.page_kind == "damaged")


@state("damaged-ko", broken, language="ko")
async def _(console: Driver) -> None:
    await console.press("D")
    await console.until(lambda: console.app.page_kind == "damaged")


@state("no-right", broken)
async def _(console: Driver) -> None:
    console.app.who = replace(console.app.who, rights=console.app.who.rights - {"operate"})
    await console.press("D")
    await console.until(lambda: console.app.page_kind == "damaged")
    await console.press("enter")


@state("disk-full", full)
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")


@state("disk-full-ko", full, language="ko")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")


@state("unreadable", unreadable)
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")


@state("sync-stopped", stopped)
async def _(console: Driver) -> None:
    await console.sees("e-mail OFF 4m")


@state("sync-stopped-ko", stopped, language="ko")
async def _(console: Driver) -> None:
    await console.press("!")
    await console.until(lambda: console.app.page_kind == "health")


@state("zoomed", noted)
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    await console.press("z", "z")
