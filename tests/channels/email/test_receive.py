"""Fetching and waiting on a real Dovecot."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from agentconsole.channels.email import mailbox, parse, tls
from agentconsole.channels.email.channel import EmailChannel
from agentconsole.channels.email.imap import Connection
from agentconsole.domain.model import Trust
from agentconsole.errors import TemporaryFailure
from agentconsole.ports import Batch, Cursor, Inbound, OwnCopy, RawItem
from tests.servers.mail import MailServers
from tests.waiting import DEADLINE, until

from .conftest import Open
from .scripted import imap_server


def letter(subject: str = "Hi", body: str = "hello", number: int = 1, more: str = "") -> bytes:
    return (
        f"From: Emily Kim <emily@elsewhere.test>\r\nTo: support@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <m{number}@elsewhere.test>\r\nDate: Tue, 5 Mar 2024 15:15:00 +0900\r\n{more}\r\n{body}\r\n"
    ).encode()


async def take(channel: EmailChannel, cursor: Cursor | None = None) -> tuple[list[RawItem], Cursor | None]:
    items: list[RawItem] = []
    while True:
        batch: Batch = await channel.fetch(cursor)
        items += batch.items
        cursor = batch.cursor
        if not batch.more:
            return items, cursor


def threads() -> list[threading.Thread]:
    """Return the threads that run, but for those of the loop's own pool, which grows with what is asked of it."""
    return [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio")]


async def no_more_than(count: int) -> None:
    async def ended() -> bool:
        return len(threads()) <= count

    await until(ended, what=f"the end of all threads but {count}: {threads()}")


async def test_fetches_what_is_new_and_flags_nothing(mail: MailServers, open_channel: Open) -> None:
    mail.deliver("support", letter("One", number=1))
    channel = open_channel()
    items, cursor = await take(channel)
    assert [item.meta["uid"] for item in items] == ["1"]
    [found] = parse(items[0])
    assert isinstance(found, Inbound)
    assert (found.sender.value, found.sender_name, found.subject, found.text) == (
        "emily@elsewhere.test",
        "Emily Kim",
        "One",
        "hello",
    )
    assert found.trust is Trust.CLAIMED
    assert found.sent_at == datetime(2024, 3, 5, 6, 15, tzinfo=UTC)
    assert (await take(channel, cursor))[0] == []
    mail.deliver("support", letter("Two", number=2))
    items, _ = await take(channel, cursor)
    assert [item.meta["uid"] for item in items] == ["2"]
    assert mail.flags("support") == set()


@pytest.mark.parametrize(
    ("tls", "port"), [("implicit", "imaps_port"), ("starttls", "imap_port"), ("none", "imap_port")]
)
async def test_every_way_in(mail: MailServers, open_channel: Open, tls: str, port: str) -> None:
    mail.deliver("support", letter())
    channel = open_channel(imap={"tls": tls, "port": getattr(mail, port)})
    items, _ = await take(channel)
    assert len(items) == 1


async def test_what_our_own_server_says_about_the_sender_counts_where_it_is_configured(
    mail: MailServers, open_channel: Open
) -> None:
    says = "Authentication-Results: {}; dkim=pass header.d=elsewhere.test; dmarc=pass header.from=elsewhere.test\r\n"
    mail.deliver("support", letter("Ours", number=1, more=says.format("mx.example.test")))
    mail.deliver("support", letter("Theirs", number=2, more=says.format("mx.elsewhere.test")))
    found: dict[str, tuple[Trust, str, bool]] = {}
    for name in ("mx.example.test", ""):
        items, _ = await take(open_channel(authserv_id=name))
        for item in items:
            [one] = parse(item)
            assert isinstance(one, Inbound)
            found[f"{one.subject} {name}".strip()] = (one.trust, one.signer, one.checked)
    assert found == {
        "Ours mx.example.test": (Trust.VERIFIED, "elsewhere.test", True),
        "Theirs mx.example.test": (Trust.CLAIMED, "", True),
        "Ours": (Trust.CLAIMED, "", False),
        "Theirs": (Trust.CLAIMED, "", False),
    }


async def test_fetches_in_bounded_batches(
    mail: MailServers, open_channel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "BATCH_MESSAGES", 3)
    monkeypatch.setattr(mailbox, "BATCH_BYTES", 3_000)
    for number in range(1, 8):
        mail.deliver("support", letter(number=number, body="x" * (2_000 if number == 2 else 10)))
    channel = open_channel()
    sizes, cursor, uids = [], None, []
    while True:
        batch = await channel.fetch(cursor)
        sizes.append(len(batch.items))
        uids += [item.meta["uid"] for item in batch.items]
        cursor = batch.cursor
        if not batch.more:
            break
    assert uids == [str(number) for number in range(1, 8)]
    assert max(sizes) <= 3
    assert len(sizes) >= 3


async def test_a_mail_that_is_too_large_shows_its_headers(
    mail: MailServers, open_channel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MESSAGE_LIMIT", 10_000)
    mail.deliver("support", letter("Big", number=1, body="x" * 500 + "\r\n" + "y\r\n" * 5_000))
    mail.deliver("support", letter("Small", number=2))
    items, _ = await take(open_channel())
    big, small = (parse(item)[0] for item in items)
    assert isinstance(big, Inbound)
    assert isinstance(small, Inbound)
    assert (big.subject, small.subject) == ("Big", "Small")
    assert "only the headers" in big.text
    assert len(items[0].payload) < 5_000


async def test_first_fetch_begins_at_since_and_later_ones_take_all(mail: MailServers, open_channel: Open) -> None:
    mail.deliver("support", letter("Old", number=1))
    channel = open_channel(with_tools={"since": datetime.now(UTC) + timedelta(days=5)})
    items, cursor = await take(channel)
    assert items == []
    mail.deliver("support", letter("New", number=2))
    items, _ = await take(channel, cursor)
    assert [item.meta["uid"] for item in items] == ["2"]
    fresh = open_channel(with_tools={"since": datetime.now(UTC) - timedelta(days=30)})
    assert len((await take(fresh))[0]) == 2


async def test_same_mails_under_a_new_uid_validity_have_the_same_identities(
    mail: MailServers, open_channel: Open
) -> None:
    for number in range(1, 4):
        mail.deliver("support", letter(number=number))
    before, cursor = await take(open_channel())
    mail.new_uid_validity("support")
    after, newer = await take(open_channel(), cursor)
    assert newer != cursor
    assert [item.identity for item in after] == [item.identity for item in before]
    assert len({item.identity for item in before}) == 3


async def test_same_mail_in_two_boxes_is_one_identity(mail: MailServers, open_channel: Open) -> None:
    mail.deliver("support", letter())
    mail.deliver("emily", letter())
    first, _ = await take(open_channel())
    second, _ = await take(open_channel(imap={"user": mail.address("emily")}))
    assert first[0].identity == second[0].identity
    assert first[0].payload != second[0].payload


async def test_a_folder_with_a_korean_name(mail: MailServers, open_channel: Open) -> None:
    items, cursor = await take(open_channel(imap={"folder": "보낸 편지함"}))
    assert items == []
    assert cursor is not None


async def test_a_folder_that_is_not_there(mail: MailServers, open_channel: Open) -> None:
    with pytest.raises(TemporaryFailure, match='folder No" \\(such') as caught:
        await open_channel(imap={"folder": 'No" (such'}).fetch(None)
    assert caught.value.reason == "no_folder"


async def test_an_unreadable_cursor_means_from_the_start(mail: MailServers, open_channel: Open) -> None:
    mail.deliver("support", letter())
    assert len((await take(open_channel(), Cursor("not json")))[0]) == 1


async def test_waiting_wakes_up_for_new_mail(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel()
    _, cursor = await take(channel)
    waiting = asyncio.create_task(channel.wait())
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    assert not done
    await asyncio.to_thread(mail.deliver, "support", letter())
    await asyncio.wait_for(waiting, DEADLINE)
    assert len((await take(channel, cursor))[0]) == 1


async def test_waiting_sees_mail_that_came_before_it_began(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel()
    await take(channel)
    mail.deliver("support", letter())
    await asyncio.wait_for(channel.wait(), DEADLINE)


async def test_waiting_is_not_fooled_by_mail_that_was_fetched_already(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel()
    _, cursor = await take(channel)
    mail.deliver("support", letter())
    items, _ = await take(channel, cursor)
    assert len(items) == 1
    waiting = asyncio.create_task(channel.wait())
    done, _ = await asyncio.wait({waiting}, timeout=0.7)
    assert not done
    waiting.cancel()


async def test_waiting_returns_at_once_before_the_first_fetch(open_channel: Open) -> None:
    await asyncio.wait_for(open_channel().wait(), DEADLINE)


async def test_a_cancelled_wait_leaves_a_usable_session_and_no_threads(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel()
    _, cursor = await take(channel)
    before = len(threads())
    for _ in range(5):
        waiting = asyncio.create_task(channel.wait())
        await asyncio.wait({waiting}, timeout=0.15)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    mail.deliver("support", letter())
    assert len((await take(channel, cursor))[0]) == 1
    await no_more_than(before)


async def test_aclose_ends_all_threads(mail: MailServers, open_channel: Open) -> None:
    before = len(threads())
    channel = open_channel()
    await take(channel)
    waiting = asyncio.create_task(channel.wait())
    await asyncio.wait({waiting}, timeout=0.2)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await channel.aclose()
    await no_more_than(before)


async def test_catches_up_after_the_server_died(mail: MailServers, open_channel: Open) -> None:
    mail.deliver("support", letter(number=1))
    channel = open_channel()
    _, cursor = await take(channel)
    waiting = asyncio.create_task(channel.wait())
    await asyncio.wait({waiting}, timeout=0.3)
    await asyncio.to_thread(mail.stop_dovecot, kill=True)
    try:
        await asyncio.wait_for(waiting, DEADLINE)
        with pytest.raises(TemporaryFailure, match="localhost") as caught:
            await channel.fetch(cursor)
        assert caught.value.reason == "unreachable"
        assert caught.value.hint
    finally:
        await asyncio.to_thread(mail.start_dovecot)
    await asyncio.to_thread(mail.deliver, "support", letter(number=2))
    items, _ = await take(channel, cursor)
    assert [item.meta["uid"] for item in items] == ["2"]


async def test_a_session_that_broke_unseen_is_opened_again(mail: MailServers, open_channel: Open) -> None:
    channel = open_channel()
    _, cursor = await take(channel)
    await asyncio.to_thread(mail.stop_dovecot, kill=True)
    await asyncio.to_thread(mail.start_dovecot)
    await asyncio.to_thread(mail.deliver, "support", letter())
    assert len((await take(channel, cursor))[0]) == 1


EMPTY_BOX = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done",
    "EXAMINE": "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n* OK [UIDNEXT 1] fine\r\n{tag} OK done",
    "UID": "* SEARCH\r\n{tag} OK done",
}


async def test_a_line_that_breaks_under_a_command_is_opened_again_once(open_channel: Open) -> None:
    async with imap_server("* OK hello", EMPTY_BOX | {"NOOP": "die once"}) as heard:
        channel = open_channel(imap={"tls": "none", "port": heard.port})
        with pytest.raises(TemporaryFailure):
            await channel.fetch(None)
        assert (await channel.fetch(None)).items == ()
        heard.commands.clear()
        assert (await channel.fetch(None)).items == ()
        await channel.aclose()
    assert heard.commands.count("NOOP") == 2
    assert heard.commands.count('EXAMINE "INBOX"') == 1


async def test_no_argument_becomes_a_command(mail: MailServers, open_channel: Open) -> None:
    options = open_channel()._options

    def attack() -> None:
        session = Connection(options.imap, tls.context(str(mail.ca_file)), mail.password)
        try:
            for bad in ('1-Jan-2024"\r\nZZ1 CREATE pwned', "1-Jan-2024\nZZ2 NOOP", "1월", "a\0b"):
                with pytest.raises(ValueError, match="printable ASCII"):
                    session.search(1, bad)
            assert session.search(1) == []
        finally:
            session.close()

    await asyncio.to_thread(attack)


async def test_a_mail_of_newlines_costs_little(mail: MailServers, open_channel: Open) -> None:
    await asyncio.to_thread(mail.deliver, "support", letter(body="\r\n" * 1_500_000))
    started = time.process_time()
    [item], _ = await take(open_channel())
    assert time.process_time() - started < 2.5
    assert len(item.payload) > 3_000_000


async def test_bytes_arrive_as_they_are(mail: MailServers, open_channel: Open) -> None:
    body = "\r\n" * 20_000 + "{5}\r\n) FETCH (UID 9 BODY[] {3}\r\nA1 OK done\r\n* BYE\r\n" + "x" * 900 + "\r\n똠방각하"
    mail.deliver("support", letter(body=body, more="Content-Type: text/plain; charset=utf-8\r\n"))
    [item], _ = await take(open_channel())
    assert body.encode() in item.payload


async def test_own_mail_in_the_folder_is_our_copy(mail: MailServers, open_channel: Open) -> None:
    mail.deliver("support", letter().replace(b"emily@elsewhere.test", b"Support@example.test"))
    [item], _ = await take(open_channel())
    assert parse(item) == [OwnCopy(item.identity, "m1@elsewhere.test", datetime(2024, 3, 5, 6, 15, tzinfo=UTC))]
