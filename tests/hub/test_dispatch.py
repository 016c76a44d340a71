"""What each failure of a provider, and of ourselves, makes of a reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agentconsole.desk import Compose
from agentconsole.domain.entries import Receipt
from agentconsole.domain.model import (
    AccountName,
    ConsentScope,
    CustomerId,
    Delivery,
    EntryId,
)
from agentconsole.errors import (
    OutcomeUnknown,
    PermanentFailure,
    Refused,
    SignInFailed,
    StoreFault,
    TemporaryFailure,
)
from agentconsole.ports import Commit, Outgoing, Report
from agentconsole.store.memory import MemoryStore
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock
from tests.hub.conftest import PHONE, World, running
from tests.waiting import DEADLINE, until


async def ready(world: World) -> str:
    world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="chat-1"))
    return await world.customer(PHONE)


async def reaches(world: World, reply: EntryId, state: Delivery):
    async def there():
        sent = await world.desk.sent(world.who, reply)
        return sent if sent.state == state else None

    return await until(there, what=f"{reply} {state}")


@pytest.mark.parametrize(
    ("where", "failure", "state", "reason"),
    [
        ("before_commit", PermanentFailure("no such number", reason="invalid_address"), "failed", "invalid_address"),
        ("after_commit", PermanentFailure("refused", reason="undeliverable"), "failed", "undeliverable"),
        ("before_commit", OutcomeUnknown("line cut", reason="line_cut"), "queued", "line_cut"),
        ("after_commit", OutcomeUnknown("line cut", reason="line_cut"), "uncertain", "line_cut"),
        ("lost_answer", OutcomeUnknown("line cut", reason="line_cut"), "uncertain", "line_cut"),
        ("after_commit", RuntimeError("a bug in an adapter"), "uncertain", "line_cut"),
        ("before_commit", TemporaryFailure("down", reason="unreachable"), "queued", "unreachable"),
        ("after_commit", TemporaryFailure("slow down", reason="rate_limited"), "queued", "rate_limited"),
        ("before_commit", SignInFailed("password"), "queued", "sign_in_refused"),
        ("before_commit", RuntimeError("a bug in an adapter"), "queued", "provider_error"),
    ],
)
async def test_every_failure_becomes_its_state(world: World, where, failure, state, reason):
    customer = await ready(world)
    setattr(world.chat, where, failure)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))

    async def settled():
        now = await world.desk.sent(world.who, sent.id)
        return now if now.reason else None

    now = await until(settled)
    assert (now.state, now.reason) == (state, reason)


async def test_a_temporary_failure_is_tried_again_later_and_under_the_same_key(world: World):
    customer = await ready(world)
    world.chat.before_commit = TemporaryFailure("down", reason="unreachable", retry_after=90)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))
    world.chat.before_commit = None
    world.clock.move(seconds=60)
    await asyncio.sleep(0)
    assert world.chat.delivered == []
    world.clock.move(seconds=61)
    await reaches(world, sent.id, Delivery.SENT)
    assert [(o.key, o.attempt) for o in world.chat.delivered] == [(sent.id, 2)]


async def test_no_pause_that_a_provider_asks_for_ends_the_hub_or_outlasts_a_day(world: World):
    customer = await ready(world)
    absurd = TemporaryFailure("slow down", reason="rate_limited", retry_after=1e300)
    world.mail.fetch_failure = world.chat.after_commit = absurd
    world.mail.new.set()
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))

    async def mail_rests() -> bool:
        return world.hub.health.of(AccountName("mail")).state == "unreachable"

    await until(mail_rests)
    tomorrow = world.clock.now() + timedelta(days=1)
    (waiting,) = await world.desk.outbox(world.who, [Delivery.QUEUED])
    assert waiting.record.not_before == tomorrow
    assert world.hub.health.of(AccountName("mail")).retry_at == tomorrow
    assert not world.done.done()


class _Rude(TemporaryFailure):
    """An answer that cannot even be read."""

    @property
    def message(self) -> str:
        raise OverflowError

    @message.setter
    def message(self, text: str) -> None:
        return


@pytest.mark.parametrize(("where", "state"), [("before_commit", Delivery.QUEUED), ("after_commit", Delivery.UNCERTAIN)])
async def test_what_goes_wrong_while_an_answer_is_judged_is_an_outcome_too(world: World, where, state):
    customer = await ready(world)
    setattr(world.chat, where, _Rude("x"))
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))
    assert (await world.desk.sent(world.who, sent.id)).state == state


class _Forgetful(MemoryStore):
    """A disk that writes the next claim (or commit) and then says that it could not."""

    claims: int = 0

    async def change(self, record: CustomerId, decide: Callable[..., Any]) -> Any:
        change = await super().change(record, decide)
        if any(d.state == Delivery.SENDING for d in change.deliveries.values()):
            self.claims -= 1
            if self.claims == 0:
                raise StoreFault("The folder could not be synchronised.")
        return change


@pytest.mark.parametrize("claims", [1, 2])
async def test_a_claim_on_disk_that_was_reported_as_a_fault_is_settled_while_the_hub_runs(claims: int):
    clock = HandClock()
    store = _Forgetful(clock, CountingRandomness())
    async with running(store=store, clock=clock) as world:
        customer = await ready(world)
        store.claims = claims
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))

        async def left() -> bool:
            clock.move(seconds=6)
            return (await world.desk.sent(world.who, sent.id)).state == Delivery.SENT

        await until(left)
        assert len(world.chat.delivered) == 1


async def _reason(world: World, reply: EntryId):
    return (await world.desk.sent(world.who, reply)).reason


async def test_an_uncertain_reply_is_never_sent_again_by_itself(world: World):
    customer = await ready(world)
    world.chat.lost_answer = OutcomeUnknown("cut", reason="line_cut")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await reaches(world, sent.id, Delivery.UNCERTAIN)
    world.chat.lost_answer = None
    for _ in range(5):
        world.clock.move(hours=1)
        await asyncio.sleep(0.01)
    assert len(world.chat.delivered) == 1
    await world.desk.resend(world.who, "again", sent.id)
    await reaches(world, sent.id, Delivery.SENT)
    assert [o.key for o in world.chat.delivered] == [sent.id, sent.id]
    with pytest.raises(Refused):
        await world.desk.cancel(world.who, "c", sent.id)


async def uncertain(world: World) -> EntryId:
    customer = await ready(world)
    world.chat.lost_answer = OutcomeUnknown("cut", reason="line_cut")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await reaches(world, sent.id, Delivery.UNCERTAIN)
    world.chat.lost_answer = None
    return sent.id


async def test_an_uncertain_reply_can_be_given_up_and_late_proof_still_counts(world: World):
    reply = await uncertain(world)
    await world.desk.cancel(world.who, "c", reply)
    assert not await world.store.replies([Delivery.QUEUED, Delivery.UNCERTAIN, Delivery.FAILED])
    world.chat.put(paper.report("s1", Delivery.DELIVERED, key=reply))
    await reaches(world, reply, Delivery.DELIVERED)


async def test_proof_of_the_first_attempt_stops_a_second_that_waits(world: World):
    reply = await uncertain(world)
    world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    await world.desk.resend(world.who, "again", reply)

    async def waits() -> bool:
        return await _reason(world, reply) == "unreachable"

    await until(waits)
    world.chat.put(paper.report("s1", Delivery.SENT, key=reply))
    await reaches(world, reply, Delivery.SENT)
    world.chat.before_commit = None
    for _ in range(5):
        world.clock.move(minutes=20)
        await asyncio.sleep(0.01)
    assert len(world.chat.delivered) == 1


@pytest.mark.parametrize("failure", [None, PermanentFailure("twice", reason="refused")])
async def test_proof_of_the_first_attempt_outlives_the_failure_of_a_second(world: World, failure):
    """The proof comes while the second attempt is claimed: before its commit (no failure) or after."""
    reply = await uncertain(world)
    channel = world.hub._channels[AccountName("wa")]
    send, proven = channel.send, asyncio.Event()

    async def slow(outgoing: Outgoing, commit: Commit) -> Report:
        if failure is not None:
            await commit()
        world.chat.put(paper.report("s1", Delivery.SENT, key=reply))
        await reaches(world, reply, Delivery.SENT)
        proven.set()
        if failure is not None:
            raise failure
        return await send(outgoing, commit)

    channel.send = slow
    await world.desk.resend(world.who, "again", reply)
    await asyncio.wait_for(proven.wait(), DEADLINE)
    await world.hub._dispatch.settled(AccountName("wa"))
    assert (await world.desk.sent(world.who, reply)).state == Delivery.SENT
    assert len(world.chat.delivered) == 1


async def test_proof_that_comes_later_resolves_an_uncertain_reply(world: World):
    customer = await ready(world)
    world.chat.lost_answer = OutcomeUnknown("cut", reason="line_cut")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await reaches(world, sent.id, Delivery.UNCERTAIN)
    world.chat.put(paper.report("s1", Delivery.DELIVERED, key=sent.id))
    await reaches(world, sent.id, Delivery.DELIVERED)


async def test_a_medium_that_knows_the_key_may_repeat_by_itself():
    chat = paper.Post()
    async with running(chat=chat, accounts=[paper.chat(chat, idempotency="same_answer")]) as world:
        customer = await ready(world)
        chat.lost_answer = OutcomeUnknown("cut", reason="line_cut")
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
        await until(lambda: _reason(world, sent.id))
        chat.lost_answer = None
        world.clock.move(minutes=2)
        await reaches(world, sent.id, Delivery.SENT)


async def test_an_opt_out_between_queue_and_send_withdraws(world: World):
    customer = await ready(world)
    world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))
    await world.desk.consent(world.who, "o", customer, "whatsapp", ConsentScope.ALL, False)
    world.chat.before_commit = None
    world.clock.move(minutes=2)
    found = await reaches(world, sent.id, Delivery.FAILED)
    assert found.reason == "opted_out"
    assert world.chat.delivered == []


async def test_the_word_stop_withdraws_what_waits(world: World):
    customer = await ready(world)
    world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))
    world.chat.put(paper.message("w2", PHONE, " Stop. ", world.clock.now()))

    async def opted_out():
        person = await world.store.customer(customer)
        return person is not None and person.consents

    await until(opted_out)
    world.chat.before_commit = None
    world.clock.move(minutes=2)
    await reaches(world, sent.id, Delivery.FAILED)
    assert world.chat.delivered == []


async def test_a_queued_reply_can_be_taken_back(world: World):
    customer = await ready(world)
    world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))
    await world.desk.cancel(world.who, "c", sent.id)
    world.chat.before_commit = None
    world.clock.move(minutes=2)
    await asyncio.sleep(0.05)
    assert (await world.desk.sent(world.who, sent.id)).state == Delivery.CANCELLED
    assert world.chat.delivered == []


@pytest.mark.parametrize(("committed", "state"), [(False, Delivery.SENT), (True, Delivery.UNCERTAIN)])
async def test_what_a_dead_hub_left_in_sending(committed: bool, state: Delivery):
    """Claimed and not committed was provably not sent; committed may have left."""
    async with running() as world:
        customer = await ready(world)
        world.chat.hold = asyncio.Event()
        world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
        await until(lambda: _reason(world, sent.id))
        claim = Receipt(
            id=EntryId("claim"),
            at=world.clock.now(),
            reply=sent.id,
            state=Delivery.SENDING,
            attempt=2,
            committed=committed,
        )
        await world.store.change(customer, lambda _snapshot: [claim])
    async with running(store=world.store, clock=world.clock) as world:
        world.clock.move(minutes=2)
        await reaches(world, sent.id, state)
        assert len(world.chat.delivered) == (0 if committed else 1)


async def test_one_account_down_does_not_stop_the_other(world: World):
    customer = await ready(world)
    world.mail.fetch_failure = SignInFailed("The mailbox refused the password.")
    world.mail.new.set()

    async def down():
        status = await world.desk.status(world.who)
        return {a.name: a.state for a in status.accounts}["mail"] == "signed_out"

    await until(down)
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await reaches(world, sent.id, Delivery.SENT)


async def test_an_agent_who_had_not_seen_the_others_answer_is_told(world: World):
    customer = await ready(world)
    timeline = await world.desk.timeline(world.who, customer, "", 10)
    world.clock.move(seconds=5)
    other = world.who.__class__("hyun")
    await world.hub.desk.reply(other, "r0", Compose(customer, "I have it"))
    with pytest.raises(Refused, match="hyun answered"):
        await world.desk.reply(world.who, "r1", Compose(customer, "hi", expected=timeline.entries[-1].id))
    sent = await world.desk.reply(
        world.who, "r2", Compose(customer, "hi", expected=timeline.entries[-1].id, anyway=True)
    )
    assert sent.state == Delivery.QUEUED


async def test_a_reply_that_could_not_leave_for_a_day_asks_instead_of_trying_for_ever():
    chat = paper.Post()
    async with running(chat=chat, accounts=[paper.chat(chat, reply_window=None)]) as world:
        customer = await ready(world)
        chat.before_commit = TemporaryFailure("down", reason="unreachable")
        sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
        await until(lambda: _reason(world, sent.id))
        world.clock.move(hours=25)
        assert (await reaches(world, sent.id, Delivery.FAILED)).reason == "expired"
        chat.before_commit = None
        await world.desk.resend(world.who, "again", sent.id)
        await reaches(world, sent.id, Delivery.SENT)


async def test_a_window_that_closed_while_a_reply_waited_withdraws_it(world: World):
    customer = await ready(world)
    world.chat.before_commit = TemporaryFailure("down", reason="unreachable")
    sent = await world.desk.reply(world.who, "r1", Compose(customer, "hi"))
    await until(lambda: _reason(world, sent.id))
    world.chat.before_commit = None
    world.clock.move(hours=24, minutes=1)
    assert (await reaches(world, sent.id, Delivery.FAILED)).reason in ("window_closed", "expired")
    assert world.chat.delivered == []
