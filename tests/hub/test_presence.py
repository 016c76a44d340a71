"""Who is at a customer: told at once, lapsing by itself, per customer, and taken over without loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agentconsole.desk import Agent, Desk, Position
from agentconsole.desk.waiting import LEASE
from agentconsole.domain.model import AgentName, ConversationId, CustomerId, Draft, Medium
from agentconsole.errors import NotFound, Refused, UsageError
from agentconsole.hub.presence import STILL_WRITING, Presence
from agentconsole.hub.profile import HubProfile
from agentconsole.remote import RemoteDesk, as_desk
from tests.fakes import paper
from tests.fakes.clock import HandClock
from tests.hub.conftest import PHONE, World, running
from tests.waiting import until

C1, C2 = CustomerId("c1"), CustomerId("c2")
CONVERSATION, CHAT = ConversationId("k1"), Medium("whatsapp")
HYUN, MINA = AgentName("hyun"), AgentName("mina")


def test_looking_and_writing_begin_and_lapse() -> None:
    clock = HandClock()
    presence = Presence(clock)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=False)
    [here] = presence.all()
    assert (here.agent, here.writing, here.last_key, here.since) == (HYUN, False, None, clock.now())
    clock.move(seconds=3)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=True)
    [here] = presence.all()
    assert (here.writing, here.last_key, here.since, here.medium) == (True, clock.now(), clock.now(), CHAT)
    typed = clock.now()
    clock.move(seconds=20)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=False)
    [here] = presence.all()
    assert (here.writing, here.last_key) == (True, typed)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=False)
    clock.move(seconds=STILL_WRITING - 20)
    assert [p.writing for p in presence.all()] == [False]
    clock.move(seconds=LEASE)
    assert presence.all() == ()


def test_going_elsewhere_ends_the_writing() -> None:
    presence = Presence(HandClock())
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=True)
    presence.attend(HYUN, C2, CONVERSATION, CHAT, writing=False)
    [here] = presence.all()
    assert (here.customer, here.writing) == (C2, False)
    presence.attend(HYUN, CustomerId(""), CONVERSATION, CHAT, writing=False)
    assert presence.all() == ()


def test_keys_are_news_only_where_somebody_else_is_there() -> None:
    clock = HandClock()
    presence = Presence(clock)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=True)
    before = presence.revision
    clock.move(seconds=5)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=True)
    assert presence.revision == before
    presence.attend(MINA, C1, CONVERSATION, CHAT, writing=False)
    before = presence.revision
    clock.move(seconds=5)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=True)
    assert presence.revision == before + 1
    presence.attend(MINA, C1, CONVERSATION, CHAT, writing=False)
    assert presence.revision == before + 1


async def test_a_lapse_is_news_without_anybody_asking() -> None:
    clock = HandClock()
    presence = Presence(clock)
    presence.attend(HYUN, C1, CONVERSATION, CHAT, writing=False)
    waiting = asyncio.create_task(presence.wait_changed(presence.revision))
    await until(lambda: asyncio.sleep(0, bool(clock._sleepers)))
    clock.move(seconds=LEASE + 1)
    await waiting
    assert presence.all() == ()


@asynccontextmanager
async def two() -> AsyncIterator[tuple[World, CustomerId, Desk, Agent]]:
    """A hub with a customer, and hyun at another console."""
    async with running(profile=HubProfile(claims=frozenset({"hyun"}), free_floor=0)) as world:
        world.chat.put(paper.message("w1", PHONE, "hello", world.clock.now(), place="chat-1"))
        customer = await world.customer(PHONE)
        remote = await RemoteDesk.connect(world.socket, "hyun", console=True)
        try:
            yield world, customer, as_desk(remote), remote.who
        finally:
            await remote.aclose()


async def test_news_tell_who_came_and_a_console_that_goes_is_gone_at_once() -> None:
    async with two() as (world, customer, hyuns, hyun):
        position = (await world.desk.news(world.who, Position(), 0)).position
        waiting = asyncio.create_task(world.desk.news(world.who, position, 30))
        await hyuns.attend(hyun, customer, CONVERSATION, CHAT, True)
        news = await waiting
        assert news.present
        [here] = await world.desk.present(world.who)
        assert (here.agent, here.customer, here.writing) == ("hyun", customer, True)
        waiting = asyncio.create_task(world.desk.news(world.who, news.position, 30))
        await hyuns.aclose()  # type: ignore[attr-defined]
        assert (await waiting).present
        assert await world.desk.present(world.who) == ()


async def test_taking_over_copies_the_draft_and_tells_its_agent() -> None:
    async with two() as (world, customer, hyuns, hyun):
        conversation = (await world.desk.find_conversation(world.who, customer))[1]
        with pytest.raises(NotFound):
            await world.desk.take_over(world.who, "t0", customer, conversation, hyun.name)
        theirs = Draft(hyun.name, customer, conversation, "Dear Emily, we", 3, world.clock.now(), caret=(0, 4))
        await hyuns.save_draft(hyun, theirs)
        await hyuns.attend(hyun, customer, conversation, CHAT, True)
        copy = await world.desk.take_over(world.who, "t1", customer, conversation, hyun.name)
        assert (copy.agent, copy.text, copy.caret, copy.request) == (world.who.name, "Dear Emily, we", (0, 4), "")
        assert [d.text for d in await world.desk.drafts(world.who)] == ["Dear Emily, we"]
        assert await hyuns.drafts(hyun) == (theirs,)
        [here] = await hyuns.present(hyun)
        assert here.taken_by == world.who.name
        assert [line.act for line in await world.store.audited() if line.act == "take_over"] == ["take_over"]


async def test_taking_over_never_loses_words_of_ones_own() -> None:
    async with two() as (world, customer, hyuns, hyun):
        conversation = (await world.desk.find_conversation(world.who, customer))[1]
        await hyuns.save_draft(hyun, Draft(hyun.name, customer, conversation, "theirs", 3, world.clock.now()))
        mine = Draft(world.who.name, customer, conversation, "mine", 3, world.clock.now())
        await world.desk.save_draft(world.who, mine)
        with pytest.raises(Refused, match="draft of your own"):
            await world.desk.take_over(world.who, "t1", customer, conversation, hyun.name)
        assert await world.desk.drafts(world.who) == (mine,)


async def test_what_everybody_is_told_is_short_and_ones_own_draft_is_not_taken_from_oneself() -> None:
    async with two() as (world, customer, hyuns, hyun):
        with pytest.raises(UsageError):
            await hyuns.attend(hyun, customer, CONVERSATION, Medium("x" * 100_000), True)
        assert await world.desk.present(world.who) == ()
        await hyuns.save_draft(hyun, Draft(hyun.name, customer, CONVERSATION, "mine", 3, world.clock.now()))
        await hyuns.attend(hyun, customer, CONVERSATION, CHAT, True)
        with pytest.raises(UsageError, match="your own"):
            await hyuns.take_over(hyun, "t", customer, CONVERSATION, hyun.name)
        [here] = await world.desk.present(world.who)
        assert here.taken_by == ""
