"""What is seen while a reply is written, waits and leaves; see ``states``."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from agentconsole.domain.entries import Reply
from agentconsole.domain.model import AccountName, AgentName, ConversationId, CustomerId, EntryId, Medium, Participant
from agentconsole.domain.templates import Template
from agentconsole.errors import Answered, Refused
from agentconsole.files import outgoing
from tests.ui.console import Driver
from tests.ui.desk_double import NOW, DeskDouble, email, emily, phone
from tests.ui.states import Fill, replying, state

DELAY = Template(
    "delay",
    {
        "en": "Dear {customer.first_name},\nyour parcel is late: {reason}. It should be there on {date}.\nMina",
        "ko": "{customer.first_name} 님,\n택배가 늦어지고 있습니다: {reason}. {date} 도착 예정입니다.\n미나",
    },
    {"en": "Your parcel", "ko": "택배 안내"},
    words=("late",),
)
THANKS = Template("thanks", {"en": "Thank you, {customer.first_name}.", "ko": "감사합니다."})
ALERT = Template("alert", {"en": "Your code is ready."}, media=("sms",))  # type: ignore[arg-type]


def held(desk: DeskDouble) -> None:
    emily(desk)
    desk.hold = 5.0


def templates(desk: DeskDouble) -> None:
    emily(desk)
    desk.written = (DELAY, ALERT, THANKS)


def copied(desk: DeskDouble) -> None:
    """A mail with two others in Cc, and another medium to answer on."""
    emily(desk)
    others = (
        Participant("cc", email("mei@example.com"), "Mei"),
        Participant("cc", email("legal@example.com"), "Legal"),
    )
    desk.received(
        "kim",
        "mail",
        email("kim@example.com"),
        "Who signs?",
        minutes=6,
        name="Jiwoo Kim",
        subject="Contract",
        participants=others,
    )
    desk.received("kim", "sms", phone("+821055550198"), "ok", minutes=9000, name="Jiwoo Kim", conversation="c-kim")


def told(desk: DeskDouble) -> None:
    """A number given by mail, and the question on WhatsApp."""
    desk.received(
        "emily", "mail", email("emily@example.com"), "My ID is 88124821.", minutes=8, name="Emily Rhodes", subject="ID"
    )
    desk.received("emily", "wa", phone("+447700900123"), "any news?", minutes=1)


def sent(desk: DeskDouble, customer: str, account: str, days: float, text: str = "Is it all right now?") -> None:
    """Let a reply of hyun have left some days ago."""
    person = desk.person(CustomerId(customer))
    route = next(use.route for use in person.routes if use.route.account == account)
    desk.add(
        customer,
        Reply(
            id=EntryId(f"s-{customer}-{account}-{days}"),
            at=NOW - timedelta(days=days),
            agent=AgentName("hyun"),
            conversation=ConversationId(f"c-{customer}"),
            account=AccountName(account),
            medium=route.medium,
            address=route.address,
            text=text,
            key="k",
        ),
    )


def learned(desk: DeskDouble) -> None:
    """Answers come on SMS, the question came by mail."""
    number, day = phone("+5511955550147"), 24 * 60.0
    desk.received("ana", "sms", number, "oi", minutes=40 * day, name="Ana Souza")
    for at in range(4):
        sent(desk, "ana", "sms", 30 - 5 * at)
        desk.received("ana", "sms", number, f"yes ({at})", minutes=(30 - 5 * at) * day - 60, name="Ana Souza")
    desk.received(
        "ana", "mail", email("ana@example.com"), "One more thing", minutes=30, name="Ana Souza", subject="Box"
    )


def live(desk: DeskDouble) -> None:
    """Writing on WhatsApp now, though e-mail was asked for."""
    told(desk)
    desk.prefers("emily", "email", days=2)


def window(minutes: float) -> Fill:
    def fill(desk: DeskDouble) -> None:
        desk.received("kim", "wa", phone("+447700900456"), "Is it there?", minutes=minutes, name="Jiwoo Kim")
        desk.received("kim", "sms", phone("+447700900456"), "hello", minutes=90_000, name="Jiwoo Kim")

    return fill


def only_whatsapp(desk: DeskDouble) -> None:
    desk.received("kim", "wa", phone("+447700900456"), "Is it there?", minutes=26 * 60, name="Jiwoo Kim")
    desk.accounts = tuple(account for account in desk.accounts if account.name == "wa")


def opted_out_then_wrote(desk: DeskDouble) -> None:
    emily(desk)
    desk.received("lee", "sms", phone("+447700900789"), "where is it?", minutes=3, name="Haeun Lee")
    desk.received("lee", "mail", email("lee@example.com"), "hello", minutes=9000, name="Haeun Lee")
    desk.opt_out("lee", "sms", "STOP", days=3)


def texted(desk: DeskDouble) -> None:
    desk.received("lee", "sms", phone("+447700900789"), "where is it?", minutes=3, name="Haeun Lee")


def nowhere(desk: DeskDouble) -> None:
    desk.received("lee", "sms", phone("+447700900789"), "STOP", minutes=3, name="Haeun Lee")
    desk.opt_out("lee", "sms", "STOP", days=0)


# -- what waits --------------------------------------------------------------------------------------------


@state("held", held)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "It is moved to 11 March.")
    await console.press("ctrl+s")
    await console.sees("in 5 s.")


@state("held-ko", held, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "옮겨 드렸습니다.")
    await console.press("ctrl+s")
    await console.sees("5초 뒤 발송")


@state("held-stopped", held)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "It is moved to 11 March.")
    await console.press("ctrl+s")
    await console.sees("in 5 s.")
    await console.press("f9")
    await console.sees("The text is back.")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("schedule", held)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Good morning")
    await console.press("f10")
    await console.until(lambda: console.app.where == "prompt")
    await console.type("tomorrow 9")


@state("scheduled", held)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Good morning")
    await console.press("f10")
    await console.type("tomorrow 9")
    await console.press("enter")
    await console.sees("leaves 4 Mar 09:00", "Scheduled for")


@state("scheduled-ko", held, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "안녕하세요.")
    await console.press("f10")
    await console.type("내일 9시")
    await console.press("enter")
    await console.sees("3월 4일 09:00 발송 예약", "예약.")


@state("set-aside")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "half a thought")
    await console.press("ctrl+n")
    await console.until(lambda: console.desk.thrown)
    await console.sees("brings it back")


@state("hub-gone-writing")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "half a sentence")
    console.desk.gone = True
    console.app.hub_gone()
    console.app.hub_gone_since = 0.0
    console.app.tell("strip.hub_gone", "bad", seconds="6")


# -- others ------------------------------------------------------------------------------------------------


def hyun_writes(console: Driver) -> None:
    console.desk.comes("hyun", "emily", NOW - timedelta(seconds=4), writing=True, medium=Medium("whatsapp"))


@state("company-writes")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    hyun_writes(console)
    await console.sees("take over", "hyun")


@state("company-writes-ko", language="ko")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    hyun_writes(console)
    await console.sees("넘겨받기", "hyun")


@state("company-looks")
async def _(console: Driver) -> None:
    await console.open("Emily Rhodes")
    console.desk.comes("hyun", "emily", NOW)
    await console.sees("hyun looks at this customer.")


@state("company-waits")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "mine")
    hyun_writes(console)
    await console.sees("Yours waits")
    await console.press("ctrl+s")
    await console.sees("Not sent, text kept")


@state("company-waits-ko", language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "내 글")
    hyun_writes(console)
    await console.sees("내 글은 보관")
    await console.press("ctrl+s")
    await console.sees("발송 안 됨, 글은 보관")


@state("taken-over")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "half")
    console.desk.comes("mina", "emily", NOW, writing=True, taken_by=AgentName("hyun"))
    await console.sees("hyun took this over")


async def answered(console: Driver, text: str) -> None:
    await replying(console, "Emily Rhodes", text)
    sent(console.desk, "emily", "mail", 1 / 1440, "It is moved to 11 March, 9:00.")
    console.desk.refuse = Answered("hyun answered at 14:01. Yours was not sent and is kept.", "")
    await console.press("ctrl+s")


@state("answered")
async def _(console: Driver) -> None:
    await answered(console, "mine")
    await console.sees("hyun answered at 14:01")


@state("answered-ko", language="ko")
async def _(console: Driver) -> None:
    await answered(console, "내 글")
    await console.sees("님이 답장함")


# -- templates, files, quotation ---------------------------------------------------------------------------


@state("templates", templates)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Hello.")
    await console.press("ctrl+r")
    await console.sees("delay")


@state("templates-ko", templates, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes")
    await console.press("ctrl+r")
    await console.sees("delay")


@state("template-put-in", templates)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes")
    await console.press("ctrl+r")
    await console.type("late")
    await console.press("enter")
    await console.sees("to be written by hand")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


def drop_folder() -> Path:
    folder = outgoing.drop_folder()
    for name, size in (("invoice 8841.pdf", 84_000), ("송장 3월.pdf", 91_000), ("plan.png", 1_200_000)):
        (folder / name).write_bytes(bytes(size))
        os.utime(folder / name, (size, size))
    return folder


@state("attach")
async def _(console: Driver) -> None:
    await asyncio.to_thread(drop_folder)
    await replying(console, "Emily Rhodes", "Here it is.")
    await console.press("f5")
    await console.sees("invoice 8841.pdf", "1.2 MB")


@state("attach-completion", language="ko")
async def _(console: Driver) -> None:
    await asyncio.to_thread(drop_folder)
    await replying(console, "Emily Rhodes", "보내 드립니다.")
    await console.press("f5")
    await console.sees("plan.png")
    await console.type("~/agentconsole/outgoing/송")
    await console.sees("송장 3월.pdf")
    await console.until(lambda: "plan.png" not in console.screen)


@state("attached")
async def _(console: Driver) -> None:
    await asyncio.to_thread(drop_folder)
    await replying(console, "Emily Rhodes", "Here it is.")
    await console.press("f5")
    await console.sees("invoice 8841.pdf")
    await console.press("enter")
    await console.sees("Attached: plan.png", "1 file")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("attachment-refused")
async def _(console: Driver) -> None:
    await asyncio.to_thread(drop_folder)
    await replying(console, "+442079460182", "Here it is.")
    await console.press("f5")
    await console.sees("invoice 8841.pdf")
    await console.press("enter")
    await console.sees("carries no files")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("quote")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Yes.")
    await console.press("ctrl+x", "q")
    await console.sees("Quoted.")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("preview", copied)
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim", "Mei signs.")
    await console.press("ctrl+x", "p")
    await console.sees("As it would leave")


@state("recipients", copied)
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim", "Mei signs.")
    await console.press("ctrl+x", "d")
    await console.sees("Who gets this reply")


@state("cc-lost", copied)
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim")
    await console.press("ctrl+t")
    await console.until(lambda: console.app.writer.now is not None and console.app.writer.now.medium == "sms")
    await console.sees("in Cc will not get this")


@state("cc-lost-ko", copied, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim")
    await console.press("ctrl+t")
    await console.until(lambda: console.app.writer.now is not None and console.app.writer.now.medium == "sms")
    await console.sees("받지 못함")


@state("review", copied)
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim", "Dear {name}, see the contract.")
    await console.press("ctrl+s")
    await console.sees("Not sent yet.")


@state("review-ko", copied, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim", "{name} 님, 계약서입니다.")
    await console.press("ctrl+s")
    await console.until(lambda: "F8" in console.strip)


@state("chord-typing")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Yes.")
    await console.press("ctrl+x")


@state("chord-typing-ko", language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "네.")
    await console.press("ctrl+x")


# -- guards ------------------------------------------------------------------------------------------------


@state("known-fact", told)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "what is your ID number")
    await console.sees("Already known")


@state("known-fact-ko", told, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "what is your ID number")
    await console.sees("이미 아는 정보")


@state("number-in-text")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Your card 4111 1111 1111 1111 is charged.")
    await console.sees("in clear")
    await console.press("ctrl+s")
    await console.sees("Not sent yet.")


@state("number-in-text-ko", language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "카드 4111 1111 1111 1111 결제됨")
    await console.sees("번호 그대로")
    await console.press("ctrl+s")
    await console.until(lambda: console.strip)


@state("parts", texted)
async def _(console: Driver) -> None:
    await replying(console, "Haeun Lee")
    console.box.load_text("This text takes more than one part. " * 6)
    await console.sees("2 SMS")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("parts-ko", texted, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Haeun Lee")
    console.box.load_text("이 글은 문자 한 건에 다 들어가지 않습니다. " * 5)
    await console.sees("문자 2건")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("too-long", texted)
async def _(console: Driver) -> None:
    await replying(console, "Haeun Lee")
    console.box.load_text("A long text goes by SMS, and it does not end. " * 20)
    await console.sees("too long")
    await console.until(lambda: console.app.writer.now is not None and not console.app.writer.now.unsaved)


@state("refused-by-hub")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes", "Yes.")
    console.desk.refuse = Refused("E-mail to this customer is blocked by hyun.", "Ask hyun, or choose another channel.")
    await console.press("ctrl+s")
    await console.sees("Not sent, text kept.")


# -- why this channel --------------------------------------------------------------------------------------


@state("why-learned", learned)
async def _(console: Driver) -> None:
    await replying(console, "Ana Souza")


@state("why-learned-ko", learned, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Ana Souza")


@state("why-live", live)
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes")


@state("why-live-ko", live, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Emily Rhodes")


@state("window-closing", window(24 * 60 - 9))
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim", "On its way.")


@state("window-closing-ko", window(24 * 60 - 9), language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim", "가는 중입니다.")


@state("window-closed", window(26 * 60))
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim")
    await console.press("ctrl+t")


@state("template-only", only_whatsapp)
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim")


@state("template-only-ko", only_whatsapp, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Jiwoo Kim")


@state("opted-out-wrote", opted_out_then_wrote)
async def _(console: Driver) -> None:
    await replying(console, "Haeun Lee")


@state("opted-out-wrote-ko", opted_out_then_wrote, language="ko")
async def _(console: Driver) -> None:
    await replying(console, "Haeun Lee")


@state("no-route", nowhere)
async def _(console: Driver) -> None:
    await replying(console, "Haeun Lee")
