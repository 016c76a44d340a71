"""The same forgeries all the way into a store that knows the victim: 0 merges, 0 histories opened, 0 redirections."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from agentconsole.channels.email import mime
from agentconsole.domain import gate, identity
from agentconsole.domain.entries import AddressLinked, Received, Reply
from agentconsole.domain.model import AccountName, Address, AgentName, ConversationId, CustomerId, EntryId, Medium
from agentconsole.hub.filing import Filing
from agentconsole.hub.parser import InlineParser
from agentconsole.hub.profile import HubProfile
from agentconsole.ports import RawItem
from agentconsole.store.memory import MemoryStore
from tests.channels.email.forgeries.providers import PROVIDERS, Provider
from tests.channels.email.forgeries.senders import LEAKED, VICTIM, forgeries, honest, mail
from tests.fakes import paper
from tests.fakes.clock import CountingRandomness, HandClock

EMILY = Address("email", "", VICTIM)
PHONE = Address("phone", "", "+442079460182")


async def _settled(_account: AccountName) -> None:
    return


def _item(provider: Provider, payload: bytes, clock: HandClock) -> RawItem:
    meta = {mime.META_OWN: "support@shop.test", mime.META_SERVER: provider.names}
    return RawItem(mime.identity(payload), payload, clock.now(), meta)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.title)
async def test_a_forgery_opens_merges_and_redirects_nothing(provider: Provider):
    clock, random = HandClock(), CountingRandomness()
    store = MemoryStore(clock, random)
    post = paper.mail(paper.Post())
    setup = replace(post, kind=replace(post.kind, parse=mime.parse))
    filing = Filing(
        store,
        {setup.name: setup},
        HubProfile(region="GB"),
        InlineParser({setup.kind.name: setup.kind}),
        clock,
        logging.getLogger("test.forgeries"),
        asyncio.Lock(),
        _settled,
    )
    await filing.file(setup, _item(provider, mail(provider, honest()[0], 1_000), clock))
    victim = await store.find(EMILY)
    assert victim is not None
    reply = Reply(
        id=EntryId(LEAKED.partition("@")[0]),
        at=clock.now(),
        agent=AgentName("ana"),
        conversation=ConversationId("c1"),
        account=setup.name,
        medium=Medium("email"),
        address=EMILY,
        text="Your ID ends in 4821.",
        key=LEAKED,
    )
    phone = AddressLinked(id=EntryId("eother"), at=clock.now(), address=PHONE)
    await store.change(victim, lambda _snapshot: [reply])
    await store.change(CustomerId("kother"), lambda _snapshot: [phone])
    as_victim, opened, redirected = [], [], []
    for number, forgery in enumerate(forgeries(provider)):
        clock.move(seconds=60)
        payload = mail(provider, forgery, number) + b" Call me: +44 20 7946 0182"
        filed = await filing.file(setup, _item(provider, payload, clock))
        assert filed.new == 1
        person = await store.customer(victim)
        history = await store.history(victim)
        assert person is not None
        assert history is not None
        assert person.members == (victim,), (forgery.title, "merged")
        ids = [entry.external_id for entry in history.entries if isinstance(entry, Received)]
        if f"{number}@evil.example" in ids:
            as_victim.append(forgery.title)
            doubt = identity.doubtful(person)
            seen = history.entries if doubt is None else gate.visible(person, doubt, history.entries)
            if any(isinstance(entry, Reply) for entry in seen):
                opened.append(forgery.title)
        if [linked.address for linked in person.addresses] != [EMILY]:
            redirected.append(forgery.title)
        # An honest mail afterwards opens the history again.
        clock.move(seconds=60)
        await filing.file(setup, _item(provider, mail(provider, honest()[0], 2_000 + number), clock))
        person = await store.customer(victim)
        assert person is not None
        assert identity.doubtful(person) is None
    assert len(as_victim) >= 8, "most of them pass for her"
    assert opened == []
    assert redirected == []
