"""Batches that wait together: none may take another's place."""

from __future__ import annotations

import msgspec

from agentconsole.domain.model import Address
from tests.fakes import paper
from tests.hub.conftest import PHONE, running
from tests.hub.test_webhooks import client
from tests.waiting import until

OTHER = Address("phone", "", "+442079460199")


async def test_batches_that_wait_at_the_same_time_are_all_filed(monkeypatch):
    chat = paper.Post()
    async with running(chat=chat, accounts=[paper.chat(chat, webhook=True)]) as world:

        async def nothing_yet() -> list[str]:
            return []

        with monkeypatch.context() as busy:
            busy.setattr(world.store, "spooled", nothing_yet)
            async with client(world) as http:
                for name, sender in (("w1", PHONE), ("w2", OTHER)):
                    body = msgspec.msgpack.encode(paper.message(name, sender, "hello"))
                    assert (await http.post(f"/hook/wa?id={name}", content=body)).status_code == 200
        async with client(world) as http:
            body = msgspec.msgpack.encode(paper.message("w3", PHONE, "still there?"))
            await http.post("/hook/wa?id=w3", content=body)
        assert await world.customer(OTHER)
        customer = await world.customer(PHONE)

        async def both() -> bool:
            page = await world.store.history(customer)
            return page is not None and [getattr(e, "text", "") for e in page.entries] == ["hello", "still there?"]

        await until(both, what="both messages")
