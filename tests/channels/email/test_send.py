"""Sending: through real Postfix and back, and through servers that die at the worst moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from agentconsole.channels.email import parse
from agentconsole.channels.email.channel import EmailChannel
from agentconsole.channels.email.options import Deadlines
from agentconsole.domain.model import Address, Delivery, EntryId
from agentconsole.errors import (
    ChannelFailure,
    OutcomeUnknown,
    PermanentFailure,
    SignInFailed,
    TemporaryFailure,
    Withdrawn,
)
from agentconsole.ports import AddressEvent, File, Inbound, Outgoing, StatusReport
from tests.servers.mail import MailServers
from tests.waiting import DEADLINE, until

from .conftest import Open
from .scripted import Heard, smtp_server
from .test_receive import take

KEY = "reply-1.abc@example.test"


class Commits:
    """A commit that counts, and may look around or refuse."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._act = act

    async def __call__(self) -> None:
        self.count += 1
        self._act()


def reply(to: str, text: str = "네, 3월 8일 오전 10시로 옮겼습니다.\n.\n..점\n", **more: Any) -> Outgoing:
    return Outgoing(
        reply=EntryId("e1"),
        attempt=1,
        address=Address("email", "", to),
        text=text,
        **({"subject": "Re: 예약 변경 문의", "key": KEY} | more),
    )


async def received(channel: EmailChannel) -> Inbound:
    async def look() -> Inbound | None:
        items, _ = await take(channel)
        found = [parsed for item in items for parsed in parse(item)]
        return next((one for one in found if isinstance(one, Inbound)), None)

    found = await until(look, 10, "a mail in the box")
    assert found is not None
    return found


@pytest.mark.parametrize(("tls", "port"), [("starttls", "submission_port"), ("implicit", "submissions_port")])
async def test_arrives_word_for_word(mail: MailServers, open_channel: Open, tls: str, port: str) -> None:
    channel = open_channel(smtp={"tls": tls, "port": getattr(mail, port)})
    emily = open_channel(address="emily@example.test", imap={"user": mail.address("emily")})
    file = File("예약 확인서.pdf", "application/pdf", bytes(range(256)) * 40)
    commits = Commits()
    ids = ("m2@elsewhere.test", "m1@elsewhere.test")
    report = await channel.send(
        reply("emily@example.test", files=(file,), message_ids=ids, to_name="김에밀리, VIP"), commits
    )
    assert (report.external_id, report.state, commits.count) == (KEY, Delivery.SENT, 1)
    assert "queued" in report.detail
    got = await received(emily)
    assert got.subject == "Re: 예약 변경 문의"
    assert got.text == "네, 3월 8일 오전 10시로 옮겼습니다.\n.\n..점"
    assert (got.external_id, got.sender.value, got.sender_name) == (KEY, "support@example.test", "도움 Shop")
    assert got.message_ids == ids
    assert [(part.name, part.type, part.data) for part in got.parts] == [(file.name, file.type, file.data)]
    assert got.automatic is False


async def test_a_long_letter_is_not_mangled(mail: MailServers, open_channel: Open) -> None:
    text = "가" * 3000 + "\n" + "x" * 2000 + " \n\tTab\nFrom here\n" + ".\n" * 500 + "끝"
    await open_channel().send(reply("emily@example.test", text=text), Commits())
    got = await received(open_channel(address="emily@example.test", imap={"user": mail.address("emily")}))
    assert got.text == text


async def test_a_large_mail_leaves_the_loop_free(mail: MailServers, open_channel: Open) -> None:
    file = File("big.bin", "application/octet-stream", b"\0\xff" * 4_000_000)
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            # What the loop's thread works, not what passes: other programs have the processor, too.
            before = time.thread_time()
            await asyncio.sleep(0.005)
            worst = max(worst, time.thread_time() - before)

    watching = asyncio.create_task(watch())
    report = await open_channel().send(reply("minsu@example.test", files=(file,)), Commits())
    watching.cancel()
    assert report.state is Delivery.SENT
    assert worst < 0.5


@pytest.mark.parametrize(
    ("box", "kind", "reason"),
    [
        ("busy", TemporaryFailure, "provider_busy"),
        ("full", PermanentFailure, "mailbox_full"),
        ("gone", PermanentFailure, "no_such_address"),
        ("drop", TemporaryFailure, "provider_busy"),
    ],
)
async def test_a_refused_address(
    mail: MailServers, open_channel: Open, box: str, kind: type[ChannelFailure], reason: str
) -> None:
    channel, commits = open_channel(), Commits()
    with pytest.raises(kind) as caught:
        await channel.send(reply(f"{box}@example.test"), commits)
    assert caught.value.reason == reason
    assert "Nothing was sent" in caught.value.message
    assert commits.count == 0
    # Nobody reads this box: the mail may arrive when the next test has begun.
    assert (await channel.send(reply("minsu@example.test"), commits)).state is Delivery.SENT


async def test_withdrawn_at_the_last_moment_sends_nothing(mail: MailServers, open_channel: Open) -> None:
    def refuse() -> None:
        raise Withdrawn("opted_out")

    key = "withdrawn-1@example.test"
    lost = mail.log_text().count("lost connection after DATA")
    channel = open_channel()
    with pytest.raises(Withdrawn, match="opted_out"):
        await channel.send(reply("emily@example.test", text="the first", key=key), Commits(refuse))

    async def dropped() -> bool:
        return mail.log_text().count("lost connection after DATA") > lost

    await until(dropped, 5)
    await channel.send(reply("emily@example.test", text="the second"), Commits())
    emily = open_channel(address="emily@example.test", imap={"user": mail.address("emily")})
    assert (await received(emily)).text == "the second"
    assert f"message-id=<{KEY}>" in mail.log_text()
    assert key not in mail.log_text()
    assert len((await take(emily))[0]) == 1


async def test_a_bounce_comes_home_and_names_the_reply(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel()
    await channel.send(reply("ghost@example.test"), Commits())

    async def bounced() -> list[object]:
        items, _ = await take(channel)
        return [parsed for item in items for parsed in parse(item)]

    found = await until(bounced, 15, "a bounce")
    report, event = found
    assert isinstance(report, StatusReport)
    assert (report.state, report.key, report.reason) == (Delivery.FAILED, KEY, "bounced")
    assert report.detail.startswith("5.1.1")
    assert isinstance(event, AddressEvent)
    assert (event.address.value, event.dead) == ("ghost@example.test", "bounced")


# -- scripted servers ---------------------------------------------------------------------------------------


async def send_to(heard: Heard, open_channel: Open, commits: Commits | None = None, **more: Any) -> object:
    channel = open_channel(smtp={"tls": "none", "port": heard.port})
    return await channel.send(reply("emily@example.test", **more), commits or Commits())


async def test_death_before_the_dot_has_left_is_provably_unsent(open_channel: Open) -> None:
    commits = Commits()
    async with smtp_server(ending="die mid-body") as heard:
        with pytest.raises(TemporaryFailure) as caught:
            await send_to(heard, open_channel, commits)
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert (commits.count, caught.value.reason, heard.whole) == (1, "unreachable", False)
    assert "nothing was sent" in caught.value.message


@pytest.mark.parametrize("ending", ["die after dot", "reset after dot", "999 what", "250"])
async def test_death_after_the_dot_is_uncertain(open_channel: Open, ending: str) -> None:
    commits = Commits()
    async with smtp_server(ending=ending) as heard:
        if ending == "250":
            await send_to(heard, open_channel, commits)
            assert heard.whole
            return
        with pytest.raises(OutcomeUnknown) as caught:
            await send_to(heard, open_channel, commits)
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert commits.count == 1
    assert "may have been sent" in caught.value.message


async def test_silence_after_the_dot_is_uncertain(open_channel: Open) -> None:
    async with smtp_server(ending="silent") as heard:
        channel = open_channel(smtp={"tls": "none", "port": heard.port})
        channel._deadlines = Deadlines(dot=0.3)
        with pytest.raises(OutcomeUnknown):
            await channel.send(reply("emily@example.test"), Commits())
        await asyncio.wait_for(heard.left.wait(), DEADLINE)


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ("451 4.3.0 try later", TemporaryFailure),
        ("554 5.7.1 spam", PermanentFailure),
        ("early 552 5.3.4 too big", PermanentFailure),
        ("early 250 taken", OutcomeUnknown),
    ],
)
async def test_a_status_about_the_content_is_known(open_channel: Open, ending: str, kind: type[ChannelFailure]) -> None:
    file = File("x.bin", "application/octet-stream", b"x" * 3_000_000)
    async with smtp_server(ending=ending) as heard:
        with pytest.raises(ChannelFailure) as caught:
            await send_to(heard, open_channel, files=(file,))
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"EHLO": "die"}, TemporaryFailure),
        ({"EHLO": "421 4.3.2 shutting down"}, TemporaryFailure),
        ({"AUTH": "535 5.7.8 no"}, SignInFailed),
        ({"AUTH": "die"}, TemporaryFailure),
        ({"MAIL": "die"}, TemporaryFailure),
        ({"MAIL": "550 5.7.1 not you"}, PermanentFailure),
        ({"RCPT": "die"}, TemporaryFailure),
        ({"RCPT": "nonsense"}, TemporaryFailure),
        ({"RCPT": "252 maybe"}, TemporaryFailure),
        ({"DATA": "die"}, TemporaryFailure),
        ({"DATA": "451 4.3.0 no"}, TemporaryFailure),
        ({"DATA": "554 5.5.1 no valid recipients"}, PermanentFailure),
        ({"DATA": "250 eh"}, TemporaryFailure),
    ],
    ids=str,
)
async def test_any_failure_before_the_content_is_provably_unsent(
    open_channel: Open, answers: dict[str, str], kind: type[ChannelFailure]
) -> None:
    commits = Commits()
    async with smtp_server(answers=answers) as heard:
        with pytest.raises(ChannelFailure) as caught:
            await send_to(heard, open_channel, commits)
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert type(caught.value) is kind
    assert commits.count == 0
    assert heard.content == b""


async def test_commit_comes_after_the_go_ahead_and_before_the_first_byte(open_channel: Open) -> None:
    async with smtp_server() as heard:

        def look() -> None:
            assert heard.commands[-1] == "DATA"
            assert heard.content == b""

        commits = Commits(look)
        await send_to(heard, open_channel, commits)
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert commits.count == 1
    assert heard.whole
    assert heard.commands[-1] == "QUIT"


@pytest.mark.parametrize("where", ["commit", "content"])
async def test_cancelled_in_the_middle_cuts_the_line(open_channel: Open, where: str) -> None:
    reached = asyncio.Event()

    class Stuck(Commits):
        async def __call__(self) -> None:
            self.count += 1
            reached.set()
            if where == "commit":
                await asyncio.sleep(30)

    async with smtp_server(ending="silent") as heard:
        sending = asyncio.create_task(send_to(heard, open_channel, Stuck()))
        await asyncio.wait_for(reached.wait(), DEADLINE)

        async def arrived() -> bool:
            return where == "commit" or heard.whole

        await until(arrived, 5)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.wait_for(heard.left.wait(), DEADLINE)
    assert heard.whole is (where == "content")


async def test_too_large_for_the_server_is_refused_before_it_starts(open_channel: Open) -> None:
    async with smtp_server(ehlo="SIZE 1000\nAUTH PLAIN") as heard:
        with pytest.raises(PermanentFailure) as caught:
            await send_to(heard, open_channel, text="x" * 2000)
    assert caught.value.reason == "too_large"
    assert not any(command.startswith("MAIL") for command in heard.commands)


async def test_no_way_to_write_a_wide_address(open_channel: Open) -> None:
    async with smtp_server() as heard:
        channel = open_channel(smtp={"tls": "none", "port": heard.port})
        with pytest.raises(PermanentFailure) as caught:
            await channel.send(reply("민수@example.test"), Commits())
    assert caught.value.reason == "bad_address"


async def test_the_machines_name_stays_private(open_channel: Open) -> None:
    async with smtp_server() as heard:
        await send_to(heard, open_channel)
    assert heard.commands[0] == "EHLO example.test"


@pytest.mark.parametrize("address", ["a@b.test>\r\nRCPT TO:<x@y.test", "a b@c.test", "a@b.test> SIZE=1", "", "<a@b.c>"])
async def test_no_command_is_smuggled_by_an_address(open_channel: Open, address: str) -> None:
    async with smtp_server() as heard:
        channel = open_channel(smtp={"tls": "none", "port": heard.port})
        with pytest.raises(PermanentFailure):
            await channel.send(reply(address), Commits())
    assert heard.commands == []
