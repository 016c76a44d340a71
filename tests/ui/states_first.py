"""What is seen first: the list, a conversation, a reply, what went wrong; see ``states``."""

from __future__ import annotations

from datetime import timedelta

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
from tests.ui.console import Driver
from tests.ui.demo_app import care, unsure
from tests.ui.desk_double import NOW, DeskDouble, email, emily
from tests.ui.states import opened, replying, state

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
