"""The listener: spooled before answered, forged refused without a word, never a 500."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from agentconsole.errors import StoreFault
from tests.fakes import paper
from tests.hub.conftest import PHONE, World, running


@pytest.fixture
async def hooked() -> AsyncIterator[World]:
    chat = paper.Post()
    async with running(chat=chat, accounts=[paper.chat(chat, webhook=True)]) as world:
        yield world


def client(world: World) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.hub.port}", headers={"X-Stamp": "right"})


async def test_a_genuine_request_is_filed_and_answered_as_the_kind_says(hooked: World):
    body = msgspec.msgpack.encode(paper.message("w1", PHONE, "hello"))
    async with client(hooked) as http:
        answer = await http.post("/hook/wa?id=w1", content=body)
        again = await http.post("/hook/wa?id=w1", content=body)
    assert (answer.status_code, answer.text, again.status_code) == (200, "thanks", 200)
    page = await hooked.store.history(await hooked.customer(PHONE))
    assert page is not None
    assert len(page.entries) == 1


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/hook/wa", {"X-Stamp": "wrong"}, b"x", 401),
        ("/hook/nobody", {}, b"x", 404),
        ("/", {}, b"x", 404),
        ("/hook/wa", {}, b"x" * (1 << 20) + b"y", 413),
        ("/hook/wa", {}, b"boom", 400),
        ("/hook/../hook/wa%00", {}, b"x", 404),
    ],
)
async def test_everything_else_is_refused_without_a_word(hooked: World, path, headers, body, status):
    async with client(hooked) as http:
        answer = await http.post(path, content=body, headers=headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert (await hooked.desk.status(hooked.who)).spool.waiting == 0


async def test_a_full_disk_is_answered_with_later_and_not_with_thanks(hooked: World, monkeypatch):
    async def full(_record: object) -> None:
        raise StoreFault("The disk is full.")

    monkeypatch.setattr(hooked.store, "spool", full)
    async with client(hooked) as http:
        answer = await http.post("/hook/wa", content=b"x")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
