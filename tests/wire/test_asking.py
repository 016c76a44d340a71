"""Asking the provider about a reply whose outcome is not known."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from agentconsole.channels.email import KIND as EMAIL
from agentconsole.desk import Compose
from agentconsole.domain.model import AccountName, Delivery, EntryId
from agentconsole.errors import OutcomeUnknown, TemporaryFailure
from agentconsole.ports import Asked, Outgoing, Report
from agentconsole.seams import SystemClock
from tests.channels.email.conftest import options_for
from tests.channels.smsbench import EMILY, lend, outgoing
from tests.channels.twilioworld import World as Twilio
from tests.channels.twilioworld import twilio_token as twilio_token
from tests.channels.twilioworld import world as world
from tests.fakes import paper
from tests.fakes.clock import START
from tests.hub.conftest import PHONE, running
from tests.hub.conftest import World as HubWorld
from tests.servers.mail import MailServers, missing, start_mail_servers
from tests.waiting import until


class AskedChannel(paper.PaperChannel):
    """A paper channel whose provider can be asked."""

    can_look = True

    def __init__(self, post: paper.Post, proof: Report | None) -> None:
        super().__init__(post)
        self.proof = proof
        self.asked: list[tuple[str, datetime, frozenset[str]]] = []
        self.failure: Exception | None = None

    async def look(self, outgoing: Outgoing, since: datetime, known: frozenset[str]) -> Report | None:
        self.asked.append((outgoing.key, since, known))
        if self.failure is not None:
            raise self.failure
        return self.proof


async def uncertain(world: HubWorld) -> EntryId:
    world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="chat-1"))
    customer = await world.customer(PHONE)
    first = await world.desk.reply(world.who, "r0", Compose(customer, "the first"))

    async def is_in(reply: EntryId, state: Delivery) -> bool:
        return (await world.desk.sent(world.who, reply)).state == state

    await until(lambda: is_in(first.id, Delivery.SENT))
    world.chat.lost_answer = OutcomeUnknown("cut", reason="line_cut")
    second = await world.desk.reply(world.who, "r1", Compose(customer, "the second", anyway=True))
    await until(lambda: is_in(second.id, Delivery.UNCERTAIN))
    world.chat.lost_answer = None
    return second.id


@pytest.mark.parametrize(
    ("proof", "state", "asked"),
    [
        (Report("sid-2"), Delivery.SENT, "found"),
        (Report("sid-2", Delivery.FAILED, "undelivered"), Delivery.FAILED, "found"),
        (None, Delivery.UNCERTAIN, "nothing"),
    ],
)
async def test_a_check_asks_the_provider(proof: Report | None, state: Delivery, asked: str) -> None:
    async with running() as world:
        reply = await uncertain(world)
        channel = AskedChannel(world.chat, proof)
        assert isinstance(channel, Asked)
        world.hub._channels[AccountName("wa")] = channel
        found = await world.desk.outbox_check(world.who, "c1", reply)
        assert (found.state, found.asked) == (state, asked)
        ((key, since, known),) = channel.asked
        assert (key, known) == (reply, frozenset({next(iter(known))}))
        assert since <= world.clock.now()
        again = await world.desk.outbox_check(world.who, "c2", reply)
        assert (again.state, again.asked) == (state, asked)
        # A check never sends.
        assert len(world.chat.delivered) == 2


async def test_a_proof_that_two_replies_of_the_same_words_may_have_left_proves_neither() -> None:
    async with running() as world:
        first = await uncertain(world)
        customer = await world.customer(PHONE)
        world.chat.lost_answer = OutcomeUnknown("cut", reason="line_cut")
        twin = await world.desk.reply(world.who, "r2", Compose(customer, "the second", anyway=True))

        async def is_uncertain() -> bool:
            return (await world.desk.sent(world.who, twin.id)).state == Delivery.UNCERTAIN

        await until(is_uncertain)
        channel = AskedChannel(world.chat, Report("sid-2"))
        world.hub._channels[AccountName("wa")] = channel
        for request, reply in (("c1", first), ("c2", twin.id)):
            found = await world.desk.outbox_check(world.who, request, reply)
            assert (found.state, found.asked) == (Delivery.UNCERTAIN, "nothing")
        channel.proof = Report(twin.id)
        found = await world.desk.outbox_check(world.who, "c3", twin.id)
        assert (found.state, found.asked) == (Delivery.SENT, "found"), "a proof by our key names one of them"


async def test_what_cannot_be_asked_says_so() -> None:
    async with running() as world:
        found = await world.desk.outbox_check(world.who, "c1", await uncertain(world))
        assert (found.state, found.asked) == (Delivery.UNCERTAIN, "cannot")


async def test_a_provider_that_does_not_answer_changes_nothing() -> None:
    async with running() as world:
        reply = await uncertain(world)
        channel = AskedChannel(world.chat, None)
        channel.failure = TemporaryFailure("down", reason="unreachable")
        world.hub._channels[AccountName("wa")] = channel
        with pytest.raises(TemporaryFailure):
            await world.desk.outbox_check(world.who, "c1", reply)
        assert (await world.desk.sent(world.who, reply)).state == Delivery.UNCERTAIN


# -- Twilio -------------------------------------------------------------------------------------------------


async def test_twilio_is_asked_by_number_text_and_time(world: Twilio) -> None:
    channel, fake = world.open(), world.fake
    fake.lose_next_answer = False
    earlier = await channel.send(outgoing("Tuesday at ten."), _commit)
    world.clock.move(hours=1)
    since = world.clock.now()
    asked = outgoing("Tuesday at ten.")
    assert await channel.look(asked, since, frozenset()) is None
    sent = await channel.send(outgoing("Tuesday at ten."), _commit)
    other = await channel.send(outgoing("Another text."), _commit)
    fake.customer_says(EMILY.value, "Tuesday at ten.")
    found = await channel.look(asked, since, frozenset({other.external_id}))
    assert found is not None
    assert (found.external_id, found.state) == (sent.external_id, Delivery.SENT)
    assert sent.external_id != earlier.external_id
    assert await channel.look(asked, since, frozenset({sent.external_id})) is None
    fake.set_state(sent.external_id, "undelivered", 30003)
    failed = await channel.look(asked, since, frozenset())
    assert failed is not None
    assert failed.state == Delivery.FAILED


async def test_twilio_is_asked_over_several_pages_and_not_for_ever(world: Twilio) -> None:
    channel = world.open()
    since = START
    wanted = await channel.send(outgoing("the one"), _commit)
    for number in range(60):
        world.clock.move(seconds=1)
        await channel.send(outgoing(f"text {number}"), _commit)
    found = await channel.look(outgoing("the one"), since, frozenset())
    assert found is not None
    assert found.external_id == wanted.external_id
    before = world.fake.requests
    assert await channel.look(outgoing("the one"), since + timedelta(hours=1), frozenset()) is None
    assert world.fake.requests == before + 1


async def _commit() -> None:
    return


# -- e-mail -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServers]:
    if why := missing():
        pytest.skip(f"no mail servers: {why}")
    with start_mail_servers() as servers:
        yield servers


async def test_the_folder_where_the_provider_keeps_what_it_sent(mail: MailServers, tmp_path) -> None:
    password = tmp_path / "password"
    password.write_text(mail.password)
    password.chmod(0o600)
    with ThreadPoolExecutor(1) as worker:
        tools = lend(worker, SystemClock())
        plain = EMAIL.open(AccountName("mail"), options_for(mail, password), tools)
        assert isinstance(plain, Asked)
        assert not plain.can_look
        channel = EMAIL.open(AccountName("mail"), options_for(mail, password, imap={"sent_folder": "Sent"}), tools)
        assert isinstance(channel, Asked)
        assert channel.can_look
        wanted = Outgoing(
            reply=EntryId("e1"), key="reply-7@example.test", attempt=1, address=EMILY, text="x", subject="x"
        )
        _keep(mail, b"Message-ID: <reply-70@example.test>\r\nSubject: other\r\n\r\nx\r\n")
        assert await channel.look(wanted, START, frozenset()) is None
        _keep(mail, b"Message-ID: <reply-7@example.test>\r\nSubject: ours\r\n\r\nx\r\n")
        found = await channel.look(wanted, START, frozenset())
        assert found is not None
        assert (found.external_id, found.state) == ("reply-7@example.test", Delivery.SENT)
        for one in (plain, channel):
            await one.aclose()


async def test_a_folder_that_is_not_there_is_told(mail: MailServers, tmp_path) -> None:
    password = tmp_path / "password"
    password.write_text(mail.password)
    password.chmod(0o600)
    with ThreadPoolExecutor(1) as worker:
        options = options_for(mail, password, imap={"sent_folder": "Gesendet/보낸"})
        channel = EMAIL.open(AccountName("mail"), options, lend(worker, SystemClock()))
        assert isinstance(channel, Asked)
        wanted = Outgoing(reply=EntryId("e1"), key="reply-7@example.test", attempt=1, address=EMILY, text="x")
        with pytest.raises(TemporaryFailure, match="does not open the folder"):
            await channel.look(wanted, START, frozenset())
        await channel.aclose()


def _keep(mail: MailServers, message: bytes) -> None:
    """Put a mail into the provider's folder, as the provider does."""
    with imaplib.IMAP4("127.0.0.1", mail.imap_port) as client:
        client.authenticate("PLAIN", lambda _: f"\0{mail.address('support')}\0{mail.password}".encode())
        client.create("Sent")
        assert client.append("Sent", "", "", message)[0] == "OK"
