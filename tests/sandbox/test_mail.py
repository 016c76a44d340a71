"""The sandbox's mail server, as clients of other make see it."""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from agentconsole.sandbox.loopback import HOST
from agentconsole.sandbox.mail import ADDRESS, PASSWORD, MailWorld, SentMail

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
async def world() -> AsyncIterator[MailWorld]:
    made = MailWorld()
    await made.start()
    yield made
    await made.stop()


def read_inbox(world: MailWorld) -> list[bytes]:
    with imaplib.IMAP4(HOST, world.imap_port, timeout=10) as client:
        client.login(ADDRESS, PASSWORD)
        client.select("INBOX", readonly=True)
        _, found = client.uid("fetch", "1:*", "(INTERNALDATE BODY.PEEK[])")
        return [b" ".join(part) for part in found if isinstance(part, tuple)]


def submit(world: MailWorld, password: str = PASSWORD) -> None:
    with smtplib.SMTP(HOST, world.smtp_port, timeout=10) as client:
        client.login(ADDRESS, password)
        text = "Subject: Hi\nMessage-ID: <1@x>\nTo: emily@example.com\n\nHello Emily\n"
        client.sendmail(ADDRESS, ["Emily@example.com"], text)


async def test_a_mail_of_yesterday_lies_in_the_inbox_with_its_date(world: MailWorld):
    await world.customer_says("박민수", "minsu@example.com", "배송", "언제 오나요?", NOW - timedelta(days=1))
    (mail,) = await asyncio.to_thread(read_inbox, world)
    assert b'INTERNALDATE "02-Mar-2026 12:00:00 +0000"' in mail
    assert b"minsu@example.com" in mail


async def test_what_is_submitted_is_kept_told_and_can_be_answered(world: MailWorld):
    told: list[SentMail] = []
    world.on_sent = told.append
    await asyncio.to_thread(submit, world)
    assert [(mail.to, mail.subject, mail.text.strip()) for mail in told] == [("emily@example.com", "Hi", "Hello Emily")]
    await world.customer_says("Emily", "emily@example.com", "Re: Hi", "Thanks", NOW, told[0])
    (mail,) = await asyncio.to_thread(read_inbox, world)
    assert b"In-Reply-To: <1@x>" in mail
    assert b"> Hello Emily" in mail


async def test_a_wrong_password_is_refused(world: MailWorld):
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(submit, world, "wrong")
    assert world.sent == []


async def test_cut_refuses_and_heal_listens_on_the_same_port(world: MailWorld):
    port = world.imap_port
    await world.cut()
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(submit, world)
    await world.heal()
    await asyncio.to_thread(submit, world)
    assert (world.imap_port, len(world.sent)) == (port, 1)


async def test_cut_mid_send_takes_the_mail_and_gives_no_answer(world: MailWorld):
    world.cut_mid_send()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await asyncio.to_thread(submit, world)
    assert len(world.sent) == 1
    await asyncio.to_thread(submit, world)
    assert len(world.sent) == 2
