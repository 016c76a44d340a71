"""The first minutes and the health page: what an empty console says, which key helps, looking at an account now."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agentconsole.desk import AccountHealth, SyncResult
from agentconsole.domain.model import AccountName, CustomerId, Medium
from agentconsole.ui import health_page
from agentconsole.ui.say import Say
from agentconsole.ui.settings import Setup
from tests.ui.console import running
from tests.ui.desk_double import NOW, DeskDouble, emily

SETUP = Setup(("true",))


@pytest.fixture
def desk() -> DeskDouble:
    return DeskDouble()


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ("No account yet", "+ adds one", "agentconsole demo")), ("ko", ("아직 계정이 없어", "+ 계정 추가"))],
)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_without_an_account_the_key_that_adds_one_is_named(
    language: str, said: tuple[str, ...], size: tuple[int, int]
) -> None:
    desk = DeskDouble()
    desk.health = []
    async with running(desk, language=language, size=size, setup=SETUP) as console:
        await console.sees(*said)


async def test_whose_hub_is_another_login_s_is_told_who_adds_accounts(desk: DeskDouble) -> None:
    desk.health = []
    async with running(desk) as console:
        await console.sees("Accounts of this profile are added where its hub")
        await console.press("+")
        await console.sees("belong to its hub")
    async with running(desk, setup=SETUP, rights=frozenset({"read", "reply"})) as console:
        await console.press("+")
        await console.sees("needs the right operate")
    async with running(desk, setup=Setup(why="demo")) as console:
        await console.press("+")
        await console.sees("The demo has its own accounts")


async def test_before_the_first_message_every_account_says_how_it_is() -> None:
    desk = DeskDouble()
    desk.health = [
        AccountHealth(AccountName("mail"), "email", Medium("email"), "ok", last_ok=NOW - timedelta(minutes=2)),
        AccountHealth(AccountName("bot"), "telegram", Medium("telegram"), "starting", received=40),
        AccountHealth(AccountName("sms"), "twilio", Medium("sms"), "signed_out", error="No.", since=NOW),
    ]
    async with running(desk, setup=SETUP) as console:
        await console.sees("Nothing has come in yet", "mail: looked 2 min ago", "bot: signing in", ".. 40")
        await console.sees("sms: ", "! says why")


async def test_an_empty_list_gives_way_to_the_first_message() -> None:
    desk = DeskDouble()
    async with running(desk, setup=SETUP, size=(60, 20)) as console:
        await console.sees("Nothing has come in yet")
        emily(desk)
        desk.tell("emily")
        await console.sees("Emily Rhodes")
        assert "Nothing has come in yet" not in console.screen
        assert console.app.view_bar.size.height == 1


async def test_enter_on_an_account_looks_now_and_tells_what_came(desk: DeskDouble) -> None:
    emily(desk)
    asked: list[str] = []
    come = asyncio.Event()

    async def sync(_who: Any, account: AccountName, _seconds: float) -> tuple[SyncResult, ...]:
        asked.append(account)
        await come.wait()
        return (SyncResult(account, 3),)

    desk.sync = sync  # type: ignore[attr-defined]
    async with running(desk) as console:
        await console.press("!")
        await console.sees("ACCOUNTS AND HUB", "look now")
        await console.press("enter")
        await console.sees("looking ..")
        come.set()
        await console.sees(f"{asked[0]}: looked, 3 new.")
        assert asked == [desk.health[0].name]


async def test_a_look_that_fails_says_why_and_what_helps(desk: DeskDouble) -> None:
    async def sync(_who: Any, account: AccountName, _seconds: float) -> tuple[SyncResult, ...]:
        return (SyncResult(account, 0, "The server refused.", "Look at the password."),)

    desk.sync = sync  # type: ignore[attr-defined]
    async with running(desk) as console:
        await console.press("!", "enter")
        await console.sees("The server refused. Look at the password.")


# -- the page -----------------------------------------------------------------------------------------------


async def page(desk: DeskDouble, **changes: Any) -> str:
    import msgspec

    status = await desk.status(None)  # type: ignore[arg-type]
    status = msgspec.structs.replace(status, **changes)
    items = health_page.health(status, Say("en", "UTC"), NOW, 78)
    lines = ["".join(text for text, _ in item.line) for item in items]
    assert all(len(line) <= 78 for line in lines), lines
    return "\n".join(lines)


async def test_the_page_says_which_key_helps_with_what_is_wrong(desk: DeskDouble) -> None:
    import msgspec

    status = await desk.status(None)  # type: ignore[arg-type]
    store = msgspec.structs.replace(
        status.store,
        kind="tinydb",
        read_only=(CustomerId("c"),),
        backed_up=NOW - timedelta(days=9),
        free_bytes=2_000_000,
    )
    outbox = msgspec.structs.replace(status.outbox, uncertain=2, failed=1)
    spool = msgspec.structs.replace(status.spool, set_aside=4)
    told = await page(desk, store=store, outbox=outbox, spool=spool)
    for words in (
        "2 may have gone out, never sent again by itself: U",
        "1 failed: g o",
        "4 arrived and could not be filed",
        "1 customers are only read, because a file is damaged: D",
        "9 days ago: agentconsole store backup FOLDER",
        "2.0 MB free",
    ):
        assert words in told
    never = msgspec.structs.replace(store, backed_up=None)
    assert "no backup yet" in await page(desk, store=never)
    fresh = msgspec.structs.replace(store, backed_up=NOW - timedelta(hours=2))
    assert "days ago" not in await page(desk, store=fresh)


async def test_an_account_that_looks_well_and_was_silent_for_long_is_not_called_well(desk: DeskDouble) -> None:
    quiet = AccountHealth(AccountName("mail"), "email", Medium("email"), "ok", last_ok=NOW - timedelta(minutes=50))
    assert "no look for 50 min" in await page(desk, accounts=(quiet,))
    busy = AccountHealth(AccountName("mail"), "email", Medium("email"), "ok", last_ok=NOW - timedelta(minutes=9))
    assert "no look for" not in await page(desk, accounts=(busy,))
